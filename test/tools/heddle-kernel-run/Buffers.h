//===- Buffers.h - arguments of a kernel under test -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_TEST_TOOLS_HEDDLE_KERNEL_RUN_BUFFERS_H
#define HEDDLE_TEST_TOOLS_HEDDLE_KERNEL_RUN_BUFFERS_H

#include "mlir/IR/BuiltinTypes.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <memory>

namespace heddle::kernelrun {

/// Where a buffer lies in its pages.
enum class Placement {
  /// It ends where a page without access begins: a read behind it is a fault,
  /// and a masked one that reaches there is slow.
  BeforeGuard,
  /// It begins with a page, for measurements.
  PageStart,
};

/// Memory of a tensor, whose bytes outside the elements must keep their
/// pattern.
class Buffer {
public:
  /// `strides` in elements; empty for row-major. Elements of i1 take a byte.
  Buffer(mlir::RankedTensorType type, llvm::ArrayRef<int64_t> sizes,
         llvm::ArrayRef<int64_t> strides, Placement placement);
  ~Buffer();
  Buffer(const Buffer &) = delete;

  llvm::ArrayRef<int64_t> getSizes() const { return sizes; }
  mlir::Type getElementType() const { return elementType; }
  int64_t getNumElements() const;

  /// Element `index` of the row-major order, as a number. Integers too.
  double get(int64_t index) const;

  /// Fills every byte with the pattern that getStrayWrites looks for.
  void poison();
  /// Random numbers in [-1, 1); small integers; a sequence that `seed` fixes.
  void fillRandom(uint64_t seed);
  void fillZero();
  /// Reads or writes all elements in row-major order.
  llvm::Error load(llvm::StringRef path);
  llvm::Error save(llvm::StringRef path) const;
  void copyFrom(const Buffer &other);

  /// Bytes between the elements that no longer have the pattern.
  int64_t getStrayWrites() const;

  /// What a kernel's C interface takes: pointers, offset, sizes, strides.
  void *getDescriptor() { return descriptor.data(); }

private:
  char *address(int64_t index) const;

  mlir::Type elementType;
  int64_t elementBytes;
  llvm::SmallVector<int64_t> sizes, strides;
  char *mapping = nullptr;
  size_t mappedBytes = 0;
  char *data = nullptr;
  int64_t extentBytes = 0;
  llvm::SmallVector<int64_t> descriptor;
};

/// One argument as it is given on the command line,
/// `SIZES[:INIT][:strides=LIST]` for a tensor and a number for an index.
struct ArgumentSpec {
  llvm::SmallVector<int64_t> sizes;
  llvm::SmallVector<int64_t> strides;
  /// `random`, `zeros` or `@FILE`.
  std::string init = "random";
  int64_t number = 0;
};

llvm::Expected<ArgumentSpec> parseArgument(llvm::StringRef text,
                                           mlir::Type type);

} // namespace heddle::kernelrun

#endif // HEDDLE_TEST_TOOLS_HEDDLE_KERNEL_RUN_BUFFERS_H
