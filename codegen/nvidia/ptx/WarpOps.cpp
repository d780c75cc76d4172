// WarpOps.cpp - shfl, vote, match, redux, elect, activemask (PTX
// ISA 9.7.9, 9.7.13). SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Elementwise.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace heddle::ptx {

namespace {

enum ShuffleMode : uint8_t { Up, Down, Butterfly, Index };

/// The pseudo-code of shfl.sync: `c` packs the clamp and the segment mask.
void shfl(Warp &warp, const Op &op, Lanes lanes) {
  auto *d = warp.row<uint32_t>(op.d);
  const auto *a = warp.row<uint32_t>(op.a), *b = warp.row<uint32_t>(op.b),
             *c = warp.row<uint32_t>(op.c);
  uint32_t values[warpSize];
  std::copy(a, a + warpSize, values);
  const Program &program = warp.machine->program;
  bool fromRegister = op.useCount != 0 && program.uses[op.firstUse].exchanged;
  UndefinedLanes given = fromRegister ? warp.undefinedExchanged
                                      : UndefinedLanes{.low = 0, .high = 0};
  given.set(~lanes, true);
  UndefinedLanes received{.low = 0, .high = 0};
  Lanes inRange = 0;
  for (Lanes left = lanes; left != 0; left &= left - 1) {
    int lane = std::countr_zero(left);
    int by = int(b[lane] & 31), clamp = int(c[lane] & 31);
    int segment = int(c[lane] >> 8 & 31);
    int most = (lane & segment) | (clamp & ~segment);
    int least = lane & segment;
    int from = 0;
    bool valid = false;
    switch (op.mode) {
    case Up:
      from = lane - by;
      valid = from >= most;
      break;
    case Down:
      from = lane + by;
      valid = from <= most;
      break;
    case Butterfly:
      from = lane ^ by;
      valid = from <= most;
      break;
    default:
      from = least | (by & ~segment);
      valid = from <= most;
      break;
    }
    if (!valid)
      from = lane;
    // The value of a lane that takes no part is undefined.
    d[lane] = lanes >> from & 1 ? values[from] : 0x7FA1F00D;
    inRange |= Lanes(valid) << lane;
    received.low |= (given.low >> from & 1) << lane;
    received.high |= (given.high >> from & 1) << lane;
  }
  if (warp.machine->checks && op.defCount != 0) {
    UndefinedLanes &result = warp.undefined[program.uses[op.firstDef].reg];
    result.set(lanes, false);
    result.low |= received.low;
    result.high |= received.high;
  }
  if (op.target == noRow)
    return;
  Lanes &p = warp.predicate(op.target);
  p = (p & ~lanes) | inRange;
}

/// Takes `.sync`. Up to PTX 6.3, and for targets below sm_70, there are forms
/// without it and without a member mask: of the lanes that are active (9.7.9.5,
/// 9.7.13.1).
bool takeSync(Builder &b) {
  if (b.take("sync"))
    return true;
  const Module &module = *b.writer.program.module;
  bool isOld =
      std::pair(module.versionMajor, module.versionMinor) < std::pair(6u, 4u);
  for (const std::string &target : module.targets)
    isOld |= target.starts_with("sm_") && std::atoi(target.c_str() + 3) < 70;
  if (!isOld)
    b.refuse("expected modifier '.sync' from PTX 6.4 on for sm_70 and later");
  return false;
}

/// The member mask in operand `index`, of a form with `.sync`.
void takeMembers(Builder &b, size_t index) {
  b.op.members = b.source(index, Type::B32, true);
  b.op.convergence = Convergence::MemberMask;
}

void buildShfl(Builder &b) {
  bool synchronises = takeSync(b);
  int mode = b.takeOneOf({"up", "down", "bfly", "idx"});
  if (mode < 0)
    b.refuse("expected '.up', '.down', '.bfly' or '.idx'");
  b.require("b32");
  b.requireOperands(4 + synchronises, 4 + synchronises);
  b.op.mode = uint8_t(mode);
  b.op.a = b.exchangedSource(1, Type::B32);
  b.op.b = b.source(2, Type::B32, true);
  b.op.c = b.source(3, Type::B32, true);
  if (synchronises)
    takeMembers(b, 4);
  b.op.target = noRow;
  const Operand &result = b.operand(0);
  bool isPair = result.kind == Operand::Kind::Pair;
  b.op.d = b.destination(isPair ? result.elements[0] : result, Type::B32);
  if (isPair)
    b.op.target = b.predicateDestination(result.elements[1]);
  b.op.run = shfl;
}

/// Calls `apply(subset)` for each set of lanes with the same member mask; where
/// the op has none, for the lanes that execute it.
template <class Apply>
void forMemberSets(Warp &warp, const Op &op, Lanes lanes, Apply apply) {
  if (op.members == noRow)
    return apply(lanes);
  const uint32_t *members = warp.row<uint32_t>(op.members);
  while (lanes != 0) {
    uint32_t mask = members[std::countr_zero(lanes)];
    Lanes same = 0;
    for (Lanes left = lanes; left != 0; left &= left - 1)
      if (members[std::countr_zero(left)] == mask)
        same |= left & -left;
    apply(same);
    lanes &= ~same;
  }
}

enum VoteMode : uint8_t { All, Any, Uniform, Ballot };

void vote(Warp &warp, const Op &op, Lanes lanes) {
  Lanes value = warp.predicate(op.a) ^ (op.mode2 ? allLanes : 0);
  forMemberSets(warp, op, lanes, [&](Lanes set) {
    Lanes yes = value & set;
    if (op.mode == Ballot) {
      auto *d = warp.row<uint32_t>(op.d);
      forLanes(set, [&](unsigned i) { d[i] = yes; });
      return;
    }
    bool result = op.mode == All   ? yes == set
                  : op.mode == Any ? yes != 0
                                   : yes == set || yes == 0;
    Lanes &d = warp.predicate(op.d);
    d = (d & ~set) | (result ? set : 0);
  });
}

void buildVote(Builder &b) {
  bool synchronises = takeSync(b);
  int mode = b.takeOneOf({"all", "any", "uni", "ballot"});
  if (mode < 0)
    b.refuse("expected '.all', '.any', '.uni' or '.ballot'");
  b.require(mode == Ballot ? "b32" : "pred");
  b.requireOperands(2 + synchronises, 2 + synchronises);
  b.op.mode = uint8_t(mode);
  b.op.a = b.predicateSource(b.operand(1));
  b.op.mode2 = b.operand(1).negated;
  if (synchronises)
    takeMembers(b, 2);
  b.op.d = mode == Ballot ? b.destination(0, Type::B32)
                          : b.predicateDestination(b.operand(0));
  b.op.run = vote;
}

template <class W>
void match(Warp &warp, const Op &op, Lanes lanes) {
  const W *a = warp.row<W>(op.a);
  auto *d = warp.row<uint32_t>(op.d);
  forMemberSets(warp, op, lanes, [&](Lanes set) {
    Lanes equalAll = set;
    uint32_t results[warpSize];
    forLanes(set, [&](unsigned i) {
      Lanes equal = 0;
      forLanes(set, [&](unsigned j) { equal |= Lanes(a[i] == a[j]) << j; });
      results[i] = equal;
      equalAll &= equal;
    });
    bool all = equalAll == set;
    forLanes(set, [&](unsigned i) {
      d[i] = op.mode ? (all ? set : 0) : results[i];
    });
    if (op.target != noRow) {
      Lanes &p = warp.predicate(op.target);
      p = (p & ~set) | (all ? set : 0);
    }
  });
}

void buildMatch(Builder &b) {
  int mode = b.takeOneOf({"any", "all"});
  b.require("sync");
  Type type = b.takeType();
  if (mode < 0 || (type != Type::B32 && type != Type::B64))
    b.refuse("expected '.any' or '.all' and type '.b32' or '.b64'");
  b.requireOperands(3, 3);
  b.op.mode = uint8_t(mode);
  b.op.a = b.source(1, type);
  takeMembers(b, 2);
  b.op.target = noRow;
  const Operand &result = b.operand(0);
  bool isPair = result.kind == Operand::Kind::Pair;
  if (isPair && mode == 0)
    b.refuse("a predicate result goes with '.all' only");
  b.op.d = b.destination(isPair ? result.elements[0] : result, Type::B32);
  if (isPair)
    b.op.target = b.predicateDestination(result.elements[1]);
  b.op.run = type == Type::B64 ? match<uint64_t> : match<uint32_t>;
}

enum ReduceMode : uint8_t { Add, Min, Max, And, Or, Xor };

template <class T>
T reduce(uint8_t mode, T a, T b) {
  switch (mode) {
  case Add:
    return T(uint32_t(a) + uint32_t(b));
  case Min:
    return std::min(a, b);
  case Max:
    return std::max(a, b);
  case And:
    return a & b;
  case Or:
    return a | b;
  default:
    return a ^ b;
  }
}

template <class T>
void redux(Warp &warp, const Op &op, Lanes lanes) {
  const auto *a = warp.row<uint32_t>(op.a);
  auto *d = warp.row<uint32_t>(op.d);
  forMemberSets(warp, op, lanes, [&](Lanes set) {
    T result = T(a[std::countr_zero(set)]);
    for (Lanes left = set & (set - 1); left != 0; left &= left - 1)
      result = reduce<T>(op.mode, result, T(a[std::countr_zero(left)]));
    forLanes(set, [&](unsigned i) { d[i] = uint32_t(result); });
  });
}

enum FloatReduceFlag : uint8_t { AbsoluteValue = 1, PropagateNan = 2 };

/// redux.sync.{min,max}{.abs}{.NaN}.f32, where -0 is below +0. Patterns of sign
/// and magnitude are compared as integers.
void reduxFloat(Warp &warp, const Op &op, Lanes lanes) {
  constexpr uint32_t sign = 0x80000000, infinity = 0x7F800000;
  const auto *a = warp.row<uint32_t>(op.a);
  auto *d = warp.row<uint32_t>(op.d);
  forMemberSets(warp, op, lanes, [&](Lanes set) {
    int32_t result = 0;
    bool first = true, anyNan = false;
    for (Lanes left = set; left != 0; left &= left - 1) {
      uint32_t bits = a[std::countr_zero(left)];
      if ((bits & ~sign) > infinity) {
        anyNan = true;
        continue;
      }
      if (op.mode2 & AbsoluteValue)
        bits &= ~sign;
      int32_t rank = int32_t(bits & sign ? bits ^ ~sign : bits);
      if (first || (op.mode == Min ? rank < result : rank > result))
        result = rank;
      first = false;
    }
    bool isNan = first || (anyNan && (op.mode2 & PropagateNan));
    uint32_t bits =
        uint32_t(result) & sign ? uint32_t(result) ^ ~sign : uint32_t(result);
    forLanes(set, [&](unsigned i) { d[i] = isNan ? 0x7FFFFFFF : bits; });
  });
}

void buildRedux(Builder &b) {
  b.require("sync");
  int mode = b.takeOneOf({"add", "min", "max", "and", "or", "xor"});
  if (mode < 0)
    b.refuse("expected an operation");
  b.op.mode2 = uint8_t((b.take("abs") ? AbsoluteValue : 0) |
                       (b.take("NaN") ? PropagateNan : 0));
  Type type = b.takeType();
  bool isLogic = mode >= And;
  bool isExtremum = mode == Min || mode == Max;
  bool fits = isLogic ? type == Type::B32
                      : type == Type::U32 || type == Type::S32 ||
                            (isExtremum && type == Type::F32);
  if (!fits || (b.op.mode2 != 0 && type != Type::F32))
    b.refuse("type '." + std::string(spelling(type)) + "' is not covered");
  b.requireOperands(3, 3);
  b.op.mode = uint8_t(mode);
  b.op.a = b.source(1, type);
  takeMembers(b, 2);
  b.op.d = b.destination(0, type);
  b.op.run = type == Type::F32   ? reduxFloat
             : type == Type::S32 ? redux<int32_t>
                                 : redux<uint32_t>;
}

void elect(Warp &warp, const Op &op, Lanes lanes) {
  auto *d = warp.row<uint32_t>(op.d);
  forMemberSets(warp, op, lanes, [&](Lanes set) {
    unsigned leader = unsigned(std::countr_zero(set));
    forLanes(set, [&](unsigned i) { d[i] = leader; });
    Lanes &p = warp.predicate(op.target);
    p = (p & ~set) | Lanes(1) << leader;
  });
}

void buildElect(Builder &b) {
  b.require("sync");
  b.requireOperands(2, 2);
  if (!b.isKind(0, Operand::Kind::Pair))
    b.refuse("expected 'd|p' as result");
  takeMembers(b, 1);
  b.op.d = b.destination(b.operand(0).elements[0], Type::B32);
  b.op.target = b.predicateDestination(b.operand(0).elements[1]);
  b.op.run = elect;
}

void activemask(Warp &warp, const Op &op, Lanes lanes) {
  auto *d = warp.row<uint32_t>(op.d);
  forLanes(lanes, [&](unsigned i) { d[i] = lanes; });
}

} // namespace

void buildWarp(Builder &b) {
  switch (b.in.opcode()) {
  case Opcode::Shfl:
    return buildShfl(b);
  case Opcode::Vote:
    return buildVote(b);
  case Opcode::Match:
    return buildMatch(b);
  case Opcode::Redux:
    return buildRedux(b);
  case Opcode::Elect:
    return buildElect(b);
  default:
    b.require("b32");
    b.requireOperands(1, 1);
    b.op.d = b.destination(0, Type::B32);
    b.op.run = activemask;
  }
}

} // namespace heddle::ptx
