//===- Session.h - a compiled model, loaded and run -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_TOOLS_HEDDLE_SESSION_H
#define HEDDLE_TOOLS_HEDDLE_SESSION_H

#include "tools/heddle/Command.h"
#include "tools/heddle/Tensor.h"

#include <memory>
#include <string>
#include <vector>

namespace heddle::cli {

/// A failure that the runtime reported.
class RuntimeError : public llvm::ErrorInfo<RuntimeError> {
public:
  static char ID;

  /// Takes the runtime's sentence about the call that just returned `status`.
  explicit RuntimeError(heddle_status_t status)
      : status(status), sentence(heddle_last_error()) {}

  heddle_status_t getStatus() const { return status; }
  void log(llvm::raw_ostream &os) const override { os << sentence; }
  std::error_code convertToErrorCode() const override {
    return llvm::inconvertibleErrorCode();
  }

private:
  heddle_status_t status;
  std::string sentence;
};

/// Prints `error` as `heddle: ...`. Done for no error, NoDevice if the runtime
/// says that this machine lacks what the module needs, else UserError.
ExitCode reportError(llvm::Error error);

struct ModelRelease {
  void operator()(heddle_model_t *model) const { heddle_model_release(model); }
};
struct ContextRelease {
  void operator()(heddle_context_t *context) const {
    heddle_context_release(context);
  }
};
using ModelPtr = std::unique_ptr<heddle_model_t, ModelRelease>;

/// Loads a module. `flags` are HEDDLE_LOAD_*.
llvm::Expected<ModelPtr> loadModel(const std::string &path, uint32_t flags);

/// The first entry of a loaded module and a context to call it.
class Session {
public:
  /// `threads` 0: one per core.
  static llvm::Expected<Session> open(const std::string &path,
                                      unsigned threads);

  /// Runs the model. Inputs are found by name, or by position if they have
  /// none. Outputs come in the order of the model.
  llvm::Expected<std::vector<Tensor>> run(std::vector<Tensor> &inputs);

  size_t getInputCount() const;
  heddle_tensor_info_t getInputInfo(size_t index) const;
  uint32_t getThreadCount() const;

private:
  Session(ModelPtr model,
          std::unique_ptr<heddle_context_t, ContextRelease> context)
      : model(std::move(model)), context(std::move(context)) {}

  ModelPtr model;
  std::unique_ptr<heddle_context_t, ContextRelease> context;
};

} // namespace heddle::cli

#endif // HEDDLE_TOOLS_HEDDLE_SESSION_H
