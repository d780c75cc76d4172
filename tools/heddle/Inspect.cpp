//===- Inspect.cpp - heddle inspect: what a module holds ------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "tools/heddle/Command.h"
#include "tools/heddle/Manifest.h"
#include "tools/heddle/Session.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace heddle::cli;

static constexpr StringLiteral helpText = R"(
The module's seal is checked; none of its code is executed.

EXAMPLES:

  heddle inspect model.so
  heddle inspect model.so --check       also compares the weights with their digests
  heddle inspect model.so --kernels
)";

namespace {

class InspectCommand final : public Command {
public:
  InspectCommand()
      : Command("inspect", "show what a compiled module holds", helpText),
        module(cl::Positional, cl::Required, cl::desc("<MODEL.so>"),
               cl::sub(subCommand)),
        check("check", cl::desc("read every weight and compare its SHA-256"),
              cl::sub(subCommand)),
        kernels("kernels", cl::desc("list the kernels"), cl::sub(subCommand)) {}

  ExitCode run() override;

private:
  cl::opt<std::string> module;
  cl::opt<bool> check;
  cl::opt<bool> kernels;
};

} // namespace

std::unique_ptr<Command> heddle::cli::createInspectCommand() {
  return std::make_unique<InspectCommand>();
}

static std::string toHex(const heddle_abi_digest_t &digest) {
  return llvm::toHex(ArrayRef(digest.bytes), /*LowerCase=*/true);
}

static void printFiles(const Manifest &manifest) {
  const heddle_abi_manifest_t &header = manifest.getHeader();
  outs() << "compiler  " << manifest.getString(header.compiler) << '\n'
         << "target    " << manifest.getString(header.target) << '\n'
         << "options   " << manifest.getString(header.options) << '\n';
  for (uint32_t i = 0; i < header.sources.count; ++i) {
    const auto &source =
        manifest.getRecord<heddle_abi_source_t>(header.sources, i);
    outs() << formatv("source    {0}, {1} bytes, sha256 {2}\n",
                      manifest.getString(source.name), source.size,
                      toHex(source.sha256));
  }
  if (header.weights_size)
    outs() << formatv("weights   {0}, {1} bytes, {2} tensors, id {3}\n",
                      manifest.getString(header.weights_name),
                      header.weights_size, header.weights.count,
                      toHex(header.weights_id));
}

/// `float32[batch x sequence x 384]`; a size that the call decides is `?`.
static std::string describeType(const heddle_tensor_info_t &info) {
  std::string text = heddle_dtype_name(info.dtype);
  raw_string_ostream os(text);
  os << '[';
  llvm::interleave(
      ArrayRef(info.dims, info.rank), os,
      [&](const heddle_dim_info_t &dim) {
        if (dim.size >= 0)
          os << dim.size;
        else
          os << (dim.symbol ? dim.symbol : "?");
      },
      " x ");
  os << ']';
  return text;
}

static void printSymbols(const Manifest &manifest,
                         const heddle_abi_entry_t &entry) {
  for (uint32_t i = 0; i < entry.symbols.count; ++i) {
    const auto &symbol =
        manifest.getRecord<heddle_abi_symbol_t>(entry.symbols, i);
    outs() << "  size    " << manifest.getString(symbol.name) << " = "
           << symbol.min << "..";
    if (symbol.max != INT64_MAX)
      outs() << symbol.max;
    if (symbol.divisor != 1)
      outs() << ", a multiple of " << symbol.divisor;
    outs() << '\n';
  }
}

static void printEntry(const heddle_model_t *model, const Manifest &manifest,
                       uint32_t index) {
  const auto &entry = manifest.getRecord<heddle_abi_entry_t>(
      manifest.getHeader().entries, index);
  outs() << "entry     " << manifest.getString(entry.name) << '\n';
  heddle_tensor_info_t info = {};
  for (uint32_t i = 0; i < entry.inputs.count; ++i) {
    heddle_model_input_info(model, index, i, &info);
    outs() << "  input   " << info.name << ": " << describeType(info) << '\n';
  }
  for (uint32_t i = 0; i < entry.outputs.count; ++i) {
    heddle_model_output_info(model, index, i, &info);
    outs() << "  output  " << info.name << ": " << describeType(info) << '\n';
  }
  printSymbols(manifest, entry);
  for (uint32_t i = 0; i < entry.guards.count; ++i)
    outs()
        << "  guard   "
        << manifest.getString(
               manifest.getRecord<heddle_abi_guard_t>(entry.guards, i).sentence)
        << '\n';
  outs() << formatv("  runs    {0} dispatches, {1} buffers, {2} bytes of "
                    "scratch memory per thread\n",
                    entry.dispatch_count, entry.buffers.count,
                    entry.scratch_size);
}

ExitCode InspectCommand::run() {
  uint32_t flags = HEDDLE_LOAD_INFO_ONLY;
  if (check)
    flags |= HEDDLE_LOAD_CHECK_WEIGHTS;
  Expected<ModelPtr> model = loadModel(module, flags);
  if (!model)
    return reportError(model.takeError());
  Manifest manifest(model->get());
  printFiles(manifest);
  const heddle_abi_manifest_t &header = manifest.getHeader();
  for (uint32_t i = 0; i < header.entries.count; ++i)
    printEntry(model->get(), manifest, i);
  outs() << "kernels   " << header.kernels.count << '\n';
  for (uint32_t i = 0; kernels && i < header.kernels.count; ++i)
    outs()
        << "  "
        << manifest.getString(
               manifest.getRecord<heddle_abi_kernel_t>(header.kernels, i).name)
        << '\n';
  if (check)
    outs() << "check     the weights are the ones the module was made with\n";
  return ExitCode::Done;
}
