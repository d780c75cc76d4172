// Races.h - happens-before between warps and asynchronous agents; private.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vector clocks in the manner of FastTrack (Flanagan and Freund, PLDI 2009),
// with warps as threads. An asynchronous operation is not the warp that issued
// it: it belongs to an agent whose clock others learn only by the wait that
// completes it. Agents of one cluster have dense clocks; other clusters are
// known only through the clocks that acquire operations bring.

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_RACES_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_RACES_H

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace heddle::ptx {

/// Threads that a strong access or a fence reaches (PTX ISA 8.5). `.sys` adds
/// nobody to the device.
enum class Scope : uint8_t { Block, Cluster, Device };

/// What one warp, or one synchronisation object, knows of all agents.
struct Clock {
  std::vector<uint32_t> seen; ///< by agent of the own cluster
  /// Accesses up to here are ordered before later ones of the async proxy.
  /// In shared memory (0) and in global memory (1).
  std::vector<uint32_t> fenced[2];
  /// Initialisations of mbarriers up to here are known by agent, even where
  /// other writes are not.
  std::vector<uint32_t> inits;
  /// Instructions up to here are over, by agent, even where what they wrote is
  /// not visible.
  std::vector<uint32_t> executed;
  /// Agents of other clusters, by cluster.
  std::map<uint32_t, std::vector<uint32_t>> others;
  /// By cluster, accesses up to here are released to the tensor-map proxy.
  std::map<uint32_t, std::vector<uint32_t>> mapReleased;

  uint32_t of(uint32_t agent) const {
    return agent < seen.size() ? seen[agent] : 0;
  }
  bool knowsExecuted(uint32_t agent, uint32_t value) const {
    return of(agent) >= value ||
           (agent < executed.size() && executed[agent] >= value);
  }
  bool knowsInit(uint32_t agent, uint32_t value) const {
    return of(agent) >= value ||
           (agent < inits.size() && inits[agent] >= value);
  }
  void raise(uint32_t agent, uint32_t value);
  void raiseInits(uint32_t agent, uint32_t value);
  void raiseExecuted(uint32_t agent, uint32_t value);
  /// Joins the clock of something in the same cluster.
  void join(const Clock &other);
  /// Joins a clock from `cluster`, where this one belongs to `own`.
  void joinFrom(uint32_t cluster, const Clock &other, uint32_t own);
  void clear();
};

/// One access, as the shadow memory remembers it.
struct Access {
  enum Flag : uint8_t {
    Strong = 1, ///< atomic, volatile, relaxed, acquire or release
    Async = 2,  ///< by the async proxy
    BlockScope = 4,
    ClusterScope = 8,
  };
  uint32_t cluster = 0;
  uint32_t agent = 0;
  uint32_t clock = 0;
  uint32_t op = 0;
  uint8_t flags = 0;
  uint8_t rank = 0; ///< of the block in its cluster
};

/// Shadow of four bytes: who wrote them last, who has read them since.
struct ShadowCell {
  uint32_t write = 0;    ///< access, 0 for none
  uint32_t readers = 0;  ///< set of accesses, 0 for none
  uint8_t writeMask = 0; ///< bytes of `write`
  bool hasOlder = false; ///< other bytes have writers in `ShadowCells::older`
};

/// What an access collides with.
struct Conflict {
  enum class Kind : uint8_t { None, WriteWrite, ReadWrite, WriteRead, Proxy };
  Kind kind = Kind::None;
  uint64_t offset = 0;
  Access other;
};

/// A write of some bytes of a word, one bit for each.
struct PartialWrite {
  uint32_t access;
  uint8_t mask;
};

/// Cells of a memory, made page by page when first touched.
class ShadowCells {
public:
  void resize(uint64_t bytes) {
    words = (bytes + 3) / 4;
    pages.resize((bytes + pageBytes - 1) / pageBytes);
  }
  ShadowCell &operator[](uint64_t word) {
    std::unique_ptr<ShadowCell[]> &page = pages[word / pageWords];
    if (!page) {
      uint64_t left = words - word / pageWords * pageWords;
      page = std::make_unique<ShadowCell[]>(std::min(left, pageWords));
    }
    return page[word % pageWords];
  }
  void clear() {
    for (auto &page : pages)
      page.reset();
    older.clear();
  }

  bool isGlobal = false; ///< of global, not of shared memory
  /// Writes of a word that the last one has left in place, of disjoint bytes.
  std::unordered_map<uint64_t, std::vector<PartialWrite>> older;

private:
  static constexpr uint64_t pageWords = 1024, pageBytes = pageWords * 4;
  std::vector<std::unique_ptr<ShadowCell[]>> pages;
  uint64_t words = 0;
};

class RaceTable {
public:
  /// Interns an access; 0 when the table is full, which `isFull` tells.
  uint32_t intern(const Access &access);
  bool isFull() const { return full; }

  /// Marks `bytes` bytes and returns the first conflict. `clock` is what the
  /// accessing agent knows when it starts.
  Conflict read(ShadowCells &cells, uint64_t offset, uint64_t bytes,
                uint32_t access, const Clock &clock);
  /// `repeats`: the bytes that are there already are written again.
  Conflict write(ShadowCells &cells, uint64_t offset, uint64_t bytes,
                 uint32_t access, const Clock &clock, bool repeats = false);

  /// Calls `visit(access, what it is)` for the last writes of these bytes.
  template <class Visit>
  void forWrites(ShadowCells &cells, uint64_t offset, uint64_t bytes,
                 Visit visit) const {
    for (uint64_t word = offset / 4; word * 4 < offset + bytes; ++word) {
      const ShadowCell &cell = cells[word];
      if (cell.write != 0)
        visit(cell.write, accesses[cell.write]);
      if (cell.hasOlder)
        for (const PartialWrite &older : cells.older[word])
          visit(older.access, accesses[older.access]);
    }
  }
  /// Whether `before` happened before what an agent of `cluster` does now.
  static bool isOrdered(const Access &before, uint32_t cluster,
                        const Clock &clock);

private:
  struct Reader {
    uint32_t access;
    uint8_t mask;
    bool operator==(const Reader &) const = default;
  };
  static void keepOlder(ShadowCells &cells, uint64_t word, ShadowCell &cell,
                        uint32_t access, uint8_t mask);
  bool mayOverlap(const Access &before, const Access &now) const;
  bool isFenced(const Access &before, const Access &now, const Clock &clock,
                bool isGlobal) const;
  uint32_t withReader(uint32_t set, uint32_t access, uint8_t mask,
                      const Clock &clock);

  std::vector<Access> accesses = {Access()};
  std::vector<std::vector<Reader>> readerSets = {{}};
  std::unordered_map<uint64_t, uint32_t> recent; ///< by agent and op
  /// Results of `withReader`, which repeats for each cell of a copy.
  std::map<std::tuple<uint32_t, uint32_t, uint8_t>, uint32_t> transitions;
  struct {
    uint32_t set = ~0u, access = 0, result = 0;
    uint8_t mask = 0;
  } last;
  bool full = false;
};

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_RACES_H
