//===- Targets.cpp - heddle targets: what can be compiled for -------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "codegen/Target.h"
#include "tools/heddle/Command.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace heddle;
using namespace heddle::cli;

static constexpr StringLiteral helpText = R"(
EXAMPLES:

  heddle targets
  heddle compile model.onnx -o model.so --target=cpu:x86-64-v3
)";

namespace {

class TargetsCommand final : public Command {
public:
  TargetsCommand()
      : Command("targets", "list what models can be compiled for", helpText) {}

  ExitCode run() override {
    for (const Target *target : getTargets())
      for (const TargetVariant &variant : target->getVariants())
        outs() << formatv("{0,-40} {1}{2}\n", variant.name, variant.summary,
                          variant.runsHere ? "" : " (does not run here)");
    return ExitCode::Done;
  }
};

} // namespace

std::unique_ptr<Command> heddle::cli::createTargetsCommand() {
  return std::make_unique<TargetsCommand>();
}
