// Module.h - the typed form of one PTX source file, and the parser that makes
// it. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Grammar and names follow the PTX ISA manual, chapters 4 (syntax), 5 (state
// spaces, types, variables), 7 (abstracting the ABI), 9 (instructions) and 11
// (directives). The parser takes every instruction whose syntax is PTX; what it
// means, and whether the interpreter covers it, is decided later.

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_MODULE_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_MODULE_H

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace heddle::ptx {

/// A place in the source, both numbers counted from 1; line 0 means the file as
/// a whole.
struct Location {
  uint32_t line = 0;
  uint32_t column = 0;
};

/// What is wrong with an input, and where. The text is lower-case, without a
/// full stop, and says what was expected and what was got.
struct Diagnostic {
  Location where;
  std::string text;

  /// `file:line:column: error: text`, the form editors jump to.
  std::string format(std::string_view file) const;
};

/// Scalar and packed types of PTX (5.2), as written after a dot.
enum class Type : uint8_t {
#define HEDDLE_PTX_TYPE(name, text, bits) name,
#include "codegen/nvidia/ptx/Types.def"
};

/// Size of a value of the type in bits; 1 for a predicate.
unsigned bitWidth(Type type);
/// The spelling of the type without its dot.
std::string_view spelling(Type type);

/// The state space a variable or an access names (5.1). `Generic` stands for an
/// access that names none.
enum class Space : uint8_t {
  Generic,
  Register,
  Const,
  Global,
  Local,
  Param,
  Shared,
};

/// The first word of an instruction; `Unknown` for a word that is not in
/// Opcodes.def (the spelling is kept).
enum class Opcode : uint8_t {
#define HEDDLE_PTX_OPCODE(name, text) name,
#include "codegen/nvidia/ptx/Opcodes.def"
  Unknown,
};

/// The spelling of the opcode; "?" for `Unknown`.
std::string_view spelling(Opcode opcode);

/// A register of a function: index into `Function::registers`.
using RegisterId = uint32_t;

/// One operand. Vectors `{a, b}` and pairs `a|b` hold their elements in
/// `elements`; an address `[base + offset]` holds its base in `elements[0]`
/// and, for a tensor access `[map, {c0, c1}]`, the rest of the bracket after
/// it.
struct Operand {
  enum class Kind : uint8_t {
    Register,
    Immediate,      ///< integer, or the bits of a 0f / 0d literal
    FloatImmediate, ///< decimal literal: `value` holds the bits of an f64
    Special,        ///< `%tid.x` and its kin; `name` keeps the spelling
    Symbol,         ///< variable, parameter or function
    Label,
    Sink, ///< `_`
    Vector,
    Pair,    ///< `a|b`
    Address, ///< `[...]`
    List,    ///< `( ... )` of a call
  };
  Kind kind = Kind::Immediate;
  bool negated = false;    ///< `!p`
  RegisterId reg = 0;      ///< for Register
  uint8_t literalBits = 0; ///< 32 for 0f, 64 for 0d literals, 0 otherwise
  /// Immediate bits; the offset of an Address; of a Label the instruction
  /// index, for `brx` the index in `Function::branchTargets`, for `call` that
  /// in `Function::callPrototypes`; of a Symbol the bytes added to its address.
  uint64_t value = 0;
  /// Special, Symbol, Label; for a Register its lane selector (`b0`), if any.
  std::string_view name;
  std::vector<Operand> elements;
};

/// `opcode.modifier.modifier`, taken apart once per spelling.
struct Mnemonic {
  Opcode opcode = Opcode::Unknown;
  std::string text; ///< as written, `ld.global.v4.b32`
  /// The words after the opcode in order, types included.
  std::vector<std::string> modifiers;
  std::vector<Type> types;      ///< the types among the modifiers, in order
  Space space = Space::Generic; ///< the state space among the modifiers
  unsigned vectorWidth = 1;     ///< 2, 4 or 8 from `.v2`, `.v4`, `.v8`

  bool has(std::string_view modifier) const;
};

/// One instruction: `@{!}guard mnemonic operands;`.
struct Instruction {
  const Mnemonic *mnemonic = nullptr; ///< lives as long as the module
  Location where;
  std::optional<RegisterId> guard;
  bool guardNegated = false;
  std::vector<Operand> operands;

  Opcode opcode() const { return mnemonic->opcode; }
  bool has(std::string_view modifier) const { return mnemonic->has(modifier); }
};

/// A declared register.
struct Register {
  std::string name;
  Type type = Type::B32;
};

/// A declared variable outside the register space.
struct Variable {
  std::string name;
  Space space = Space::Global;
  Type type = Type::B8;
  uint32_t vectorWidth = 1;
  uint64_t bytes = 0; ///< 0 for an `extern` array without a size
  uint32_t align = 1;
  bool isExtern = false;
  std::vector<uint8_t> initial; ///< empty, or exactly `bytes` long
  /// Addresses of other variables inside the initialiser.
  struct Relocation {
    uint64_t offset = 0;
    std::string symbol;
    bool generic = false;
    int64_t addend = 0;
    /// The bits of the address that are kept, moved down: `0xFF00(symbol)`.
    uint64_t mask = ~uint64_t(0);
    uint8_t bytes = 8;
  };
  std::vector<Relocation> relocations;
  Location where;

  /// Of one element of an array; a vector is an element.
  uint64_t elementBytes() const {
    return (bitWidth(type) + 7) / 8 * uint64_t(vectorWidth);
  }
};

/// A parameter of an entry or a function.
struct Param {
  std::string name;
  Type type = Type::B32;
  uint64_t bytes = 4;
  uint32_t align = 4;
  uint64_t offset = 0;    ///< from the start of the parameter block
  bool isArray = false;   ///< `.b8 name[128]`: a struct by value
  bool isPointer = false; ///< has `.ptr`
  Space pointee = Space::Generic;
  uint32_t pointeeAlign = 0; ///< 0 when not stated
  bool inRegister = false;   ///< `.reg` parameter of a function
  RegisterId reg = 0;
};

/// Performance-tuning directives of an entry (11.4); zero or empty if absent.
struct EntryDirectives {
  std::array<uint32_t, 3> reqntid = {0, 0, 0};
  std::array<uint32_t, 3> maxntid = {0, 0, 0};
  std::array<uint32_t, 3> reqnctapercluster = {0, 0, 0};
  bool explicitCluster = false;
  uint32_t maxclusterrank = 0;
  uint32_t minnctapersm = 0;
  uint32_t maxnctapersm = 0;
  uint32_t maxnreg = 0;
};

/// An `.entry` or a `.func`.
struct Function {
  std::string name;
  bool isEntry = false;
  bool hasBody = false;
  Location where;
  std::vector<Param> params;
  std::vector<Param> results;
  EntryDirectives directives;
  std::vector<Register> registers;
  /// Shared, local and param variables of the body. Where scopes repeat a name,
  /// later ones are renamed `name#2`, `name#3`, ..., here and in operands.
  std::vector<Variable> variables;
  std::vector<Instruction> code;
  /// Targets of `brx.idx`, by the name of the `.branchtargets` label.
  struct BranchTargets {
    std::string name;
    std::vector<uint32_t> targets; ///< instruction indices
  };
  std::vector<BranchTargets> branchTargets;
  /// What a call through a register may reach: a `.calltargets` list by name,
  /// or every function that is like a `.callprototype`.
  struct CallPrototype {
    std::string name;
    bool listsTargets = false;
    std::vector<std::string> targets;
    std::vector<Param> results, params;
  };
  std::vector<CallPrototype> callPrototypes;

  /// Bytes of the parameter block of an entry.
  uint64_t paramBytes() const;
};

/// One PTX file. Copies share the text that names and mnemonics point into.
struct Module {
  std::string name; ///< as given to `parse`, for diagnostics
  uint32_t versionMajor = 0, versionMinor = 0;
  std::vector<std::string> targets; ///< "sm_90a", "texmode_unified", ...
  uint32_t addressSize = 64;
  std::vector<Variable> variables; ///< global, const and shared, file scope
  std::vector<Function> functions;
  struct Alias {
    std::string name, function;
    Location where;
  };
  std::vector<Alias> aliases;
  struct Storage;
  std::shared_ptr<const Storage> storage;

  /// The entry or function with a body of that name, or null.
  const Function *find(std::string_view function) const;
  /// The only entry if `entry` is empty and there is just one.
  const Function *findEntry(std::string_view entry) const;
};

/// Either a module or at least one diagnostic.
struct ParseResult {
  std::optional<Module> module;
  std::vector<Diagnostic> diagnostics;
};

/// Parses PTX text of version 6.0 to 9.4. Never throws and never recurses
/// deeper than a fixed limit; input of any kind gives a module or a diagnostic.
ParseResult parse(std::string_view text, std::string_view name);

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_MODULE_H
