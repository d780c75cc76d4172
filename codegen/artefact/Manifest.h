//===- Manifest.h - what a module says about itself -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// The C++ side of the records in runtime/include/heddle/module_abi.h, which
// documents their meaning.
//
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_CODEGEN_ARTEFACT_MANIFEST_H
#define HEDDLE_CODEGEN_ARTEFACT_MANIFEST_H

#include "heddle/module_abi.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace heddle {

using Sha256Digest = std::array<uint8_t, HEDDLE_ABI_DIGEST_SIZE>;

/// A dimension of an input or output.
struct ModuleDim {
  heddle_abi_dim_kind_t kind = HEDDLE_DIM_FIXED;
  int64_t value = 0; ///< a size, or an index into the symbols or results
};

/// An input or output of an entry.
struct ModuleTensor {
  std::string name;
  heddle_dtype_t dtype = HEDDLE_F32;
  std::vector<ModuleDim> dims;
};

/// A size known when an entry is called.
struct ModuleSymbol {
  std::string name;
  int64_t min = 0;
  int64_t max = INT64_MAX; ///< INT64_MAX: no largest size
  int64_t divisor = 1;
};

/// A condition that the plan function checks.
struct ModuleGuard {
  std::string sentence; ///< "node 'Add_3' expects sequence == 64"
  uint32_t lhsResult = 0;
  uint32_t rhsResult = 0;
};

/// An arena buffer with its lifetime in dispatches, both ends included.
struct ModuleBuffer {
  uint32_t sizeResult = 0; ///< the plan result that is its size in bytes
  uint32_t firstDispatch = 0;
  uint32_t lastDispatch = 0;
};

/// One callable function of the model.
struct ModuleEntry {
  std::string name;
  std::string planSymbol;
  std::string runSymbol;
  std::vector<ModuleSymbol> symbols;
  std::vector<ModuleTensor> inputs;
  std::vector<ModuleTensor> outputs;
  std::vector<ModuleGuard> guards;
  std::vector<std::string> faults; ///< sentences, in the order of the numbers
  std::vector<ModuleBuffer> buffers;
  uint32_t resultCount = 0;   ///< values that the plan function writes
  uint32_t dispatchCount = 0; ///< every dispatch number is below it
  uint64_t scratchSize = 0;   ///< bytes per worker
};

/// A file that the compiler read.
struct ModuleSource {
  std::string name; ///< relative to the model's folder
  uint64_t size = 0;
  Sha256Digest sha256 = {};
};

/// A weight as it lies in the weights file.
struct ModuleWeight {
  std::string name;
  uint64_t offset = 0;
  uint64_t size = 0;
  Sha256Digest sha256 = {};
  heddle_dtype_t dtype = HEDDLE_F32;
};

/// The weights file of a module; without weights there is none.
struct ModuleWeights {
  std::string fileName; ///< a plain name, in the module's folder
  uint64_t fileSize = 0;
  Sha256Digest id = {};
  std::vector<ModuleWeight> weights;
};

/// Everything that a module says about itself.
struct Manifest {
  heddle_abi_machine_t machine = HEDDLE_MACHINE_X86_64;
  uint64_t cpuFeatures = 0; ///< bits, for x86 those of heddle_abi_x86_feature_t
  std::string compiler;     ///< "heddle 0.1.0"
  std::string options;
  std::string target;
  Sha256Digest model = {};
  std::vector<ModuleSource> sources;
  ModuleWeights weights;
  std::vector<ModuleEntry> entries;
  std::vector<std::string> kernels;
};

/// The manifest as it lies in a module; its size is a multiple of 8. Fails when
/// it does not fit into the format's 32-bit offsets.
llvm::Expected<std::vector<char>> writeManifest(const Manifest &manifest);

/// The bits of Manifest::cpuFeatures for code that LLVM generates for the x86
/// processor `processor` with `features` ("+avx512bf16,+avx512vnni") beyond it.
/// Fails when LLVM does not know the processor, or when a feature beyond the
/// x86-64-v2 level has no bit, because the runtime could not check for it.
llvm::Expected<uint64_t> x86FeatureBits(llvm::StringRef processor,
                                        llvm::StringRef features);

} // namespace heddle

#endif // HEDDLE_CODEGEN_ARTEFACT_MANIFEST_H
