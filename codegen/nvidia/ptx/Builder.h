// Builder.h - turns one instruction into an op; private to the library.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A decoder takes the modifiers it knows. What is left over at the end is not
// covered, and is refused by name: so a modifier can never be ignored by
// oversight.

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_BUILDER_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_BUILDER_H

#include "codegen/nvidia/ptx/Program.h"

#include <initializer_list>
#include <unordered_map>

namespace heddle::ptx {

/// Thrown by a builder and caught by `decode`.
struct Refusal {
  Diagnostic diagnostic;
};

/// Registers and variables of one function, or of one inlined call of it.
struct Frame {
  const Function *function = nullptr;
  std::vector<uint32_t>
      registers; ///< function's register -> program's register
  /// A generic address, or a row that holds one for each lane.
  struct Place {
    uint64_t address = 0;
    Row row = noRow;
    Space space = Space::Generic; ///< of a variable of the function
  };
  std::unordered_map<std::string_view, Place> locals;
};

/// What builders add rows and constants to.
class ProgramWriter {
public:
  explicit ProgramWriter(Program &program) : program(program) {}

  /// A constant row of 32-bit or 64-bit words, or a predicate.
  Row constant(uint64_t value, unsigned bits);
  Row predicateConstant(bool value);
  Row special(std::string_view name, bool wide);
  uint32_t addRegister(std::string name, Type type);
  /// An op that sets a register, of 32 or 64 bits, to an address in row `base`
  /// plus `offset`.
  Op sumOf(Row base, uint64_t offset, uint32_t reg);

  Program &program;
  /// Addresses of file-scope variables; shared ones by their offset.
  std::unordered_map<std::string_view, uint64_t> symbols;
  /// Addresses of global and const variables, those of functions as well.
  std::unordered_map<const Variable *, uint64_t> variableAddresses;

private:
  /// Room for a row in the registers of a warp, aligned for its lanes.
  Row addRow(uint32_t bytes);

  std::map<std::pair<uint64_t, unsigned>, Row> constantRows;
  std::map<std::pair<std::string, bool>, Row> specialRows;
};

class Builder {
public:
  Builder(ProgramWriter &writer, const Frame &frame, const Instruction &in);

  const Instruction &in;
  Op op;
  std::vector<Op> before; ///< ops that compute operands of `op`

  /// Modifiers, in the order written.
  bool take(std::string_view modifier);
  /// The index of the one of `modifiers` that is present, or -1.
  int takeOneOf(std::initializer_list<std::string_view> modifiers);
  void require(std::string_view modifier);
  /// The next type not yet taken.
  Type takeType();
  std::optional<Type> takeTypeIfAny();
  /// Cache hints and other words that change no result: `.ca`, `.L1::...`.
  void takeCacheHints();
  Space takeSpace();
  /// The first modifier not yet taken, if it begins with `prefix`.
  std::optional<std::string_view> takePrefixed(std::string_view prefix);

  /// Operands, counted from 0.
  size_t operandCount() const { return in.operands.size(); }
  void requireOperands(size_t least, size_t most);
  const Operand &operand(size_t index) const;
  bool isKind(size_t index, Operand::Kind kind) const;

  /// A source row whose words are as wide as `type` needs (32 or 64 bits).
  Row source(const Operand &operand, Type type, bool strict = false);
  Row source(size_t index, Type type, bool strict = false);
  /// A source that lanes pass to one another: the op itself says whose value is
  /// undefined then. It must be the first source.
  Row exchangedSource(size_t index, Type type);
  /// A source whose register may be wider than the type (ld, st, cvt).
  Row wideSource(const Operand &operand, Type type, bool &wide);
  Row destination(const Operand &operand, Type type);
  Row destination(size_t index, Type type);
  Row wideDestination(const Operand &operand, Type type, bool &wide);
  /// Parts of a vector that are a half of the other operand, or within one.
  Row partSource(const Operand &operand, Type type, Half half);
  Row partDestination(const Operand &operand, Type type, Half half);
  Row predicateSource(const Operand &operand, bool strict = false);
  Row predicateDestination(const Operand &operand);
  /// A pair of predicates `p|q`, or one: the second is then `noRow`.
  void predicateDestinations(size_t index, Row &first, Row &second);
  /// Base register of an address as a row of 64-bit words plus an offset. With
  /// 32-bit registers (`.shared`) the row is of 32-bit words.
  Row address(const Operand &operand, uint64_t &offset, bool &wide);
  uint64_t immediate(size_t index);
  uint64_t immediate(const Operand &operand);
  /// A row for a sink: written, never read.
  Row scratch(Type type);
  /// A register that `op` reads, or sets, which is none of its operands.
  void reads(uint32_t reg) { uses.push_back({reg, false}); }
  void sets(uint32_t reg) { defs.push_back({reg, false}); }
  uint32_t addDetail();
  OpDetail &detail();
  /// Stores rows of a vector operand, padded to nothing, into the program.
  uint32_t addRows(const std::vector<Row> &rows);

  Type registerType(const Operand &operand) const;
  std::optional<uint32_t> registerIndex(const Operand &operand) const;
  std::optional<Frame::Place> symbolPlace(std::string_view name) const;

  [[noreturn]] void refuse(std::string text) const;
  /// Refuses modifiers that are left, and hands over uses and definitions.
  void finish();

  ProgramWriter &writer;
  const Frame &frame;

private:
  Row registerRow(const Operand &operand, bool isDestination, bool strict);
  Row symbolRow(const Operand &operand, Type type);
  uint64_t immediateBits(const Operand &operand, Type type) const;
  [[noreturn]] void refuseType(const Operand &operand, Type type) const;

  std::vector<bool> taken;
  std::vector<Use> uses, defs;
};

/// Whether ld, st, mov, selp and slct take the type: bits, integers, f32, f64.
bool isWord(Type type);

/// The families: each fills `builder.op`.
void buildInteger(Builder &builder);
void buildBits(Builder &builder);
void buildVideo(Builder &builder);
void buildFloat(Builder &builder);
void buildHalf(Builder &builder);
void buildCompare(Builder &builder);
void buildConvert(Builder &builder);
void buildMove(Builder &builder);
void buildMemory(Builder &builder);
void buildAtomic(Builder &builder);
void buildHint(Builder &builder);
void buildRegisterPool(Builder &builder);
void buildStack(Builder &builder);
void buildWarp(Builder &builder);
void buildBarrier(Builder &builder);
void buildMbarrier(Builder &builder);
void buildFence(Builder &builder);
void buildAsyncCopy(Builder &builder);
void buildBulkCopy(Builder &builder);
void buildAsyncStore(Builder &builder);
void buildPackedFloat(Builder &builder);
/// cvt whose result is packed; both types are taken.
void buildPackedConvert(Builder &builder, Type to, Type from);
void buildStochastic(Builder &builder);
void buildTensorMap(Builder &builder);
void buildTensorMapFence(Builder &builder);
void buildMatrix(Builder &builder);
void buildMma(Builder &builder);
void buildWmma(Builder &builder);
void buildWgmma(Builder &builder);

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_BUILDER_H
