// Races.cpp - happens-before between warps and asynchronous agents.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Races.h"

#include <algorithm>
#include <tuple>

namespace heddle::ptx {

/// Distinct accesses kept before race checking stops: 24 bytes each.
static constexpr size_t maxAccesses = size_t(24) << 20;
static constexpr size_t maxReaderSets = size_t(8) << 20;

//===----------------------------------------------------------------------===//
// Clock
//===----------------------------------------------------------------------===//

static void raiseIn(std::vector<uint32_t> &clocks, uint32_t agent,
                    uint32_t value) {
  if (agent >= clocks.size())
    clocks.resize(agent + 1);
  clocks[agent] = std::max(clocks[agent], value);
}

void Clock::raise(uint32_t agent, uint32_t value) {
  raiseIn(seen, agent, value);
}

void Clock::raiseInits(uint32_t agent, uint32_t value) {
  raiseIn(inits, agent, value);
}

void Clock::raiseExecuted(uint32_t agent, uint32_t value) {
  raiseIn(executed, agent, value);
}

static void joinInto(std::vector<uint32_t> &into,
                     const std::vector<uint32_t> &from) {
  if (into.size() < from.size())
    into.resize(from.size());
  for (size_t i = 0; i < from.size(); ++i)
    into[i] = std::max(into[i], from[i]);
}

void Clock::join(const Clock &other) {
  joinInto(seen, other.seen);
  joinInto(fenced[0], other.fenced[0]);
  joinInto(fenced[1], other.fenced[1]);
  joinInto(inits, other.inits);
  joinInto(executed, other.executed);
  for (const auto &[cluster, clocks] : other.others)
    joinInto(others[cluster], clocks);
  for (const auto &[cluster, clocks] : other.mapReleased)
    joinInto(mapReleased[cluster], clocks);
}

void Clock::joinFrom(uint32_t cluster, const Clock &other, uint32_t own) {
  if (cluster == own)
    return join(other);
  joinInto(others[cluster], other.seen);
  for (const auto &[third, clocks] : other.others)
    joinInto(third == own ? seen : others[third], clocks);
  for (const auto &[third, clocks] : other.mapReleased)
    joinInto(mapReleased[third], clocks);
}

void Clock::clear() {
  seen.clear();
  fenced[0].clear();
  fenced[1].clear();
  inits.clear();
  executed.clear();
  others.clear();
  mapReleased.clear();
}

//===----------------------------------------------------------------------===//
// RaceTable
//===----------------------------------------------------------------------===//

uint32_t RaceTable::intern(const Access &access) {
  // An op of an agent repeats in a loop with the same clock until the agent
  // synchronises, so the last access of each such pair is enough to share.
  uint64_t key = (uint64_t(access.cluster) * 0x9E3779B97F4A7C15u) ^
                 (uint64_t(access.agent) << 32 | access.op);
  uint32_t &id = recent[key];
  if (id != 0) {
    const Access &known = accesses[id];
    if (known.clock == access.clock && known.agent == access.agent &&
        known.op == access.op && known.cluster == access.cluster &&
        known.flags == access.flags)
      return id;
  }
  if (accesses.size() >= maxAccesses || readerSets.size() >= maxReaderSets) {
    full = true;
    return 0;
  }
  accesses.push_back(access);
  return id = uint32_t(accesses.size() - 1);
}

bool RaceTable::isOrdered(const Access &before, uint32_t cluster,
                          const Clock &clock) {
  if (before.cluster == cluster)
    return clock.of(before.agent) >= before.clock;
  auto other = clock.others.find(before.cluster);
  return other != clock.others.end() && before.agent < other->second.size() &&
         other->second[before.agent] >= before.clock;
}

/// Strong accesses whose scopes include each other do not race (PTX ISA 8.7:
/// morally strong).
bool RaceTable::mayOverlap(const Access &before, const Access &now) const {
  if (!(before.flags & now.flags & Access::Strong))
    return false;
  uint8_t flags = before.flags | now.flags;
  bool sameCluster = before.cluster == now.cluster;
  if (flags & Access::BlockScope)
    return sameCluster && before.rank == now.rank;
  return sameCluster || !(flags & Access::ClusterScope);
}

/// What the generic proxy wrote, the async proxy sees only past a proxy fence.
bool RaceTable::isFenced(const Access &before, const Access &now,
                         const Clock &clock, bool isGlobal) const {
  if (!(now.flags & Access::Async) || (before.flags & Access::Async))
    return true;
  if (before.cluster != now.cluster)
    return true;
  const std::vector<uint32_t> &fenced = clock.fenced[isGlobal];
  return before.agent < fenced.size() && fenced[before.agent] >= before.clock;
}

uint32_t RaceTable::withReader(uint32_t set, uint32_t access, uint8_t mask,
                               const Clock &clock) {
  if (last.set == set && last.access == access && last.mask == mask)
    return last.result;
  auto [place, isNew] = transitions.try_emplace({set, access, mask}, 0);
  if (isNew) {
    // Transitions help within one access; a kernel's worth of them is not kept.
    const Access &now = accesses[access];
    std::vector<Reader> readers;
    unsigned foreign = 0;
    bool joined = false;
    for (Reader reader : readerSets[set]) {
      const Access &before = accesses[reader.access];
      if (reader.access == access) {
        reader.mask |= mask;
        joined = true;
      } else if (isOrdered(before, now.cluster, clock) &&
                 (reader.mask & ~mask) == 0 && !(now.flags & Access::Strong)) {
        continue; // whoever is ordered after this read is so after that one
      }
      foreign += before.cluster != now.cluster;
      readers.push_back(reader);
    }
    // Two readers that never synchronise are enough to catch any writer.
    if (!joined && foreign < 2)
      readers.push_back({access, mask});
    if (readers == readerSets[set]) {
      place->second = set;
    } else {
      readerSets.push_back(std::move(readers));
      place->second = uint32_t(readerSets.size() - 1);
    }
  }
  last = {set, access, place->second, mask};
  uint32_t result = place->second;
  if (transitions.size() > 65536)
    transitions.clear();
  return result;
}

/// Calls `visit(word, mask)` for each word of four bytes that is touched.
template <class Visit>
static void forWords(uint64_t offset, uint64_t bytes, Visit visit) {
  uint64_t end = offset + bytes;
  for (uint64_t word = offset / 4; word * 4 < end; ++word) {
    uint64_t from = std::max(word * 4, offset) - word * 4;
    uint64_t to = std::min(word * 4 + 4, end) - word * 4;
    visit(word, uint8_t((1u << to) - (1u << from)));
  }
}

Conflict RaceTable::read(ShadowCells &cells, uint64_t offset, uint64_t bytes,
                         uint32_t access, const Clock &clock) {
  Conflict conflict;
  const Access now = accesses[access];
  uint32_t checked = 0; // the last write found to be in order
  auto check = [&](uint32_t write, uint64_t word) {
    const Access &before = accesses[write];
    if (isOrdered(before, now.cluster, clock)) {
      if (isFenced(before, now, clock, cells.isGlobal))
        checked = write;
      else if (conflict.kind == Conflict::Kind::None)
        conflict = {Conflict::Kind::Proxy, word * 4, before};
    } else if (!mayOverlap(before, now) &&
               conflict.kind == Conflict::Kind::None) {
      conflict = {Conflict::Kind::WriteRead, word * 4, before};
    }
  };
  forWords(offset, bytes, [&](uint64_t word, uint8_t mask) {
    ShadowCell &cell = cells[word];
    if (cell.write != 0 && cell.write != checked && (cell.writeMask & mask))
      check(cell.write, word);
    if (cell.hasOlder) [[unlikely]]
      for (const PartialWrite &older : cells.older[word])
        if (older.mask & mask)
          check(older.access, word);
    cell.readers = withReader(cell.readers, access, mask, clock);
  });
  return conflict;
}

void RaceTable::keepOlder(ShadowCells &cells, uint64_t word, ShadowCell &cell,
                          uint32_t access, uint8_t mask) {
  uint8_t left = cell.writeMask & ~mask;
  bool isSame = cell.write == access;
  if (!cell.hasOlder && (isSame || left == 0)) {
    cell.writeMask = isSame ? cell.writeMask | mask : mask;
    return;
  }
  std::vector<PartialWrite> &older = cells.older[word];
  for (PartialWrite &write : older)
    write.mask &= ~mask;
  std::erase_if(older, [](const PartialWrite &w) { return w.mask == 0; });
  if (!isSame && left != 0)
    older.push_back({cell.write, left});
  cell.writeMask = isSame ? cell.writeMask | mask : mask;
  cell.hasOlder = !older.empty();
  if (!cell.hasOlder)
    cells.older.erase(word);
}

Conflict RaceTable::write(ShadowCells &cells, uint64_t offset, uint64_t bytes,
                          uint32_t access, const Clock &clock, bool repeats) {
  Conflict conflict;
  const Access now = accesses[access];
  uint32_t checkedWrite = 0, checkedSet = 0;
  auto found = [&](Conflict::Kind kind, uint64_t word, const Access &before) {
    if (conflict.kind == Conflict::Kind::None)
      conflict = {kind, word * 4, before};
  };
  auto checkWrite = [&](uint32_t write, uint64_t word) {
    const Access &before = accesses[write];
    if (!isOrdered(before, now.cluster, clock)) {
      // Whichever of two equal values comes last, memory is the same.
      bool same = repeats && !(before.flags & (Access::Async | Access::Strong));
      if (!same && !mayOverlap(before, now))
        found(Conflict::Kind::WriteWrite, word, before);
    } else if (!isFenced(before, now, clock, cells.isGlobal)) {
      found(Conflict::Kind::Proxy, word, before);
    } else {
      checkedWrite = write;
    }
  };
  forWords(offset, bytes, [&](uint64_t word, uint8_t mask) {
    ShadowCell &cell = cells[word];
    if (cell.write != 0 && cell.write != checkedWrite && cell.write != access &&
        (cell.writeMask & mask))
      checkWrite(cell.write, word);
    if (cell.hasOlder) [[unlikely]]
      for (const PartialWrite &older : cells.older[word])
        if (older.access != access && (older.mask & mask))
          checkWrite(older.access, word);
    if (cell.readers != 0 && cell.readers != checkedSet) {
      bool all = true;
      for (const Reader &reader : readerSets[cell.readers]) {
        const Access &before = accesses[reader.access];
        if (!(reader.mask & mask) || isOrdered(before, now.cluster, clock) ||
            mayOverlap(before, now))
          continue;
        all = false;
        found(Conflict::Kind::ReadWrite, word, before);
      }
      if (all)
        checkedSet = mask == 15 ? cell.readers : 0;
    }
    // Accesses of other bytes of the word must stay known.
    if (mask == 15)
      cell.readers = 0;
    if (mask == 15 && !cell.hasOlder)
      cell.writeMask = 15;
    else
      keepOlder(cells, word, cell, access, mask);
    cell.write = access;
  });
  return conflict;
}

} // namespace heddle::ptx
