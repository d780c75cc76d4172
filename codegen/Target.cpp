//===- Target.cpp - the one table of targets ------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "codegen/Target.h"

#include "codegen/cpu/CpuTarget.h"

#include "llvm/ADT/STLExtras.h"

using namespace heddle;

llvm::ArrayRef<const Target *> heddle::getTargets() {
  static const Target *const targets[] = {&getCpuTarget()};
  return targets;
}

const Target *heddle::findTarget(llvm::StringRef spec, llvm::StringRef &variant,
                                 std::string &error) {
  auto [name, rest] = spec.split(':');
  variant = rest;
  error = "expected a target, got '" + spec.str() + "'; there is";
  for (const Target *target : getTargets()) {
    if (target->getName() == name)
      return target;
    for (const TargetVariant &known : target->getVariants())
      error += " '" + known.name + "'";
  }
  return nullptr;
}
