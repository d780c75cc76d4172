//===- WeightsFile.cpp - the file of packed weights -----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "codegen/artefact/WeightsFile.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Errno.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/SHA256.h"
#include "llvm/Support/ThreadPool.h"

#include <cerrno>
#include <cstring>
#include <unistd.h>

using namespace llvm;
using namespace heddle;

/// Bytes that one thread holds and writes at once.
static constexpr size_t chunkBytes = 1 << 20;

//===----------------------------------------------------------------------===//
// Layout
//===----------------------------------------------------------------------===//

static size_t elementSize(heddle_dtype_t dtype) {
  switch (dtype) {
  case HEDDLE_F64:
  case HEDDLE_I64:
  case HEDDLE_U64:
    return 8;
  case HEDDLE_F32:
  case HEDDLE_I32:
  case HEDDLE_U32:
    return 4;
  case HEDDLE_F16:
  case HEDDLE_BF16:
  case HEDDLE_I16:
  case HEDDLE_U16:
    return 2;
  case HEDDLE_I8:
  case HEDDLE_U8:
  case HEDDLE_BOOL:
    return 1;
  }
  llvm_unreachable("a dtype that is no heddle_dtype_t");
}

/// Bytes of one panel.
static uint64_t panelBytes(const WeightToStore &weight) {
  return weight.panels->rows * weight.panels->width * elementSize(weight.dtype);
}

static uint64_t storedBytes(const WeightToStore &weight) {
  if (!weight.panels)
    return weight.source.size();
  return divideCeil(weight.panels->columns, weight.panels->width) *
         panelBytes(weight);
}

Expected<std::vector<uint64_t>>
heddle::layOutWeights(ArrayRef<WeightToStore> weights) {
  std::vector<uint64_t> offsets;
  uint64_t end = sizeof(heddle_abi_weights_header_t);
  for (const WeightToStore &weight : weights) {
    if (const std::optional<PanelLayout> &panels = weight.panels) {
      uint64_t expected =
          panels->rows * panels->columns * elementSize(weight.dtype);
      if (weight.source.size() != expected)
        return createStringError("weight '%s' expects %llu bytes to lay out in "
                                 "panels, got %zu",
                                 weight.name.c_str(), expected,
                                 weight.source.size());
    }
    end = alignTo(end, HEDDLE_ABI_ALIGNMENT);
    offsets.push_back(end);
    end += storedBytes(weight);
  }
  // The last weight can be read in whole cache lines, too.
  offsets.push_back(alignTo(end, HEDDLE_ABI_ALIGNMENT));
  return offsets;
}

//===----------------------------------------------------------------------===//
// Packing
//===----------------------------------------------------------------------===//

/// Copies rows [firstRow, lastRow) of panel `panel`. `Element` has the size of
/// an element; values are moved, never read, so that its kind does not matter,
/// and the source needs no alignment.
template <typename Element>
static void packRows(const WeightToStore &weight, int64_t panel,
                     int64_t firstRow, int64_t lastRow, char *out) {
  const PanelLayout &layout = *weight.panels;
  const char *source = weight.source.data();
  int64_t firstColumn = panel * layout.width;
  int64_t columns = std::min(layout.width, layout.columns - firstColumn);
  int64_t rowBytes = layout.width * sizeof(Element);
  if (columns < layout.width)
    std::memset(out, 0, (lastRow - firstRow) * rowBytes);
  if (!layout.transposed) {
    for (int64_t r = firstRow; r < lastRow; ++r, out += rowBytes)
      std::memcpy(out,
                  source + (r * layout.columns + firstColumn) * sizeof(Element),
                  columns * sizeof(Element));
    return;
  }
  // Both sides in blocks of rows that stay in the first-level cache.
  constexpr int64_t block = 32;
  for (int64_t begin = firstRow; begin < lastRow; begin += block) {
    int64_t end = std::min(begin + block, lastRow);
    for (int64_t j = 0; j < columns; ++j) {
      const char *from =
          source + ((firstColumn + j) * layout.rows + begin) * sizeof(Element);
      char *to = out + (begin - firstRow) * rowBytes + j * sizeof(Element);
      for (int64_t r = begin; r < end; ++r) {
        std::memcpy(to, from, sizeof(Element));
        from += sizeof(Element);
        to += rowBytes;
      }
    }
  }
}

static void packRows(const WeightToStore &weight, int64_t panel,
                     int64_t firstRow, int64_t lastRow, char *out) {
  switch (elementSize(weight.dtype)) {
  case 1:
    return packRows<uint8_t>(weight, panel, firstRow, lastRow, out);
  case 2:
    return packRows<uint16_t>(weight, panel, firstRow, lastRow, out);
  case 4:
    return packRows<uint32_t>(weight, panel, firstRow, lastRow, out);
  default:
    return packRows<uint64_t>(weight, panel, firstRow, lastRow, out);
  }
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

/// Writes at `offset` of a file, from any thread.
static Error writeAt(int fd, uint64_t offset, ArrayRef<char> bytes) {
  while (!bytes.empty()) {
    ssize_t count = sys::RetryAfterSignal(-1, ::pwrite, fd, bytes.data(),
                                          bytes.size(), offset);
    if (count < 0)
      return createStringError("cannot write weights: %s",
                               std::strerror(errno));
    bytes = bytes.drop_front(count);
    offset += count;
  }
  return Error::success();
}

namespace {

/// Writes one weight piece by piece and digests what it writes.
class WeightWriter {
public:
  WeightWriter(int fd, uint64_t offset, const WeightToStore &weight,
               const ReleaseSource &release)
      : fd(fd), offset(offset), weight(weight), release(release) {}

  Expected<ModuleWeight> write() {
    ModuleWeight record = {
        weight.name, offset, storedBytes(weight), {}, weight.dtype};
    if (Error error = weight.panels ? writePanels() : writeAsIs())
      return std::move(error);
    record.sha256 = sha.final();
    return record;
  }

private:
  Error put(ArrayRef<char> bytes) {
    sha.update(arrayRefFromStringRef(StringRef(bytes.data(), bytes.size())));
    if (Error error = writeAt(fd, offset, bytes))
      return error;
    offset += bytes.size();
    return Error::success();
  }

  void released(ArrayRef<char> piece) {
    if (release)
      release(piece);
  }

  Error writeAsIs() {
    ArrayRef<char> rest = weight.source;
    while (!rest.empty()) {
      ArrayRef<char> piece = rest.take_front(chunkBytes);
      if (Error error = put(piece))
        return error;
      released(piece);
      rest = rest.drop_front(piece.size());
    }
    return Error::success();
  }

  Error writePanels() {
    const PanelLayout &layout = *weight.panels;
    int64_t rowBytes = layout.width * elementSize(weight.dtype);
    int64_t rowsAtOnce = std::max<int64_t>(1, chunkBytes / rowBytes);
    std::vector<char> packed(std::min(rowsAtOnce, layout.rows) * rowBytes);
    int64_t panels = divideCeil(layout.columns, layout.width);
    for (int64_t panel = 0; panel < panels; ++panel) {
      for (int64_t row = 0; row < layout.rows; row += rowsAtOnce) {
        int64_t last = std::min(row + rowsAtOnce, layout.rows);
        packRows(weight, panel, row, last, packed.data());
        if (Error error =
                put(ArrayRef(packed).take_front((last - row) * rowBytes)))
          return error;
      }
      // A panel of a transposed source is one piece of it.
      if (layout.transposed)
        released(weight.source.drop_front(panel * rowBytes * layout.rows)
                     .take_front(rowBytes * layout.rows));
    }
    if (!layout.transposed)
      released(weight.source);
    return Error::success();
  }

  int fd;
  uint64_t offset;
  const WeightToStore &weight;
  const ReleaseSource &release;
  SHA256 sha;
};

} // namespace

/// The build id, as docs/abi.md defines it.
static Sha256Digest buildId(ArrayRef<ModuleWeight> weights) {
  SHA256 sha;
  for (const ModuleWeight &weight : weights) {
    sha.update(weight.sha256);
    for (uint64_t value : {weight.offset, weight.size}) {
      std::array<uint8_t, 8> bytes;
      std::memcpy(bytes.data(), &value, sizeof value);
      sha.update(bytes);
    }
  }
  return sha.final();
}

static Error writeHeader(int fd, const ModuleWeights &weights) {
  heddle_abi_weights_header_t header = {};
  std::memcpy(header.magic, HEDDLE_ABI_WEIGHTS_MAGIC, sizeof header.magic);
  header.file_size = weights.fileSize;
  std::memcpy(header.id.bytes, weights.id.data(), weights.id.size());
  header.major = HEDDLE_ABI_MAJOR;
  return writeAt(
      fd, 0, ArrayRef(reinterpret_cast<const char *>(&header), sizeof header));
}

Expected<ModuleWeights> heddle::writeWeights(sys::fs::TempFile &file,
                                             ArrayRef<WeightToStore> weights,
                                             unsigned threads,
                                             const ReleaseSource &release) {
  Expected<std::vector<uint64_t>> offsets = layOutWeights(weights);
  if (!offsets)
    return offsets.takeError();
  ModuleWeights result;
  result.fileSize = offsets->back();
  // Gaps between weights are holes, which read as zeros.
  if (std::error_code error = sys::fs::resize_file(file.FD, result.fileSize))
    return createStringError(error, "cannot write weights");

  // One task per weight; which thread takes it leaves no trace.
  std::vector<std::optional<Expected<ModuleWeight>>> records(weights.size());
  {
    DefaultThreadPool pool(hardware_concurrency(threads));
    for (size_t i = 0; i < weights.size(); ++i)
      pool.async([&, i] {
        records[i].emplace(
            WeightWriter(file.FD, (*offsets)[i], weights[i], release).write());
      });
  }
  Error failure = Error::success();
  for (std::optional<Expected<ModuleWeight>> &record : records) {
    if (*record)
      result.weights.push_back(std::move(**record));
    else if (failure)
      consumeError(record->takeError());
    else
      failure = record->takeError();
  }
  if (failure)
    return std::move(failure);

  result.id = buildId(result.weights);
  if (Error error = writeHeader(file.FD, result))
    return std::move(error);
  return result;
}
