// KernelArguments.h - from arguments to a parameter block
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The steps from what the user typed to the bytes a kernel receives, the same
// for the interpreter and for a GPU:
//
//   loadArguments            read the .npy files, resolve names
//   bindTritonArguments      (Triton) expand descriptors, add scratch pointers
//   checkParameters          compare with the kernel's own parameters
//   packParameters           write the block, once buffers have addresses
//
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_KERNELARGUMENTS_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_KERNELARGUMENTS_H

#include "codegen/nvidia/ptx/Arguments.h"
#include "codegen/nvidia/ptx/Cubin.h"
#include "codegen/nvidia/ptx/Module.h"
#include "codegen/nvidia/ptx/Npy.h"
#include "codegen/nvidia/ptx/TritonFolder.h"

#include <functional>

namespace heddle::ptx {

/// A buffer of the kernel in host memory.
struct HostBuffer {
  /// The user's name, or the file's, for messages.
  std::string name;
  /// Where the contents came from; empty for scratch memory.
  std::string path;
  /// Whether the contents are written back to `path`.
  bool isOutput = false;
  NpyArray array;

  bool isScratch() const { return path.empty(); }
};

/// The value of one kernel parameter. Addresses are still open.
struct ParameterValue {
  enum class Kind { Scalar, Address, Map };
  Kind kind = Kind::Scalar;
  /// What the user wrote, for messages.
  std::string text;
  /// For `Scalar`.
  ScalarArgument scalar;
  /// For `Address` and `Map`: which buffer, and the offset in bytes.
  size_t buffer = 0;
  uint64_t offset = 0;
  /// For `Map`; its base is set by `packParameters`.
  TensorMap map;
};

/// All that a launch needs of the user's arguments.
struct KernelArguments {
  std::vector<HostBuffer> buffers;
  std::vector<ParameterValue> values;
};

/// One parameter as the kernel declares it.
struct ParameterSlot {
  enum class Type { Any, Integer, Float, Aggregate };
  std::string name;
  Type type = Type::Any;
  uint64_t size = 0;
  uint64_t offset = 0;
};

/// The parameters of a PTX entry.
std::vector<ParameterSlot> parameterSlots(const Function &entry);
/// The parameters of a kernel in a cubin, which states sizes only.
std::vector<ParameterSlot> parameterSlots(const CubinKernel &kernel);

/// Reads the files of all buffers and resolves the names of pointers and maps,
/// which may be defined before or after their use.
Result<KernelArguments>
loadArguments(const std::vector<Argument> &arguments,
              const std::vector<BufferArgument> &buffers);

/// Refuses an entry whose parameters are not those that Triton's metadata, and
/// the signature unless it is empty, say.
Result<Done> checkTritonEntry(const TritonKernel &kernel,
                              const std::vector<TritonArgument> &signature,
                              const std::vector<ParameterSlot> &slots);

/// Turns the user's arguments of a Triton kernel into those of its entry: a
/// descriptor's buffer becomes its map, shape and strides, and the two scratch
/// pointers are added, with memory for `blockCount` blocks. `signature` may be
/// empty; if it is there, it is checked against the slots, and the divisibility
/// that the kernel was compiled for against the values.
Result<Done> bindTritonArguments(const TritonKernel &kernel,
                                 const std::vector<TritonArgument> &signature,
                                 const std::vector<ParameterSlot> &slots,
                                 uint64_t blockCount,
                                 KernelArguments &arguments);

/// Refuses values that differ from the slots in number, size or type.
Result<Done> checkParameters(const std::vector<ParameterSlot> &slots,
                             const KernelArguments &arguments);

/// Writes a tensor map into 128 bytes; the interpreter's `encode`, or the
/// driver's.
using MapEncoder =
    std::function<Result<std::array<std::byte, 128>>(const TensorMap &)>;

/// The parameter block: every value at its slot's offset, buffer `i` at
/// `addresses[i]`.
Result<std::vector<std::byte>> packParameters(
    const std::vector<ParameterSlot> &slots, const KernelArguments &arguments,
    const std::vector<uint64_t> &addresses, const MapEncoder &encodeMap);

/// Writes every output buffer back to its file.
Result<Done> writeOutputs(const KernelArguments &arguments);

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_KERNELARGUMENTS_H
