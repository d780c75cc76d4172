//===- Session.cpp - a compiled model, loaded and run ---------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "tools/heddle/Session.h"

#include "llvm/ADT/STLExtras.h"

using namespace llvm;
using namespace heddle::cli;

/// Modules are compiled from one graph: it is their first entry.
static constexpr size_t mainEntry = 0;

char RuntimeError::ID = 0;

ExitCode heddle::cli::reportError(Error error) {
  if (!error)
    return ExitCode::Done;
  ExitCode code = ExitCode::UserError;
  handleAllErrors(
      std::move(error),
      [&](const RuntimeError &failure) {
        userError(failure.message());
        if (failure.getStatus() == HEDDLE_NO_DEVICE)
          code = ExitCode::NoDevice;
      },
      [&](const ErrorInfoBase &failure) { userError(failure.message()); });
  return code;
}

Expected<ModelPtr> heddle::cli::loadModel(const std::string &path,
                                          uint32_t flags) {
  heddle_load_options_t options = {};
  options.flags = flags;
  heddle_model_t *model = nullptr;
  if (heddle_status_t status =
          heddle_model_load(path.c_str(), &options, &model))
    return make_error<RuntimeError>(status);
  return ModelPtr(model);
}

Expected<Session> Session::open(const std::string &path, unsigned threads) {
  Expected<ModelPtr> model = loadModel(path, /*flags=*/0);
  if (!model)
    return model.takeError();
  heddle_context_options_t options = {};
  options.threads = threads;
  heddle_context_t *context = nullptr;
  if (heddle_status_t status =
          heddle_context_create(model->get(), &options, &context))
    return make_error<RuntimeError>(status);
  return Session(std::move(*model),
                 std::unique_ptr<heddle_context_t, ContextRelease>(context));
}

Expected<std::vector<Tensor>> Session::run(std::vector<Tensor> &inputs) {
  auto views = map_to_vector(inputs, [](Tensor &t) { return t.getView(); });
  SmallVector<heddle_tensor_t> outputViews(
      heddle_model_output_count(model.get(), mainEntry));
  if (heddle_status_t status = heddle_model_output_shapes(
          model.get(), mainEntry, views.data(), views.size(),
          outputViews.data(), outputViews.size()))
    return make_error<RuntimeError>(status);

  std::vector<Tensor> outputs(outputViews.size());
  for (auto [output, view] : llvm::zip(outputs, outputViews)) {
    output.name = view.name;
    output.dtype = view.dtype;
    output.shape.assign(view.shape, view.shape + view.rank);
    output.data.resize(output.getElementCount() *
                       heddle_dtype_size(view.dtype));
    view.data = output.data.data();
  }
  if (heddle_status_t status =
          heddle_model_run(context.get(), mainEntry, views.data(), views.size(),
                           outputViews.data(), outputViews.size()))
    return make_error<RuntimeError>(status);
  return outputs;
}

size_t Session::getInputCount() const {
  return heddle_model_input_count(model.get(), mainEntry);
}

heddle_tensor_info_t Session::getInputInfo(size_t index) const {
  heddle_tensor_info_t info = {};
  // An index below the count is never refused.
  heddle_model_input_info(model.get(), mainEntry, index, &info);
  return info;
}

uint32_t Session::getThreadCount() const {
  return heddle_context_thread_count(context.get());
}
