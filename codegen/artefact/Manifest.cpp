//===- Manifest.cpp - what a module says about itself ---------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "codegen/artefact/Manifest.h"

#include "llvm/Support/MathExtras.h"
#include "llvm/Support/SwapByteOrder.h"

#include <cstring>

using namespace llvm;

// Records are written as they lie in memory, and the format is little-endian.
static_assert(sys::IsLittleEndianHost);

namespace {

/// Grows a manifest: strings and tables are appended, and the records that
/// refer to them afterwards.
class ManifestWriter {
public:
  ManifestWriter() : bytes(sizeof(heddle_abi_manifest_t)) {}

  heddle_abi_string_t text(StringRef value) {
    heddle_abi_string_t string = {position(), narrow(value.size())};
    bytes.insert(bytes.end(), value.begin(), value.end());
    bytes.push_back(0);
    return string;
  }

  /// A table of the records that `convert` makes of `items`. The strings and
  /// tables that they refer to come before it.
  template <typename Item, typename Convert>
  heddle_abi_table_t table(const std::vector<Item> &items, Convert convert) {
    using Record = decltype(convert(items.front()));
    std::vector<Record> records;
    records.reserve(items.size());
    for (const Item &item : items)
      records.push_back(convert(item));
    align();
    heddle_abi_table_t result = {position(), narrow(items.size()),
                                 sizeof(Record), 0};
    const char *begin = reinterpret_cast<const char *>(records.data());
    bytes.insert(bytes.end(), begin, begin + records.size() * sizeof(Record));
    return result;
  }

  /// The finished manifest with `root` as its first record.
  Expected<std::vector<char>> finish(const heddle_abi_manifest_t &root) {
    align();
    if (bytes.size() > UINT32_MAX)
      return createStringError("the module's manifest has %zu bytes, more than "
                               "its 32-bit offsets reach",
                               bytes.size());
    std::memcpy(bytes.data(), &root, sizeof root);
    return std::move(bytes);
  }

private:
  /// What does not fit is found by `finish`, whose size is larger still.
  static uint32_t narrow(uint64_t value) { return value; }

  uint32_t position() const { return narrow(bytes.size()); }

  void align() { bytes.resize(alignTo(bytes.size(), 8)); }

  std::vector<char> bytes;
};

} // namespace

static heddle_abi_digest_t digest(const heddle::Sha256Digest &value) {
  heddle_abi_digest_t result;
  std::memcpy(result.bytes, value.data(), value.size());
  return result;
}

static heddle_abi_table_t
writeTensors(ManifestWriter &writer,
             const std::vector<heddle::ModuleTensor> &tensors) {
  return writer.table(tensors, [&](const heddle::ModuleTensor &tensor) {
    heddle_abi_tensor_t record = {};
    record.name = writer.text(tensor.name);
    record.dtype = tensor.dtype;
    record.dims = writer.table(tensor.dims, [](heddle::ModuleDim dim) {
      return heddle_abi_dim_t{static_cast<uint32_t>(dim.kind), 0, dim.value};
    });
    return record;
  });
}

static heddle_abi_entry_t writeEntry(ManifestWriter &writer,
                                     const heddle::ModuleEntry &entry) {
  heddle_abi_entry_t record = {};
  record.name = writer.text(entry.name);
  record.plan_symbol = writer.text(entry.planSymbol);
  record.run_symbol = writer.text(entry.runSymbol);
  record.symbols =
      writer.table(entry.symbols, [&](const heddle::ModuleSymbol &symbol) {
        return heddle_abi_symbol_t{writer.text(symbol.name), symbol.min,
                                   symbol.max, symbol.divisor};
      });
  record.inputs = writeTensors(writer, entry.inputs);
  record.outputs = writeTensors(writer, entry.outputs);
  record.guards =
      writer.table(entry.guards, [&](const heddle::ModuleGuard &guard) {
        return heddle_abi_guard_t{writer.text(guard.sentence), guard.lhsResult,
                                  guard.rhsResult};
      });
  record.faults = writer.table(entry.faults, [&](const std::string &sentence) {
    return heddle_abi_fault_t{writer.text(sentence)};
  });
  record.buffers =
      writer.table(entry.buffers, [](const heddle::ModuleBuffer &buffer) {
        return heddle_abi_buffer_t{buffer.sizeResult, buffer.firstDispatch,
                                   buffer.lastDispatch, 0};
      });
  record.result_count = entry.resultCount;
  record.dispatch_count = entry.dispatchCount;
  record.scratch_size = entry.scratchSize;
  return record;
}

Expected<std::vector<char>> heddle::writeManifest(const Manifest &manifest) {
  ManifestWriter writer;
  heddle_abi_manifest_t root = {};
  root.size = sizeof root;
  root.machine = manifest.machine;
  root.cpu_features = manifest.cpuFeatures;
  root.compiler = writer.text(manifest.compiler);
  root.options = writer.text(manifest.options);
  root.target = writer.text(manifest.target);
  root.model = digest(manifest.model);
  root.weights_name = writer.text(manifest.weights.fileName);
  root.weights_size = manifest.weights.fileSize;
  root.weights_id = digest(manifest.weights.id);
  root.weights =
      writer.table(manifest.weights.weights, [&](const ModuleWeight &weight) {
        return heddle_abi_weight_t{
            writer.text(weight.name), weight.offset, weight.size,
            digest(weight.sha256),    weight.dtype,  0};
      });
  root.sources =
      writer.table(manifest.sources, [&](const ModuleSource &source) {
        return heddle_abi_source_t{writer.text(source.name), source.size,
                                   digest(source.sha256)};
      });
  root.entries = writer.table(manifest.entries, [&](const ModuleEntry &entry) {
    return writeEntry(writer, entry);
  });
  root.kernels = writer.table(manifest.kernels, [&](const std::string &name) {
    return heddle_abi_kernel_t{writer.text(name)};
  });
  return writer.finish(root);
}
