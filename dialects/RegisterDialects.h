//===- RegisterDialects.h - the one list of dialects ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_DIALECTS_REGISTERDIALECTS_H
#define HEDDLE_DIALECTS_REGISTERDIALECTS_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace heddle {

/// Adds our dialects, the upstream dialects that programs of ours use at any
/// stage, and the external interface models that our passes rely on.
void registerAllDialects(mlir::DialectRegistry &registry);

} // namespace heddle

#endif // HEDDLE_DIALECTS_REGISTERDIALECTS_H
