// ParseFunction.cpp - function bodies: scopes, registers, labels, statements.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Parser.h"

#include <algorithm>
#include <charconv>

namespace heddle::ptx {

static constexpr unsigned maxScopeDepth = 256;
/// `.reg .b32 %r<N>` costs nothing until a register is named, so N is only
/// bounded to keep arithmetic safe.
static constexpr uint64_t maxRegisterRange = 1u << 30;

FunctionParser::FunctionParser(ModuleParser &parent, Function &function)
    : ParserBase(parent.text, parent.current, parent.found), parent(parent),
      function(function) {
  scopes.emplace_back();
  for (std::vector<Param> *params : {&function.params, &function.results})
    for (Param &param : *params) {
      if (param.inRegister) {
        param.reg = declareParameterRegister(param);
        continue;
      }
      std::string_view name = parent.storage->names.emplace_back(param.name);
      scopes[0].variables.emplace(name, name);
      ++nameCounts[name];
    }
}

RegisterId FunctionParser::declareParameterRegister(const Param &param) {
  std::string_view name = parent.storage->names.emplace_back(param.name);
  scopes[0].registers[name] = {param.type, 0, 1};
  return findRegister(name)->reg;
}

void FunctionParser::parseBody() {
  Location open = token.where;
  expect('{');
  depth = 1;
  while (depth != 0) {
    if (token.kind == Token::Kind::End)
      fail(open, "body of '" + function.name + "' is not closed");
    parseStatement();
  }
  resolveLabels();
}

void FunctionParser::parseStatement() {
  if (accept(';'))
    return;
  if (accept('{')) {
    if (++depth > maxScopeDepth)
      fail(token.where,
           "scopes nested deeper than " + std::to_string(maxScopeDepth));
    scopes.emplace_back();
    scopes.back().parent = scope;
    scope = int(scopes.size()) - 1;
    return;
  }
  if (token.is('}')) {
    --depth;
    scope = std::max(scopes[scope].parent, 0);
    return advance();
  }
  if (token.is('@') || token.kind == Token::Kind::Word)
    return parseInstruction();
  if (token.is(".loc") || token.is(".file")) {
    lexer.skipLine();
    return advance();
  }
  if (token.is(".pragma"))
    return skipToSemicolon();
  if (accept(".section"))
    return skipBraces();
  if (accept(".reg"))
    return parseRegisters();
  constexpr std::pair<std::string_view, Space> spaces[] = {
      {".shared", Space::Shared},
      {".local", Space::Local},
      {".param", Space::Param},
      {".global", Space::Global},
      {".const", Space::Const}};
  for (auto [word, space] : spaces)
    if (accept(word))
      return parseLocalVariable(space);
  failExpected("a statement");
}

void FunctionParser::parseRegisters() {
  Location where = token.where;
  DeclaredType declared = parseDeclaredType();
  if (!declared.hasType)
    fail(where, "register without a type");
  unsigned width = bitWidth(declared.type);
  if (declared.vectorWidth > 4 || (declared.vectorWidth != 1 &&
                                   (declared.type == Type::Pred || width > 64)))
    fail(where, "vector registers of type '." +
                    std::string(spelling(declared.type)) +
                    "' and that width are not covered");
  if (width > 128)
    fail(where, "registers of type '." + std::string(spelling(declared.type)) +
                    "' are not covered");
  do {
    Location at = token.where;
    std::string_view name = expectWord("a register name");
    RegisterRange range{declared.type, 0, declared.vectorWidth};
    if (accept('<')) {
      range.count =
          uint32_t(expectInteger("a register count", maxRegisterRange));
      expect('>');
      // `%r<0>` declares nothing, but must not read as the register `%r`.
      if (range.count == 0)
        continue;
    }
    auto &declared =
        range.count == 0 ? scopes[scope].registers : scopes[scope].ranges;
    if (!declared.emplace(name, range).second)
      fail(at, "register '" + std::string(name) + "' is declared twice");
  } while (accept(','));
  expect(';');
}

std::string_view FunctionParser::uniqueName(std::string_view name) {
  unsigned count = ++nameCounts[name];
  if (count == 1 && !parent.symbols.count(std::string(name)))
    return name;
  return parent.storage->names.emplace_back(std::string(name) + "#" +
                                            std::to_string(count));
}

void FunctionParser::parseLocalVariable(Space space) {
  for (Variable &variable : parseVariables(space, false)) {
    std::string_view name = parent.storage->names.emplace_back(variable.name);
    std::string_view unique = uniqueName(name);
    if (!scopes[scope].variables.emplace(name, unique).second)
      fail(variable.where,
           "variable '" + variable.name + "' is declared twice");
    variable.name = unique;
    elementBytes.emplace(variable.name, variable.elementBytes());
    function.variables.push_back(std::move(variable));
  }
}

void FunctionParser::parseLabel(std::string_view name, Location where) {
  if (token.is(".branchtargets"))
    return parseBranchTargets(name);
  if (token.is(".callprototype") || token.is(".calltargets"))
    return parsePrototype(name);
  if (!scopes[scope]
           .labels.emplace(name, uint32_t(function.code.size()))
           .second)
    fail(where, "label '" + std::string(name) + "' is defined twice");
}

void FunctionParser::parseBranchTargets(std::string_view name) {
  advance();
  PendingTargets pending{name, {}, scope};
  do {
    Location where = token.where;
    pending.labels.push_back({expectWord("a label"), where});
  } while (accept(','));
  expect(';');
  pendingTargets.push_back(std::move(pending));
}

/// `.calltargets f, g;` or `.callprototype (results) _ (params);`
void FunctionParser::parsePrototype(std::string_view name) {
  Function::CallPrototype prototype;
  prototype.name = name;
  prototype.listsTargets = token.is(".calltargets");
  advance();
  if (prototype.listsTargets) {
    do {
      Location where = token.where;
      std::string_view target = expectWord("a function name");
      if (!parent.symbols.count(std::string(target)))
        fail(where, "undefined function '" + std::string(target) + "'");
      prototype.targets.emplace_back(target);
    } while (accept(','));
    expect(';');
  } else {
    if (token.is('('))
      prototype.results = parseParams();
    expectWord("'_'");
    if (token.is('('))
      prototype.params = parseParams();
    skipToSemicolon(); // .noreturn, .abi_preserve
  }
  prototypes[name] = function.callPrototypes.size();
  function.callPrototypes.push_back(std::move(prototype));
}

const Mnemonic *FunctionParser::mnemonicOf(std::string_view text) {
  auto [place, isNew] = parent.mnemonics.try_emplace(std::string(text));
  if (!isNew)
    return place->second;
  static const std::unordered_map<std::string_view, Opcode> opcodes = {
#define HEDDLE_PTX_OPCODE(name, text) {text, Opcode::name},
#include "codegen/nvidia/ptx/Opcodes.def"
  };
  Mnemonic &mnemonic = parent.storage->mnemonics.emplace_back();
  place->second = &mnemonic;
  mnemonic.text = text;
  size_t dot = text.find('.');
  auto opcode = opcodes.find(text.substr(0, dot));
  if (opcode != opcodes.end())
    mnemonic.opcode = opcode->second;
  while (dot != std::string_view::npos) {
    size_t end = text.find('.', dot + 1);
    std::string_view word = text.substr(dot + 1, end - dot - 1);
    mnemonic.modifiers.emplace_back(word);
    if (std::optional<Type> type = typeOf(word))
      mnemonic.types.push_back(*type);
    if (word == "v2" || word == "v4" || word == "v8")
      mnemonic.vectorWidth = unsigned(word[1] - '0');
    std::string_view space = word.substr(0, word.find(':'));
    if (mnemonic.space == Space::Generic)
      mnemonic.space = space == "global"   ? Space::Global
                       : space == "shared" ? Space::Shared
                       : space == "local"  ? Space::Local
                       : space == "param"  ? Space::Param
                       : space == "const"  ? Space::Const
                                           : Space::Generic;
    dot = end;
  }
  return &mnemonic;
}

/// ` of type '.b32'` of a register.
static std::string typeNote(const Function &function, const Operand &operand) {
  if (operand.kind != Operand::Kind::Register)
    return "";
  return " of type '." +
         std::string(spelling(function.registers[operand.reg].type)) + "'";
}

void FunctionParser::parseInstruction() {
  Instruction instruction;
  instruction.where = token.where;
  if (accept('@')) {
    instruction.guardNegated = accept('!');
    Location where = token.where;
    std::string_view name = expectWord("a predicate register");
    std::optional<Operand> guard = findRegister(name);
    if (!guard)
      fail(where, "undefined register '" + std::string(name) + "'");
    if (guard->kind != Operand::Kind::Register ||
        function.registers[guard->reg].type != Type::Pred)
      fail(where, "expected a predicate as guard, got '" + std::string(name) +
                      "'" + typeNote(function, *guard));
    instruction.guard = guard->reg;
  }
  Location where = token.where;
  std::string_view word = expectWord("an instruction");
  if (!instruction.guard && token.is(':')) {
    advance();
    return parseLabel(word, where);
  }
  // What follows decides whether an unknown word was meant as an instruction;
  // either way the mistake is here.
  instruction.mnemonic = mnemonicOf(word);
  if (word[0] == '%')
    fail(where, "expected an instruction, got '" + std::string(word) + "'");
  if (!token.is(';')) {
    do {
      if (instruction.operands.size() == 512)
        fail(token.where, "more than 512 operands");
      instruction.operands.push_back(parseOperand(instruction, 0));
    } while (accept(','));
  }
  if (!token.is(';'))
    failExpected("',' or ';' after an operand of '" +
                 instruction.mnemonic->text + "'");
  advance();
  function.code.push_back(std::move(instruction));
  scopeOfInstruction.push_back(scope);
}

uint32_t FunctionParser::labelTarget(int from, std::string_view name,
                                     Location where) {
  for (int at = from; at >= 0; at = scopes[at].parent) {
    auto found = scopes[at].labels.find(name);
    if (found != scopes[at].labels.end())
      return found->second;
  }
  fail(where, "undefined label '" + std::string(name) + "'");
}

void FunctionParser::resolveLabels() {
  for (PendingTargets &pending : pendingTargets) {
    Function::BranchTargets targets{std::string(pending.name), {}};
    for (auto &[label, where] : pending.labels)
      targets.targets.push_back(labelTarget(pending.scope, label, where));
    function.branchTargets.push_back(std::move(targets));
  }
  std::unordered_map<std::string_view, size_t> lists;
  for (size_t i = 0; i < function.branchTargets.size(); ++i)
    lists.emplace(function.branchTargets[i].name, i);
  for (size_t i = 0; i < function.code.size(); ++i) {
    Instruction &instruction = function.code[i];
    for (Operand &operand : instruction.operands) {
      if (operand.kind != Operand::Kind::Label)
        continue;
      std::string name(operand.name);
      if (instruction.opcode() == Opcode::Brx) {
        auto list = lists.find(operand.name);
        if (list == lists.end())
          fail(instruction.where,
               "undefined branch target list '" + name + "'");
        operand.value = list->second;
      } else if (instruction.opcode() == Opcode::Call) {
        auto prototype = prototypes.find(operand.name);
        if (prototype == prototypes.end())
          fail(instruction.where,
               "undefined function or prototype '" + name + "'");
        operand.value = prototype->second;
      } else {
        operand.value =
            labelTarget(scopeOfInstruction[i], operand.name, instruction.where);
      }
    }
  }
}

} // namespace heddle::ptx
