// Access.h - a warp's access to memory, lane by lane; private.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_ACCESS_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_ACCESS_H

#include "codegen/nvidia/ptx/Builder.h"
#include "codegen/nvidia/ptx/Machine.h"

namespace heddle::ptx {

/// The `.sem` of an access (PTX ISA 8.4), in `Op::mode2`.
enum Semantics : uint8_t {
  Weak,
  Volatile,
  Relaxed,
  Acquire,
  Release,
  AcquireRelease,
};

/// What the words before the type say of ld, ldu, st, atom and red.
struct AccessModifiers {
  Semantics semantics;
  Scope scope = Scope::Device;
  Space space = Space::Generic;
};

/// Takes `.weak`, `.volatile`, `.relaxed` and so on, their scope and the state
/// space. Refuses what does not go together. Without a word ld and st are weak,
/// atom and red relaxed.
AccessModifiers takeAccessModifiers(Builder &builder);

/// Takes cache operators, eviction priorities, prefetch sizes and the policy of
/// an access to `bits` bits at once (PTX ISA 9.7.9.1 and 9.7.9.2). They change
/// no result; the size and what does not go together are refused.
void takeCacheModifiers(Builder &builder, const AccessModifiers &modifiers,
                        unsigned bits);

/// Takes `.cta`, `.cluster`, `.gpu` or `.sys`; none if there is none.
std::optional<Scope> takeScope(Builder &builder);

/// Flags of an access of that strength for the race table.
uint8_t accessFlags(Semantics semantics, Scope scope);

/// Where the lanes of a warp point, and what of it may be touched.
struct LaneTargets {
  uint64_t address[warpSize];
  Target target[warpSize];
  Lanes valid = 0; ///< lanes whose access is legal
};

/// Addresses from an op's row `a` plus `immediate`; `isWide` tells the width.
void laneAddresses(const Warp &warp, Row base, bool isWide, uint64_t offset,
                   Lanes lanes, LaneTargets &targets);

/// Checks every lane. `request.bytes` bytes from each address.
void resolveLanes(Warp &warp, const Op &op, Lanes lanes,
                  const AccessRequest &request, LaneTargets &targets);

/// Marks the accesses for the checks of undefined bytes and of races.
/// `repeats`: every lane writes the bytes that are there already.
void noteAccesses(Warp &warp, const Op &op, const LaneTargets &targets,
                  uint64_t bytes, bool isWrite, uint8_t flags,
                  Lanes undefined = 0, bool repeats = false);

/// Counts shared-memory passes: 32 banks of four bytes, a warp split so that a
/// pass moves at most 128 bytes.
void countBanks(Machine &machine, const LaneTargets &targets, unsigned bytes);

/// Lanes in which a value that the op passes on is undefined.
Lanes undefinedLanes(const Warp &warp, const Op &op);

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_ACCESS_H
