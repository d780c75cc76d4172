// Fuzz.cpp - libFuzzer target: any bytes as a PTX file, decoded and run.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Interpreter.h"

#include <algorithm>

using namespace heddle::ptx;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  ParseResult parsed =
      parse({reinterpret_cast<const char *>(data), size}, "fuzz.ptx");
  if (!parsed.module)
    return 0;
  checkCoverage(*parsed.module);
  const Function *entry = parsed.module->findEntry("");
  if (!entry)
    return 0;
  // Two blocks of two warps, small enough for thousands of runs a second.
  Launch launch;
  launch.module = &*parsed.module;
  launch.params.resize(std::min<uint64_t>(entry->paramBytes(), 4096));
  launch.grid[0] = 2;
  launch.block[0] = 64;
  launch.dynamicShared = 4096;
  launch.options.maxInstructions = 5000;
  launch.options.multiprocessors = 2;
  launch.options.async = AsyncMode(size % 3);
  run(launch);
  return 0;
}
