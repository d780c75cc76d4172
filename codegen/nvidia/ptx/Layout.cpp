// Layout.cpp - addresses of a kernel's variables.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Layout.h"

#include <algorithm>

namespace heddle::ptx {

/// Calls `visit` for each symbol named in the operands.
template <class Visit>
static void forSymbols(const std::vector<Operand> &operands, Visit &visit) {
  for (const Operand &operand : operands) {
    if (operand.kind == Operand::Kind::Symbol)
      visit(operand.name);
    forSymbols(operand.elements, visit); // as deep as the parser allows
  }
}

FunctionIndex::FunctionIndex(const Module &module) {
  for (const Function &function : module.functions)
    if (function.hasBody)
      functions.emplace(function.name, &function);
  for (const Module::Alias &alias : module.aliases)
    if (const Function *function = find(alias.function))
      functions.emplace(alias.name, function);
  for (const Variable &variable : module.variables)
    for (const Variable::Relocation &relocation : variable.relocations)
      if (find(relocation.symbol))
        named.insert(relocation.symbol);
}

const Function *FunctionIndex::find(std::string_view name) const {
  auto found = functions.find(name);
  return found == functions.end() ? nullptr : found->second;
}

std::vector<const Function *> reachable(const FunctionIndex &index,
                                        const Function &entry) {
  std::vector<const Function *> functions = {&entry};
  std::set<const Function *> seen = {&entry};
  auto visit = [&](std::string_view name) {
    const Function *callee = index.find(name);
    if (callee && seen.insert(callee).second)
      functions.push_back(callee);
  };
  for (std::string_view name : index.namedByVariables())
    visit(name);
  for (size_t i = 0; i < functions.size(); ++i) {
    for (const Instruction &instruction : functions[i]->code)
      forSymbols(instruction.operands, visit);
    for (const auto &prototype : functions[i]->callPrototypes)
      for (const std::string &target : prototype.targets)
        visit(target);
  }
  return functions;
}

/// Apart by more than any call adds to one by mistake.
static constexpr uint64_t functionSpacing = 256;

/// Gives functions whose address is taken one, in the order of their names.
static void placeFunctions(const std::vector<const Function *> &functions,
                           const FunctionIndex &index, Program &program) {
  std::set<std::string_view> taken;
  auto visit = [&](std::string_view name) {
    const Function *function = index.find(name);
    if (function && !function->isEntry)
      taken.insert(function->name);
  };
  for (std::string_view name : index.namedByVariables())
    visit(name);
  for (const Function *function : functions) {
    for (const Instruction &instruction : function->code)
      if (instruction.opcode() != Opcode::Call)
        forSymbols(instruction.operands, visit);
    for (const auto &prototype : function->callPrototypes)
      for (const std::string &target : prototype.targets)
        visit(target);
  }
  uint64_t next = functionWindow;
  for (std::string_view name : taken) {
    program.functionAddresses[name] = next;
    next += functionSpacing;
  }
  for (const Module::Alias &alias : program.module->aliases)
    if (taken.count(alias.function))
      program.functionAddresses[alias.name] =
          program.functionAddresses[alias.function];
}

SharedLayout layoutShared(const Module &module,
                          const std::vector<const Function *> &functions) {
  std::set<std::string_view> used;
  auto visit = [&](std::string_view name) { used.insert(name); };
  for (const Function *function : functions)
    for (const Instruction &instruction : function->code)
      forSymbols(instruction.operands, visit);

  SharedLayout layout;
  uint64_t dynamicAlign = 16;
  auto place = [&](const Function *scope, const Variable &variable) {
    if (variable.space != Space::Shared || !used.count(variable.name))
      return;
    if (variable.isExtern && variable.bytes == 0) {
      dynamicAlign = std::max<uint64_t>(dynamicAlign, variable.align);
      return;
    }
    uint64_t align = variable.align;
    layout.staticBytes = (layout.staticBytes + align - 1) / align * align;
    layout.offsets[{scope, variable.name}] = layout.staticBytes;
    layout.staticBytes += variable.bytes;
  };
  for (const Variable &variable : module.variables)
    place(nullptr, variable);
  for (const Function *function : functions)
    for (const Variable &variable : function->variables)
      place(function, variable);
  layout.dynamicOffset =
      (layout.staticBytes + dynamicAlign - 1) / dynamicAlign * dynamicAlign;
  return layout;
}

void placeVariables(const std::vector<const Function *> &functions,
                    const FunctionIndex &index, const SharedLayout &shared,
                    ProgramWriter &writer) {
  const Module &module = *writer.program.module;
  placeFunctions(functions, index, writer.program);
  uint64_t next = variableWindow;
  auto placeGlobal = [&](const Variable &variable) {
    uint64_t align = std::max<uint64_t>(variable.align, 256);
    next = (next + align - 1) / align * align;
    writer.program.variables.push_back({&variable, next});
    writer.variableAddresses[&variable] = next;
    uint64_t address = next;
    next += variable.bytes + 4096;
    return address;
  };
  for (const Variable &variable : module.variables) {
    if (variable.space != Space::Shared) {
      writer.symbols[variable.name] = placeGlobal(variable);
      continue;
    }
    auto offset = shared.offsets.find({nullptr, variable.name});
    if (offset != shared.offsets.end())
      writer.symbols[variable.name] = offset->second;
    else if (variable.isExtern && variable.bytes == 0)
      writer.symbols[variable.name] = shared.dynamicOffset;
  }
  // Function-scope global and const variables are static as well.
  for (const Function *function : functions)
    for (const Variable &variable : function->variables)
      if (variable.space == Space::Global || variable.space == Space::Const)
        placeGlobal(variable);
}

} // namespace heddle::ptx
