// Machine.cpp - memory of a launch, start and end of clusters, blocks, warps.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Machine.h"

#include <algorithm>
#include <cstring>

namespace heddle::ptx {

/// What the start of a warp takes off the budget of instructions, so that a
/// grid of billions of empty blocks ends as well.
static constexpr uint64_t startCost = 256;

Random::Random(uint64_t seed) {
  // splitmix64, as the generator's authors recommend for seeding.
  for (uint64_t &word : state) {
    seed += 0x9E3779B97F4A7C15;
    uint64_t z = seed;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    word = z ^ z >> 31;
  }
}

uint64_t Random::next() {
  uint64_t result = std::rotl(state[1] * 5, 7) * 9;
  uint64_t t = state[1] << 17;
  state[2] ^= state[0];
  state[3] ^= state[1];
  state[1] ^= state[2];
  state[0] ^= state[3];
  state[2] ^= t;
  state[3] = std::rotl(state[3], 45);
  return result;
}

Machine::Machine(const Program &program, const Launch &launch, Report &report)
    : program(program), launch(launch), report(report),
      statistics(report.statistics), checks(launch.options.checks),
      random(launch.options.seed) {
  for (const Op &op : program.code)
    usesWgmma |= program.sources[op.source]->opcode() == Opcode::Wgmma;
  // Rows are read with wide loads; a vector of 64-bit words keeps them aligned.
  const std::byte *bank =
      reinterpret_cast<const std::byte *>(program.constants.data());
  constantBank.assign(bank, bank + program.constants.size() * 8);
  params.kind = Memory::Kind::Param;
  params.name = "the parameters";
  params.owned = launch.params;
  params.data = params.owned.data();
  params.bytes = params.owned.size();
  params.address = paramWindow;
  params.readOnly = true;
  placeBuffers();
  placeVariables();
  placeWorkspace();
  std::sort(globals.begin(), globals.end(), [](const auto &a, const auto &b) {
    return a->address < b->address;
  });
  startRegisterPool();
}

void Machine::placeBuffers() {
  for (const Buffer &buffer : launch.buffers) {
    auto memory = std::make_unique<Memory>();
    memory->name = "'" + buffer.name + "'";
    memory->data = buffer.data;
    memory->bytes = buffer.bytes;
    memory->address = buffer.address;
    memory->readOnly = buffer.readOnly;
    if (checks) {
      memory->cells.resize(buffer.bytes);
      memory->cells.isGlobal = true;
      if (!buffer.initialised)
        memory->state.resize(buffer.bytes);
    }
    globals.push_back(std::move(memory));
  }
}

/// File-scope variables: zero where nothing initialises them (PTX ISA 5.4.4).
void Machine::placeVariables() {
  std::unordered_map<std::string_view, uint64_t> addresses;
  for (const PlacedVariable &placed : program.variables)
    addresses.emplace(placed.variable->name, placed.address);
  auto addressOf = [&](const std::string &symbol) -> uint64_t {
    if (auto found = addresses.find(symbol); found != addresses.end())
      return found->second;
    auto function = program.functionAddresses.find(symbol);
    return function == program.functionAddresses.end() ? 0 : function->second;
  };
  for (const PlacedVariable &placed : program.variables) {
    const Variable &variable = *placed.variable;
    auto memory = std::make_unique<Memory>();
    memory->name = "'" + variable.name + "'";
    memory->owned.resize(variable.bytes);
    if (!variable.initial.empty())
      std::memcpy(memory->owned.data(), variable.initial.data(),
                  variable.initial.size());
    for (const Variable::Relocation &relocation : variable.relocations) {
      uint64_t address =
          addressOf(relocation.symbol) + uint64_t(relocation.addend);
      address =
          (address & relocation.mask) >> std::countr_zero(relocation.mask);
      std::memcpy(memory->owned.data() + relocation.offset, &address,
                  relocation.bytes);
    }
    memory->data = memory->owned.data();
    memory->bytes = variable.bytes;
    memory->address = placed.address;
    memory->readOnly = variable.space == Space::Const;
    if (checks) {
      memory->cells.resize(variable.bytes);
      memory->cells.isGlobal = true;
    }
    globals.push_back(std::move(memory));
  }
}

//===----------------------------------------------------------------------===//
// Starting
//===----------------------------------------------------------------------===//

std::unique_ptr<Cluster> Machine::startCluster(uint32_t number) {
  auto cluster = std::make_unique<Cluster>();
  cluster->number = number;
  const uint32_t *shape = launch.cluster;
  uint32_t clusters[3];
  for (unsigned d = 0; d < 3; ++d)
    clusters[d] = launch.grid[d] / shape[d];
  cluster->id[0] = number % clusters[0];
  cluster->id[1] = number / clusters[0] % clusters[1];
  cluster->id[2] = number / clusters[0] / clusters[1];
  uint32_t count = shape[0] * shape[1] * shape[2];
  for (uint32_t rank = 0; rank < count; ++rank) {
    auto block = std::make_unique<Block>();
    block->machine = this;
    block->cluster = cluster.get();
    block->rank = rank;
    uint32_t at[3] = {rank % shape[0], rank / shape[0] % shape[1],
                      rank / shape[0] / shape[1]};
    for (unsigned d = 0; d < 3; ++d)
      block->id[d] = cluster->id[d] * shape[d] + at[d];
    block->smid = (number * count + rank) % launch.options.multiprocessors;
    cluster->blocks.push_back(std::move(block));
  }
  cluster->liveBlocks = count;
  for (auto &block : cluster->blocks)
    startBlock(*cluster, *block);
  return cluster;
}

void Machine::startBlock(Cluster &cluster, Block &block) {
  uint32_t threads = launch.block[0] * launch.block[1] * launch.block[2];
  uint32_t warps = (threads + warpSize - 1) / warpSize;
  Memory &shared = block.shared;
  shared.kind = Memory::Kind::Shared;
  shared.name = "shared memory";
  shared.bytes = std::max(program.staticShared,
                          program.dynamicSharedOffset + launch.dynamicShared);
  statistics.sharedPerBlock = shared.bytes;
  shared.owned.resize(shared.bytes);
  shared.data = shared.owned.data();
  shared.address = sharedWindow | uint64_t(block.rank + 1) << sharedRankShift;
  shared.block = &block;
  poison(shared.data, shared.bytes);
  if (checks) {
    shared.state.resize(shared.bytes);
    shared.cells.resize(shared.bytes);
  }
  placeReservedShared(block);
  block.firstAgent = cluster.agents;
  cluster.agents += agentKinds * warps;
  block.liveWarps = warps;
  block.liveThreads = threads;
  for (uint32_t index = 0; index < warps; ++index)
    startWarp(block, index);
  fillRegisterPool(block);
}

void Machine::startWarp(Block &block, uint32_t index) {
  uint32_t threads = launch.block[0] * launch.block[1] * launch.block[2];
  auto owned = std::make_unique<Warp>();
  Warp &warp = *owned;
  warp.machine = this;
  warp.block = &block;
  warp.index = index;
  budgetUsed += startCost;
  uint32_t lanes = std::min(threads - index * warpSize, warpSize);
  warp.live = lanes == warpSize ? allLanes : (Lanes(1) << lanes) - 1;
  warp.registers.resize(program.registerBytes + 64);
  poison(warp.registers.data(), warp.registers.size());
  auto base = reinterpret_cast<uintptr_t>(warp.registers.data());
  warp.bases[0] = reinterpret_cast<std::byte *>((base + 63) / 64 * 64);
  warp.bases[1] = constantBank.data();
  LaneGroup start;
  start.lanes = warp.live;
  warp.groups.push_back(start);
  std::fill_n(warp.stackTop, warpSize, program.localBytes);
  warp.agent = block.firstAgent + index;
  warp.clock.raise(warp.agent, 1);
  if (checks)
    warp.undefined.assign(program.registerCount, {});
  if (usesWgmma) {
    warp.inFlight.resize(program.registerCount);
    warp.touched.resize(program.registerCount);
  }
  fillSpecials(warp);
  block.warps.push_back(std::move(owned));
  enqueue(warp);
}

void Machine::fillSpecials(Warp &warp) {
  for (const SpecialRow &special : program.specials)
    for (unsigned lane = 0; lane < warpSize; ++lane) {
      uint64_t value = specialValue(warp, special.name, lane);
      if (special.wide)
        warp.row<uint64_t>(special.row)[lane] = value;
      else
        warp.row<uint32_t>(special.row)[lane] = uint32_t(value);
    }
}

uint64_t Machine::specialValue(const Warp &warp, const std::string &name,
                               unsigned lane) const {
  const Block &block = *warp.block;
  uint32_t thread = warp.threadOf(lane);
  size_t dot = name.find('.');
  std::string_view base = std::string_view(name).substr(0, dot);
  if (dot != std::string::npos) {
    unsigned axis = unsigned(name[dot + 1] - 'x');
    if (name[dot + 1] == 'w')
      return 0;
    const uint32_t *shape = launch.cluster;
    uint32_t plane = launch.block[0] * launch.block[1];
    uint32_t tid[3] = {thread % launch.block[0],
                       thread / launch.block[0] % launch.block[1],
                       thread / plane};
    if (base == "%tid")
      return tid[axis];
    if (base == "%ntid")
      return launch.block[axis];
    if (base == "%ctaid")
      return block.id[axis];
    if (base == "%nctaid")
      return launch.grid[axis];
    if (base == "%clusterid")
      return block.cluster->id[axis];
    if (base == "%nclusterid")
      return launch.grid[axis] / shape[axis];
    if (base == "%cluster_ctaid")
      return block.id[axis] % shape[axis];
    if (base == "%cluster_nctaid")
      return shape[axis];
  }
  Lanes bit = Lanes(1) << lane;
  if (name == "%laneid")
    return lane;
  if (name == "%warpid")
    return warp.index;
  if (name == "%nwarpid")
    return launch.options.threadsPerMultiprocessor / 32;
  if (name == "%smid")
    return block.smid;
  if (name == "%nsmid")
    return launch.options.multiprocessors;
  if (name == "%cluster_ctarank")
    return block.rank;
  if (name == "%cluster_nctarank")
    return block.cluster->blocks.size();
  if (name == "%is_explicit_cluster")
    return block.cluster->blocks.size() > 1;
  if (name == "%lanemask_eq")
    return bit;
  if (name == "%lanemask_lt")
    return bit - 1;
  if (name == "%lanemask_le")
    return bit | (bit - 1);
  if (name == "%lanemask_gt")
    return ~(bit | (bit - 1));
  if (name == "%lanemask_ge")
    return ~(bit - 1);
  if (name == "%total_smem_size" || name == "%aggr_smem_size")
    return block.shared.bytes;
  if (name == "%dynamic_smem_size")
    return launch.dynamicShared;
  // The mask that a predicate holds, in the word of the first lane.
  if (name == explicitClusterPredicate)
    return block.cluster->blocks.size() > 1 ? allLanes : 0;
  return driverSpecial(name);
}

//===----------------------------------------------------------------------===//
// Ending
//===----------------------------------------------------------------------===//

/// Lanes may exit inside calls, and with what they allocated.
void Machine::releaseStacks(Warp &warp) {
  for (const std::vector<Activation> &stack : warp.activations)
    for (const Activation &activation : stack)
      stackBytes -= activation.savedBytes();
  for (const Memory &memory : warp.local)
    if (memory.owned.size() > program.localBytes)
      stackBytes -= memory.owned.size() - program.localBytes;
  warp.local.clear();
}

void Machine::endWarp(Warp &warp) {
  // Other warps may wait for what a producer that has exited left behind.
  while (completeArrivals(warp)) {
  }
  for (AsyncCopy &copy : warp.copies)
    performAsyncCopy(warp, copy, copy.lanes);
  warp.copies.clear();
  waitWgmma(warp, 0);
  releaseStacks(warp);
  Block &block = *warp.block;
  --block.liveWarps;
  if (block.liveWarps == 0)
    endBlock(block);
  else
    checkBarriers(block);
  checkClusterBarrier(*block.cluster);
}

/// A block may not leave while the copy engine still uses its shared memory.
void Machine::endBlock(Block &block) {
  checkRegisterChanges(block);
  for (auto &warp : block.warps) {
    for (BulkCopy &copy : warp->bulkStores) {
      if (!copy.wasRead)
        find(FindingKind::AsyncNotAwaited, *warp, program.code[copy.op],
             copy.lane, copy.block->shared.address + copy.shared,
             "may still read shared memory when the block exits: no "
             "cp.async.bulk.wait_group covers it");
      performBulk(copy);
    }
    warp->bulkStores.clear();
  }
  for (auto copy = loads.begin(); copy != loads.end();) {
    auto next = std::next(copy);
    if (copy->block == &block) {
      find(FindingKind::AsyncNotAwaited, *copy->warp, program.code[copy->op],
           copy->lane, block.shared.address + copy->shared,
           "may still write shared memory when the block exits: nothing waits "
           "for its mbarrier");
      completeLoad(copy);
    }
    copy = next;
  }
  checkRemoteUses(block);
  Cluster &cluster = *block.cluster;
  if (--cluster.liveBlocks != 0)
    return;
  for (auto &ended : cluster.blocks) {
    for (const Memory *memory : {&ended->shared, &ended->reservedShared}) {
      auto begin = reinterpret_cast<uintptr_t>(memory->data);
      released.erase(released.lower_bound(begin),
                     released.lower_bound(begin + memory->bytes));
    }
  }
}

uint32_t Machine::residentClusters() const {
  const Options &options = launch.options;
  uint32_t threads = launch.block[0] * launch.block[1] * launch.block[2];
  uint32_t warps = (threads + warpSize - 1) / warpSize;
  uint64_t shared =
      std::max(program.staticShared,
               program.dynamicSharedOffset + launch.dynamicShared) +
      1024; // the system's share of each block
  uint64_t perProcessor =
      std::min({options.sharedPerMultiprocessor / shared,
                uint64_t(options.threadsPerMultiprocessor / (warps * 32)),
                uint64_t(32)});
  uint64_t blocks =
      std::max<uint64_t>(perProcessor, 1) * options.multiprocessors;
  uint64_t perBlock = uint64_t(warps) * (program.registerBytes + 4096);
  blocks = std::min(blocks, options.registerFileBudget / perBlock);
  uint64_t size =
      uint64_t(launch.cluster[0]) * launch.cluster[1] * launch.cluster[2];
  return uint32_t(std::max<uint64_t>(blocks / size, 1));
}

} // namespace heddle::ptx
