// AccessModifiers.cpp - semantics, state space and cache words of accesses (PTX
// ISA 9.7.9 and 9.7.13). SPDX-License-Identifier: Apache-2.0 WITH
// LLVM-exception

#include "codegen/nvidia/ptx/Access.h"

#include <algorithm>

namespace heddle::ptx {

/// Words that may stand before the state space, as bits of `Semantics`.
static unsigned allowedSemantics(Opcode opcode) {
  switch (opcode) {
  case Opcode::Ld:
    return 1 << Weak | 1 << Volatile | 1 << Relaxed | 1 << Acquire;
  case Opcode::St:
    return 1 << Weak | 1 << Volatile | 1 << Relaxed | 1 << Release;
  case Opcode::Atom:
    return 1 << Relaxed | 1 << Acquire | 1 << Release | 1 << AcquireRelease;
  case Opcode::Red:
    return 1 << Relaxed | 1 << Release;
  default: // ldu is weak, and no word says so
    return 0;
  }
}

std::optional<Scope> takeScope(Builder &b) {
  int scope = b.takeOneOf({"cta", "cluster", "gpu", "sys"});
  if (scope < 0)
    return std::nullopt;
  return std::min(Scope(scope), Scope::Device);
}

AccessModifiers takeAccessModifiers(Builder &b) {
  Opcode opcode = b.in.opcode();
  bool updates = opcode == Opcode::Atom || opcode == Opcode::Red;
  AccessModifiers modifiers = {updates ? Relaxed : Weak};
  bool isMmio = !updates && b.take("mmio");
  int index = b.takeOneOf(
      {"weak", "volatile", "relaxed", "acquire", "release", "acq_rel"});
  if (index >= 0) {
    modifiers.semantics = Semantics(index);
    if (!(allowedSemantics(opcode) >> index & 1))
      b.refuse("these semantics do not go with the instruction");
  }
  bool isSystem = b.in.has("sys");
  std::optional<Scope> scope;
  if (updates || index >= int(Relaxed))
    scope = takeScope(b);
  modifiers.scope = scope.value_or(Scope::Device);
  if (!updates && index >= int(Relaxed) && !scope)
    b.refuse("expected a scope");
  if (isMmio && (modifiers.semantics != Relaxed || !isSystem))
    b.refuse("expected '.relaxed.sys' with '.mmio'");
  if (opcode == Opcode::St && (b.in.has("const") || b.in.has("param::entry")))
    b.refuse("expected a state space that can be written");
  modifiers.space = b.takeSpace();
  bool isGlobal =
      modifiers.space == Space::Global || modifiers.space == Space::Generic;
  if (modifiers.semantics != Weak && !isGlobal &&
      modifiers.space != Space::Shared)
    b.refuse("expected global, shared or generic addresses");
  if (isMmio && (!isGlobal || b.in.mnemonic->vectorWidth > 1))
    b.refuse("'.mmio' goes with single values in global memory");
  return modifiers;
}

/// `.nc` reads through the cache of read-only data; a few operators go with it.
static void takeCacheOperator(Builder &b, const AccessModifiers &modifiers) {
  bool isLoad = b.in.opcode() == Opcode::Ld;
  bool isReadOnly = isLoad && b.take("nc");
  if (isReadOnly && (modifiers.space != Space::Global || b.in.has("weak") ||
                     modifiers.semantics != Weak))
    b.refuse("'.nc' goes with '.global' and without semantics");
  int cache = isLoad ? b.takeOneOf({"ca", "cg", "cs", "lu", "cv"})
                     : b.takeOneOf({"wb", "cg", "cs", "wt"});
  if (cache < 0)
    return;
  if (modifiers.semantics != Weak)
    b.refuse("a cache operator goes with weak accesses only");
  if (isReadOnly && cache > 2)
    b.refuse("expected '.ca', '.cg' or '.cs' with '.nc'");
  for (const std::string &word : b.in.mnemonic->modifiers)
    if (word.starts_with("L1::"))
      b.refuse("a cache operator and an eviction priority exclude each other");
}

void takeCacheModifiers(Builder &b, const AccessModifiers &modifiers,
                        unsigned bits) {
  bool isGlobal =
      modifiers.space == Space::Global || modifiers.space == Space::Generic;
  if (bits > (isGlobal && b.in.opcode() != Opcode::Ldu ? 256u : 128u))
    b.refuse("more bits than one access has");
  if (b.in.opcode() == Opcode::Ldu) {
    if (!isGlobal)
      b.refuse("expected global or generic addresses");
    return;
  }
  takeCacheOperator(b, modifiers);
  // The rest tells caches of global memory what to do.
  if (!isGlobal)
    return;
  if (modifiers.semantics != Volatile)
    b.takeOneOf({"L1::evict_normal", "L1::evict_unchanged", "L1::evict_first",
                 "L1::evict_last", "L1::no_allocate"});
  if (bits == 256)
    b.takeOneOf({"L2::evict_normal", "L2::evict_first", "L2::evict_last"});
  if (b.in.opcode() == Opcode::Ld)
    b.takeOneOf({"L2::64B", "L2::128B", "L2::256B"});
  b.take("L2::cache_hint");
}

} // namespace heddle::ptx
