// ParseModule.cpp - the file level of PTX: version, target, variables,
// functions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Parser.h"

#include <algorithm>
#include <charconv>

namespace heddle::ptx {

ParseResult parse(std::string_view text, std::string_view name) {
  return ModuleParser(text, name).parse();
}

static std::shared_ptr<Module::Storage> store(std::string_view text) {
  auto storage = std::make_shared<Module::Storage>();
  storage->text = text;
  return storage;
}

ModuleParser::ModuleParser(std::string_view source, std::string_view name)
    : ParserBase(text, current, found), storage(store(source)),
      text(storage->text) {
  module.name = name;
  module.storage = storage;
}

ParseResult ModuleParser::parse() {
  try {
    advance();
    parseVersion();
    while (token.kind != Token::Kind::End)
      parseItem();
    checkRelocations();
    checkAliases();
  } catch (Failure) {
    return {std::nullopt, std::move(found)};
  }
  return {std::move(module), {}};
}

/// Initialisers may name what is declared after them.
void ModuleParser::checkRelocations() {
  for (const Variable &variable : module.variables)
    for (const Variable::Relocation &relocation : variable.relocations)
      if (!symbols.count(relocation.symbol))
        fail(variable.where, "undefined symbol '" + relocation.symbol +
                                 "' in the initialiser of '" + variable.name +
                                 "'");
}

/// `.alias name, function;`, both declared before.
void ModuleParser::parseAlias() {
  Module::Alias alias;
  alias.where = token.where;
  for (std::string *name : {&alias.name, &alias.function}) {
    if (name != &alias.name)
      expect(',');
    Location where = token.where;
    *name = expectWord("a function name");
    if (!symbols.count(*name))
      fail(where, "undefined function '" + *name + "'");
  }
  expect(';');
  module.aliases.push_back(std::move(alias));
}

/// An alias stands for a function with a body, and has none of its own.
void ModuleParser::checkAliases() {
  for (const Module::Alias &alias : module.aliases) {
    if (!symbols.at(alias.function) || symbols.at(alias.name))
      fail(alias.where, "expected a function with a body behind the alias '" +
                            alias.name + "', and none of its own");
  }
}

void ModuleParser::parseVersion() {
  if (!accept(".version"))
    failExpected("'.version' at the head of a PTX file");
  Location where = token.where;
  std::string_view text = token.text;
  // Digits, a point, digits: a Float token may be more than that.
  const char *at = text.data(), *end = at + text.size();
  auto number = [&](uint32_t &value) {
    auto [last, error] = std::from_chars(at, end, value);
    at = last;
    return error == std::errc();
  };
  if (token.kind != Token::Kind::Float || !number(module.versionMajor) ||
      at == end || *at++ != '.' || !number(module.versionMinor) || at != end)
    failExpected("a version such as 8.0");
  auto version = std::pair(module.versionMajor, module.versionMinor);
  if (version < std::pair(6u, 0u) || version > std::pair(9u, 4u))
    fail(where,
         "expected a PTX version from 6.0 to 9.4, got " + std::string(text));
  advance();
}

void ModuleParser::parseTarget() {
  do
    module.targets.emplace_back(expectWord("a target such as sm_90"));
  while (accept(','));
}

void ModuleParser::parseItem() {
  if (token.kind != Token::Kind::Directive)
    failExpected("a directive");
  bool isExtern = false;
  while (token.is(".visible") || token.is(".extern") || token.is(".weak") ||
         token.is(".common")) {
    isExtern |= token.is(".extern");
    advance();
  }
  if (accept(".target"))
    return parseTarget();
  if (accept(".address_size")) {
    Location where = token.where;
    module.addressSize = uint32_t(expectInteger("32 or 64", 64));
    if (module.addressSize != 64)
      fail(where, "expected an address size of 64, got " +
                      std::to_string(module.addressSize));
    return;
  }
  if (token.is(".file") || token.is(".loc")) {
    lexer.skipLine();
    return advance();
  }
  if (accept(".section")) {
    while (!token.is('{') && token.kind != Token::Kind::End)
      advance();
    return skipBraces();
  }
  if (token.is(".pragma"))
    return skipToSemicolon();
  if (accept(".alias"))
    return parseAlias();
  if (accept(".entry"))
    return parseFunction(true);
  if (accept(".func"))
    return parseFunction(false);
  constexpr std::pair<std::string_view, Space> spaces[] = {
      {".global", Space::Global},
      {".const", Space::Const},
      {".shared", Space::Shared}};
  for (auto [word, space] : spaces) {
    if (!accept(word))
      continue;
    for (Variable &variable : parseVariables(space, isExtern)) {
      symbols.emplace(variable.name, false);
      elementBytes.emplace(variable.name, variable.elementBytes());
      module.variables.push_back(std::move(variable));
    }
    return;
  }
  failExpected("a directive of a PTX file");
}

std::array<uint32_t, 3> ModuleParser::parseTriple() {
  std::array<uint32_t, 3> triple = {1, 1, 1};
  for (unsigned i = 0; i < 3; ++i) {
    triple[i] = uint32_t(expectInteger("an extent", UINT32_MAX));
    if (i == 2 || !accept(','))
      break;
  }
  return triple;
}

void ModuleParser::parseDirectives(Function &function) {
  EntryDirectives &directives = function.directives;
  while (token.kind == Token::Kind::Directive) {
    std::string_view word = token.text;
    Location where = token.where;
    advance();
    auto number = [&](uint32_t &into) {
      into = uint32_t(expectInteger("a number", UINT32_MAX));
    };
    if (word == ".reqntid")
      directives.reqntid = parseTriple();
    else if (word == ".maxntid")
      directives.maxntid = parseTriple();
    else if (word == ".reqnctapercluster")
      directives.reqnctapercluster = parseTriple();
    else if (word == ".explicitcluster")
      directives.explicitCluster = true;
    else if (word == ".maxclusterrank")
      number(directives.maxclusterrank);
    else if (word == ".minnctapersm")
      number(directives.minnctapersm);
    else if (word == ".maxnctapersm")
      number(directives.maxnctapersm);
    else if (word == ".maxnreg")
      number(directives.maxnreg);
    else if (word == ".pragma")
      skipToSemicolon();
    else if (word == ".noreturn" || word == ".blocksareclusters")
      continue;
    else if (word == ".abi_preserve" || word == ".abi_preserve_control" ||
             word == ".local_maxnreg") {
      uint32_t registersOfTheAbi = 0; // calls here keep all registers
      number(registersOfTheAbi);
    } else
      fail(where, "unknown directive '" + std::string(word) + "'");
  }
}

void ModuleParser::parseFunction(bool isEntry) {
  Function function;
  function.isEntry = isEntry;
  if (accept(".attribute"))
    skipParentheses();
  if (!isEntry && token.is('('))
    function.results = parseParams();
  function.where = token.where;
  function.name = expectWord("a function name");
  if (token.is('('))
    function.params = parseParams();
  for (const Param &param : function.params)
    if (isEntry && param.inRegister)
      fail(token.where, "expected a '.param' of the kernel, got '.reg' '" +
                            param.name + "'");
  parseDirectives(function);
  bool &isDefined = symbols[function.name];
  if (isDefined && token.is('{'))
    fail(function.where, "function '" + function.name + "' is defined twice");
  isDefined |= token.is('{');
  // A call inside the body must find the function itself.
  module.functions.push_back(std::move(function));
  if (accept(';'))
    return;
  Function &placed = module.functions.back();
  placed.hasBody = true;
  Function body = placed;
  FunctionParser(*this, body).parseBody();
  module.functions.back() = std::move(body);
}

} // namespace heddle::ptx
