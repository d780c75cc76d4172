// TritonFolder.h - kernels that Triton compiled
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Triton keeps a compiled kernel as NAME.json with NAME.ptx, NAME.cubin and
// NAME.ttir beside it, in a folder of its cache or where the user copied it.
// Read here are the files of Triton 3.6 to 3.9, without Triton and without
// Python. docs/ptx/triton.md has the table of the launch ABI.
//
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_TRITONFOLDER_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_TRITONFOLDER_H

#include "codegen/nvidia/ptx/FileAccess.h"
#include "codegen/nvidia/ptx/TensorMap.h"

#include <optional>

namespace heddle::ptx {

/// One entry of `tensordesc_meta`: how the kernel reads a tensor descriptor
/// that the host makes.
struct TritonDescriptor {
  TensorElement element = TensorElement::U8;
  TensorSwizzle swizzle = TensorSwizzle::None;
  /// Outermost first.
  std::vector<uint32_t> blockSize;
};

/// One argument of the user, as the .ttir declares it.
struct TritonArgument {
  std::string name;
  /// The MLIR type, such as `!tt.ptr<f32>`, `i32` or
  /// `!tt.tensordesc<128x64xbf16>`.
  std::string type;
  /// What an integer, or an address, must be a multiple of; 0 for any.
  uint64_t divisibility = 0;
  /// Of a host descriptor that Triton took apart, as it does for targets before
  /// sm_90; 0 for everything else. The pointer is then followed by shape and
  /// strides in 64 bits, `flatFlags` of 8 bits, shape in 32 and strides in 64.
  size_t flatRank = 0, flatFlags = 0;

  /// Parameters of the entry that follow the first of this argument.
  size_t flatParameters() const { return 4 * flatRank + flatFlags; }
  bool isDescriptor() const { return type.starts_with("!tt.tensordesc<"); }
  bool isPointer() const { return type.starts_with("!tt.ptr<"); }
  /// Bytes of a pointer or scalar parameter; 0 for another type.
  unsigned size() const;
  /// Bytes of the elements that a pointer points to; 0 if this is no pointer or
  /// their type is not known here.
  unsigned pointeeSize() const;
};

/// What the .json says of one kernel, and where its other files are.
struct TritonKernel {
  /// File name without its extension; may differ from `name`.
  std::string stem;
  /// The kernel's symbol.
  std::string name;
  std::string jsonPath;
  /// Empty where there is no such file.
  std::string ptxPath;
  std::string cubinPath;
  std::string ttirPath;

  std::string tritonVersion;
  /// The number in sm_NN.
  unsigned sm = 0;
  /// All warps of a block, warp-specialised ones included.
  unsigned numWarps = 0;
  /// Blocks in a cluster.
  unsigned numCtas = 1;
  /// Dynamic shared memory, in bytes.
  uint64_t shared = 0;
  /// Bytes per block of the grid.
  uint64_t globalScratchSize = 0;
  uint64_t profileScratchSize = 0;
  bool isCooperative = false;
  bool usesDependentLaunch = false;
  std::vector<TritonDescriptor> descriptors;
};

/// Whether `path` is a folder or a .json file, which is how a Triton kernel is
/// named on the command line.
bool isTritonPath(const std::string &path);

/// Reads every kernel in `path`: a folder that holds them, a cache folder that
/// holds such folders, or one .json file. In the order of their file names.
Result<std::vector<TritonKernel>> readTritonFolder(const std::string &path);

/// Reads the one kernel in `path` that `entry` names by its file stem or its
/// symbol; `entry` may be empty if there is only one kernel.
Result<TritonKernel> readTritonKernel(const std::string &path,
                                      const std::string &entry);

/// Decodes the text of a .json file. Unknown keys are ignored; `name`,
/// `shared`, `num_warps` and `target` must be there and make sense.
Result<TritonKernel> parseTritonMetadata(const std::string &text);

/// Reads the arguments of the kernel `name` from .ttir text. What follows a
/// descriptor, or the pointer of one that was taken apart, belongs to it and is
/// left out.
Result<std::vector<TritonArgument>>
parseTritonSignature(const std::string &ttir, const std::string &name);

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_TRITONFOLDER_H
