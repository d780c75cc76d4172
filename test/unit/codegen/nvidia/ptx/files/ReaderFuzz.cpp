// ReaderFuzz.cpp - libFuzzer target: any bytes as each kind of file but PTX.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every reader sees every input; all but one refuse it by its first bytes.

#include "codegen/nvidia/ptx/Arguments.h"
#include "codegen/nvidia/ptx/Cubin.h"
#include "codegen/nvidia/ptx/InstructionMix.h"
#include "codegen/nvidia/ptx/Npy.h"
#include "codegen/nvidia/ptx/PtxVersion.h"
#include "codegen/nvidia/ptx/Ptxas.h"
#include "codegen/nvidia/ptx/TritonFolder.h"

#include <cstdlib>

using namespace heddle::ptx;

/// Ends the program unless `result` is a value or a failure with a sentence.
template <typename T>
static void check(const Result<T> &result) {
  if (!result && result.failure().message.empty())
    std::abort();
}

/// An array that was read is written and read again as the same array.
static void checkArray(std::span<const uint8_t> bytes) {
  Result<NpyArray> array = parseNpy(bytes);
  check(array);
  if (!array)
    return;
  Result<NpyArray> again = parseNpy(formatNpy(*array));
  if (!again || again->shape != array->shape || again->data != array->data)
    std::abort();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::span<const uint8_t> bytes(data, size);
  checkArray(bytes);
  check(parseCubin(bytes));
  std::string text(bytes.begin(), bytes.end());
  check(parseTritonMetadata(text));
  check(parseTritonSignature(text, "k"));
  check(parseArgument(text));
  check(parseBufferArgument(text));
  parsePtxasOutput(text);
  countMachineInstructions(text);
  findPtxVersion(text);
  findPtxTarget(text);
  return 0;
}
