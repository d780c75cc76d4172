// Parser.h - recursive-descent parser of PTX; private to the library.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A syntax error ends the parse: PTX is machine-written, so a second message
// would nearly always be a consequence of the first.

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_PARSER_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_PARSER_H

#include "codegen/nvidia/ptx/Lexer.h"

#include <deque>
#include <map>
#include <unordered_map>

namespace heddle::ptx {

/// Text and mnemonics that the views and pointers of a module point into.
struct Module::Storage {
  std::string text;
  std::deque<Mnemonic> mnemonics;
  std::deque<std::string> names;
};

/// The type a directive such as `.b32` names.
std::optional<Type> typeOf(std::string_view word);

/// Token access and declarations shared by module and function parser.
class ParserBase {
protected:
  struct Failure {}; ///< thrown inside the parser only, after `fail`

  ParserBase(Lexer &lexer, Token &token, std::vector<Diagnostic> &diagnostics)
      : lexer(lexer), token(token), diagnostics(diagnostics) {}

  [[noreturn]] void fail(Location where, std::string text);
  [[noreturn]] void failExpected(std::string_view what);
  void advance() { token = lexer.next(); }
  void expect(char symbol);
  bool accept(char symbol);
  bool accept(std::string_view word);
  uint64_t expectInteger(std::string_view what, uint64_t most);
  std::string_view expectWord(std::string_view what);
  /// A value of `.s64` or `.u64`, the two types constants are computed in.
  struct Constant {
    uint64_t value = 0;
    bool isUnsigned = false;
  };
  Constant parseConstant();
  /// The operand of a unary operator: a literal or a parenthesis.
  Constant parseConstantPrimary(unsigned depth);
  /// Goes on behind `left` with operators of at least the level `least`.
  Constant parseConstantFrom(Constant left, int least, unsigned depth);
  /// `+ term - term ...` behind the name of a register or variable.
  uint64_t parseOffsets();
  void skipParentheses();
  void skipToSemicolon();
  void skipBraces();
  std::string describe() const;

  /// `.align 16 .v2 .f32` in any order; stops before the name.
  struct DeclaredType {
    Type type = Type::B8;
    bool hasType = false;
    uint32_t vectorWidth = 1;
    uint32_t align = 0;
    bool isPointer = false;
    Space pointee = Space::Generic;
    uint32_t pointeeAlign = 0;
  };
  DeclaredType parseDeclaredType();
  /// `[N][M]` after a name; -1 for `[]`, 1 for none.
  int64_t parseArray(bool &isArray);
  Param parseParam();
  std::vector<Param> parseParams();
  /// `type a, b[2], c = 4;`, of one space.
  std::vector<Variable> parseVariables(Space space, bool isExtern);

  Lexer &lexer;
  Token &token;
  std::vector<Diagnostic> &diagnostics;

private:
  struct Operator;
  Operator operatorHere() const;
  Constant combine(Operator op, Constant a, Constant b, Location where);
  Variable parseDeclarator(const DeclaredType &declared, Space space,
                           bool isExtern, Location where);
  void parseInitialiser(Variable &variable);
  void parseInitialElement(Variable &variable, uint64_t &offset);
  uint64_t parseInitialNumber(const Variable &variable);
  void parseRelocation(Variable &variable, uint64_t offset, uint64_t mask);
};

/// Bytes of one element of a variable, by the name that operands have.
using ElementSizes = std::unordered_map<std::string, uint64_t>;

class ModuleParser : ParserBase {
public:
  ModuleParser(std::string_view text, std::string_view name);
  ParseResult parse();

private:
  void parseItem();
  void parseVersion();
  void parseTarget();
  void parseFunction(bool isEntry);
  void checkRelocations();
  void parseAlias();
  void checkAliases();
  void parseDirectives(Function &function);
  std::array<uint32_t, 3> parseTriple();

  std::vector<Diagnostic> found;
  Token current;
  std::shared_ptr<Module::Storage> storage;
  Lexer text;
  Module module;
  std::unordered_map<std::string, const Mnemonic *> mnemonics;
  /// File-scope variables and functions declared so far; true: has a body.
  std::unordered_map<std::string, bool> symbols;
  ElementSizes elementBytes;
  friend class FunctionParser;
};

class FunctionParser : ParserBase {
public:
  FunctionParser(ModuleParser &parent, Function &function);
  /// From the opening to the closing brace of the body.
  void parseBody();
  /// Makes a parameter in `.reg` space known as a register.
  RegisterId declareParameterRegister(const Param &param);

private:
  struct RegisterRange {
    Type type;
    uint32_t count;     ///< of `%r<N>`; 0 for a single register
    uint32_t width = 1; ///< of a vector register
  };
  struct Scope {
    int parent = -1;
    /// `.reg .b32 %r` and `.reg .b32 %r<4>` may both be declared.
    std::unordered_map<std::string_view, RegisterRange> registers, ranges;
    std::unordered_map<std::string, RegisterId> used;
    std::unordered_map<std::string_view, std::string_view> variables;
    std::unordered_map<std::string_view, uint32_t> labels;
  };

  void parseStatement();
  void parseRegisters();
  void parseLocalVariable(Space space);
  void parseLabel(std::string_view name, Location where);
  void parseBranchTargets(std::string_view name);
  void parsePrototype(std::string_view name);
  void parseInstruction();
  const Mnemonic *mnemonicOf(std::string_view text);
  Operand parseOperand(const Instruction &instruction, unsigned depth);
  Operand parseName(const Instruction &instruction);
  Operand parseNumber(bool negative);
  Operand parseAddress(const Instruction &instruction, unsigned depth);
  void parseSequence(const Instruction &instruction, Operand &into, char close,
                     unsigned depth);
  std::optional<Operand> findRegister(std::string_view name);
  std::optional<Operand> findSpecial(std::string_view name) const;
  Operand useRegister(int scope, std::string_view name,
                      const RegisterRange &range);
  std::optional<Operand> findElement(std::string_view name);
  void parseArrayIndex(Operand &symbol);
  std::optional<Operand> findSymbol(std::string_view name) const;
  std::string_view uniqueName(std::string_view name);
  void resolveLabels();
  uint32_t labelTarget(int scope, std::string_view name, Location where);

  ModuleParser &parent;
  Function &function;
  std::deque<Scope> scopes;
  int scope = 0;
  unsigned depth = 0;
  std::vector<int> scopeOfInstruction;
  std::unordered_map<std::string_view, unsigned> nameCounts;
  ElementSizes elementBytes;
  struct PendingTargets {
    std::string_view name;
    std::vector<std::pair<std::string_view, Location>> labels;
    int scope;
  };
  std::vector<PendingTargets> pendingTargets;
  std::unordered_map<std::string_view, size_t> prototypes;
};

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_PARSER_H
