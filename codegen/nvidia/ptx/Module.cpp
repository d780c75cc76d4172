// Module.cpp - queries on a parsed module.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Module.h"

#include <algorithm>

namespace heddle::ptx {

std::string Diagnostic::format(std::string_view file) const {
  std::string result(file);
  if (where.line != 0)
    result +=
        ":" + std::to_string(where.line) + ":" + std::to_string(where.column);
  return result + ": error: " + text;
}

unsigned bitWidth(Type type) {
  constexpr unsigned widths[] = {
#define HEDDLE_PTX_TYPE(name, text, bits) bits,
#include "codegen/nvidia/ptx/Types.def"
  };
  return widths[unsigned(type)];
}

std::string_view spelling(Type type) {
  constexpr std::string_view names[] = {
#define HEDDLE_PTX_TYPE(name, text, bits) text,
#include "codegen/nvidia/ptx/Types.def"
  };
  return names[unsigned(type)];
}

std::string_view spelling(Opcode opcode) {
  constexpr std::string_view names[] = {
#define HEDDLE_PTX_OPCODE(name, text) text,
#include "codegen/nvidia/ptx/Opcodes.def"
      "?"};
  return names[unsigned(opcode)];
}

bool Mnemonic::has(std::string_view modifier) const {
  return std::find(modifiers.begin(), modifiers.end(), modifier) !=
         modifiers.end();
}

uint64_t Function::paramBytes() const {
  return params.empty() ? 0 : params.back().offset + params.back().bytes;
}

const Function *Module::find(std::string_view function) const {
  for (const Function &candidate : functions)
    if (candidate.hasBody && candidate.name == function)
      return &candidate;
  return nullptr;
}

const Function *Module::findEntry(std::string_view entry) const {
  const Function *only = nullptr;
  for (const Function &candidate : functions) {
    if (!candidate.isEntry || !candidate.hasBody)
      continue;
    if (candidate.name == entry)
      return &candidate;
    if (entry.empty()) {
      if (only)
        return nullptr;
      only = &candidate;
    }
  }
  return only;
}

} // namespace heddle::ptx
