//===- Locations.h - where a diagnostic about a model points ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_FRONTENDS_ONNX_LOAD_LOCATIONS_H
#define HEDDLE_FRONTENDS_ONNX_LOAD_LOCATIONS_H

#include "mlir/IR/Location.h"

#include <onnx/onnx_pb.h>

#include <string>

namespace heddle {

/// The messages of onnx.proto; `heddle::onnx` is the dialect.
namespace pb = ::onnx;

/// The locations of one model.
class ModelLocations {
public:
  ModelLocations(mlir::MLIRContext &context, llvm::StringRef path)
      : context(&context), path(path) {}

  /// The whole model.
  mlir::Location file() const;
  mlir::Location node(const pb::NodeProto &node) const;

  mlir::MLIRContext *getContext() const { return context; }
  llvm::StringRef getPath() const { return path; }

private:
  mlir::MLIRContext *context;
  llvm::StringRef path;
};

/// Text of a model for a diagnostic: in quotes, with control characters and
/// bytes outside ASCII as escapes, cut after 200 characters.
std::string inQuotes(llvm::StringRef text);

/// Gives every node without a name one of its operator and its position in its
/// graph: `MatMul_12`.
void nameNodes(pb::ModelProto &model);

} // namespace heddle

#endif // HEDDLE_FRONTENDS_ONNX_LOAD_LOCATIONS_H
