//===- WeightsFile.h - the file of packed weights ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_CODEGEN_ARTEFACT_WEIGHTSFILE_H
#define HEDDLE_CODEGEN_ARTEFACT_WEIGHTSFILE_H

#include "codegen/artefact/Manifest.h"

#include "llvm/Support/FileSystem.h"

#include <functional>
#include <optional>

namespace heddle {

/// Column panels of a [rows, columns] matrix B:
///
///   stored[p, r, j] = B[r, p * width + j]    (0 where p * width + j >=
///   columns)
///
/// with ceil(columns / width) panels of [rows, width].
struct PanelLayout {
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t width = 1;
  bool transposed = false; ///< the source holds B[r, c] at [c, r]
};

/// A weight to be stored: dense row-major values in memory (a mapped file, as a
/// rule) and how they are laid out in the weights file.
struct WeightToStore {
  std::string name;
  heddle_dtype_t dtype = HEDDLE_F32;
  llvm::ArrayRef<char> source;       ///< without alignment
  std::optional<PanelLayout> panels; ///< none: as they are
};

/// Takes a piece of a source that is not needed any more; called from any
/// thread. May be empty.
using ReleaseSource = std::function<void(llvm::ArrayRef<char>)>;

/// Offset of each weight in the weights file, in the given order, and after
/// them the size of the file. Fails when a source has not as many bytes as its
/// panels need. Code that reads weights is generated from these offsets before
/// anything is written.
llvm::Expected<std::vector<uint64_t>>
layOutWeights(llvm::ArrayRef<WeightToStore> weights);

/// Writes the weights file to `file`, which is empty, on `threads` threads (0:
/// one per core), and returns its description; `fileName` is left empty. The
/// bytes do not depend on the number of threads. `release` gets every
/// piece of the sources once, as soon as it has been stored.
llvm::Expected<ModuleWeights>
writeWeights(llvm::sys::fs::TempFile &file,
             llvm::ArrayRef<WeightToStore> weights, unsigned threads,
             const ReleaseSource &release);

} // namespace heddle

#endif // HEDDLE_CODEGEN_ARTEFACT_WEIGHTSFILE_H
