//===- Tensor.h - tensors in host memory, and their files -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_TOOLS_HEDDLE_TENSOR_H
#define HEDDLE_TOOLS_HEDDLE_TENSOR_H

#include "heddle/runtime.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace heddle::cli {

/// A dense row-major tensor that owns its elements.
struct Tensor {
  std::string name;
  heddle_dtype_t dtype = HEDDLE_F32;
  std::vector<int64_t> shape;
  std::vector<char> data;

  /// The product of the shape.
  int64_t getElementCount() const;

  /// The same tensor as the runtime takes it. Valid while this one lives.
  heddle_tensor_t getView();
};

/// The format of a floating-point dtype, null for any other.
const llvm::fltSemantics *getFloatSemantics(heddle_dtype_t dtype);

/// `float32[2x9x384]`.
std::string describeType(heddle_dtype_t dtype, llvm::ArrayRef<int64_t> shape);

/// Reads a TensorProto in protobuf form (the files of ONNX test data), checked
/// for consistent sizes. Errors name the file.
llvm::Expected<Tensor> readTensorProto(llvm::StringRef path);

/// The tensors `<prefix>0.pb`, `<prefix>1.pb`, ... of a folder, as many as
/// there are.
llvm::Expected<std::vector<Tensor>> readTensorProtos(llvm::StringRef folder,
                                                     llvm::StringRef prefix);

} // namespace heddle::cli

#endif // HEDDLE_TOOLS_HEDDLE_TENSOR_H
