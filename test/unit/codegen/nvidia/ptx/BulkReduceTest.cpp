// BulkReduceTest.cpp - cp.reduce.async.bulk of every operation and type, plain
// and by tensor maps. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/Differential.h"
#include "test/unit/codegen/nvidia/ptx/HostFloat.h"

#include <algorithm>

namespace heddle::ptx::test {

namespace {

struct Reduction {
  std::string operation;
  std::string type; ///< with `.noftz` where PTX asks for it
  unsigned bits;
  std::function<uint64_t(uint64_t old, uint64_t operand)> update;
  const HostFormat *format = nullptr;
  bool toShared = true; ///< goes to the shared memory of another block too
  TensorElement element = TensorElement::U32;
};

std::vector<Reduction> integerReductions() {
  using W = __int128;
  std::vector<Reduction> all;
  constexpr TensorElement elements[] = {TensorElement::U32, TensorElement::S32,
                                        TensorElement::U64, TensorElement::S64};
  for (unsigned i = 0; i < 4; ++i) {
    const IntegerType &type = integerTypes[2 + i];
    auto add = [&](const char *operation, auto apply, bool toShared) {
      all.push_back({operation, type.name, type.bits,
                     [=](uint64_t a, uint64_t b) {
                       return wrapped(apply(type.value(a), type.value(b)),
                                      type.bits);
                     },
                     nullptr, toShared, elements[i]});
    };
    bool isWord = type.bits == 32;
    add("add", [](W a, W b) { return a + b; }, isWord || !type.isSigned);
    add("min", [](W a, W b) { return std::min(a, b); }, isWord);
    add("max", [](W a, W b) { return std::max(a, b); }, isWord);
    if (!isWord || type.isSigned)
      continue;
    add("inc", [](W a, W b) { return a >= b ? W(0) : a + 1; }, true);
    add("dec", [](W a, W b) { return a == 0 || a > b ? b : a - 1; }, true);
  }
  for (unsigned bits : {32u, 64u}) {
    TensorElement element =
        bits == 32 ? TensorElement::U32 : TensorElement::U64;
    std::string type = "b" + std::to_string(bits);
    bool isWord = bits == 32;
    all.push_back({"and", type, bits,
                   [](uint64_t a, uint64_t b) { return a & b; }, nullptr,
                   isWord, element});
    all.push_back({"or", type, bits,
                   [](uint64_t a, uint64_t b) { return a | b; }, nullptr,
                   isWord, element});
    all.push_back({"xor", type, bits,
                   [](uint64_t a, uint64_t b) { return a ^ b; }, nullptr,
                   isWord, element});
  }
  return all;
}

std::vector<Reduction> floatReductions() {
  std::vector<Reduction> all;
  for (auto [format, element] : {std::pair(&hostF16, TensorElement::F16),
                                 std::pair(&hostBF16, TensorElement::BF16),
                                 std::pair(&hostF32, TensorElement::F32),
                                 std::pair(&hostF64, TensorElement::F64)}) {
    bool isHalf = format->bits() == 16;
    const HostFormat *own = format;
    all.push_back({"add", (isHalf ? "noftz." : "") + std::string(format->name),
                   format->bits(),
                   [=](uint64_t a, uint64_t b) { return added(*own, a, b); },
                   format, false, element});
    for (bool largest : {false, true})
      if (isHalf)
        all.push_back({largest ? "max" : "min", format->name, 16,
                       [=](uint64_t a, uint64_t b) {
                         return extremum(*own, a, b, largest);
                       },
                       format, false, element});
  }
  return all;
}

std::vector<Reduction> reductions() {
  std::vector<Reduction> all = integerReductions(), more = floatReductions();
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

std::vector<uint8_t> bytesOf(const Column &column, unsigned bits) {
  std::vector<uint8_t> bytes;
  for (uint64_t value : column)
    for (unsigned i = 0; i < bits / 8; ++i)
      bytes.push_back(uint8_t(value >> (8 * i)));
  return bytes;
}

uint64_t valueAt(const std::vector<uint8_t> &bytes, unsigned bits, size_t i) {
  uint64_t value = 0;
  std::memcpy(&value, &bytes[i * bits / 8], bits / 8);
  return value;
}

constexpr size_t totalBytes = 4096;

/// A spread of operands, 4096 bytes of them.
Column operandsOf(const Reduction &r, unsigned index) {
  Column all = !r.format               ? integers(r.bits, index)
               : r.format == &hostBF16 ? bfloats(index)
                                       : floats(r.bits, index);
  Column column;
  size_t count = totalBytes * 8 / r.bits;
  for (size_t i = 0; i < count; ++i)
    column.push_back(all[i * 7 % all.size()]);
  return column;
}

void expectReduced(const Reduction &r, const Column &old, const Column &operand,
                   const std::vector<uint8_t> &got, const std::string &text) {
  for (size_t i = 0; i < old.size(); ++i) {
    uint64_t value = valueAt(got, r.bits, i),
             want = r.update(old[i], operand[i]);
    bool isNan = r.bits == 64 && r.format && r.format->isNan(want) &&
                 r.format->isNan(value);
    ASSERT_TRUE(isNan || value == want)
        << text << " of " << std::hex << old[i] << ", " << operand[i]
        << " gave " << value << ", expected " << want;
  }
}

const std::string head = ".version 8.6\n.target sm_90a\n.address_size 64\n"
                         ".extern .shared .align 1024 .b8 smem[];\n";

/// Threads bring 4096 bytes from %x to shared memory.
const std::string fill =
    "mov.u32 %t, %tid.x;\nmov.u32 %s, smem;\nmad.lo.u32 %u, %t, 16, %s;\n"
    "mad.wide.u32 %x, %t, 16, %x;\nld.global.v4.u32 {%v0, %v1, %v2, %v3}, "
    "[%x];\n"
    "st.shared.v4.u32 [%u], {%v0, %v1, %v2, %v3};\nfence.proxy.async;\n"
    "bar.sync 0;\nsetp.ne.u32 %p, %t, 0;\n";

} // namespace

TEST(BulkReduce, ToGlobalMemory) {
  for (const Reduction &r : reductions())
    for (bool hasPolicy : {false, true}) {
      if (r.operation == "add" && r.type == "s64") // of tensors only
        continue;
      std::string text = "cp.reduce.async.bulk.global.shared::cta.bulk_group" +
                         std::string(hasPolicy ? ".L2::cache_hint." : ".") +
                         r.operation + "." + r.type;
      Kernel kernel(head +
                    ".visible .entry k(.param .u64 x, .param .u64 c)\n{\n"
                    ".reg .b64 %x, %c, %policy;\n.reg .b32 %t, %s, %u, %v<4>;\n"
                    ".reg .pred %p;\nld.param.u64 %x, [x];\n"
                    "ld.param.u64 %c, [c];\n" +
                    fill +
                    "@%p bra END;\n"
                    "createpolicy.fractional.L2::evict_first.b64 %policy;\n" +
                    text + " [%c], [%s], 4096" +
                    (hasPolicy ? ", %policy" : "") +
                    ";\ncp.async.bulk.commit_group;\n"
                    "cp.async.bulk.wait_group 0;\nEND:\nret;\n}\n");
      Column operand = operandsOf(r, 0), old = operandsOf(r, 1);
      std::vector<uint8_t> x = bytesOf(operand, r.bits),
                           c = bytesOf(old, r.bits);
      kernel.addBuffer(x, "x");
      kernel.addBuffer(c, "c");
      kernel.launch.block[0] = 256;
      kernel.launch.dynamicShared = totalBytes;
      Report report = kernel.run();
      ASSERT_TRUE(isClean(report)) << text << textOf(report);
      expectReduced(r, old, operand, c, text);
      recordCompared(kernel, {"cp.reduce", "fence.proxy.async"});
    }
}

/// Block 0 of a cluster reduces into the shared memory of block 1.
TEST(BulkReduce, ToAnotherBlock) {
  for (const Reduction &r : reductions()) {
    if (!r.toShared)
      continue;
    std::string text = "cp.reduce.async.bulk.shared::cluster.shared::cta."
                       "mbarrier::complete_tx::bytes." +
                       r.operation + "." + r.type;
    Kernel kernel(head + R"(.visible .entry k(.param .u64 x, .param .u64 c)
.reqnctapercluster 2, 1, 1
{
  .reg .b64 %x, %c;
  .reg .b32 %t, %s, %u, %v<4>, %rank, %bar, %to;
  .reg .pred %p, %q;
  ld.param.u64 %x, [x];
  ld.param.u64 %c, [c];
  mov.u32 %rank, %cluster_ctarank;
  mad.wide.u32 %x, %rank, 4096, %x;
)" + fill + R"(
  add.u32 %bar, %s, 4096;
  @%p bra READY;
  mbarrier.init.shared.b64 [%bar], 1;
  mbarrier.arrive.expect_tx.shared.b64 _, [%bar], 4096;
  fence.mbarrier_init.release.cluster;
READY:
  barrier.cluster.arrive.aligned;
  barrier.cluster.wait.aligned;
  setp.eq.u32 %q, %rank, 1;
  @%q bra WAIT;
  @%p bra END;
  mapa.shared::cluster.u32 %to, %s, 1;
  mapa.shared::cluster.u32 %bar, %bar, 1;
  )" + text + R"( [%to], [%s], 4096, [%bar];
  bra END;
WAIT:
  mbarrier.try_wait.parity.shared.b64 %p, [%bar], 0;
  @!%p bra WAIT;
  ld.shared.v4.u32 {%v0, %v1, %v2, %v3}, [%u];
  mad.wide.u32 %c, %t, 16, %c;
  st.global.v4.u32 [%c], {%v0, %v1, %v2, %v3};
END:
  barrier.cluster.arrive;
  barrier.cluster.wait;
  ret;
}
)");
    Column operand = operandsOf(r, 0), old = operandsOf(r, 1);
    std::vector<uint8_t> x = bytesOf(operand, r.bits),
                         more = bytesOf(old, r.bits), c(totalBytes);
    x.insert(x.end(), more.begin(), more.end());
    kernel.addBuffer(x, "x");
    kernel.addBuffer(c, "c", false);
    kernel.launch.grid[0] = 2;
    kernel.launch.block[0] = 256;
    kernel.launch.dynamicShared = totalBytes + 8;
    Report report = kernel.run();
    ASSERT_TRUE(isClean(report)) << text << textOf(report);
    expectReduced(r, old, operand, c, text);
    recordCompared(kernel, {"cp.reduce"});
  }
}

/// A box that sticks out of the tensor: what lies outside is left alone.
TEST(BulkReduce, ByTensorMap) {
  for (const Reduction &r : reductions()) {
    std::string text = "cp.reduce.async.bulk.tensor.2d.global.shared::cta." +
                       r.operation + ".tile.bulk_group";
    Kernel kernel(head +
                  ".visible .entry k(.param .align 64 .b8 map[128], "
                  ".param .u64 x)\n{\n.reg .b64 %x, %m;\n"
                  ".reg .b32 %t, %s, %u, %v<4>, %c;\n.reg .pred %p;\n"
                  "mov.b64 %m, map;\ncvta.param.u64 %m, %m;\n"
                  "ld.param.u64 %x, [x];\nmov.u32 %c, 8;\n" +
                  fill + "@%p bra END;\n" + text +
                  " [%m, {%c, %c}], [%s];\ncp.async.bulk.commit_group;\n"
                  "cp.async.bulk.wait_group 0;\nEND:\nret;\n}\n");
    Column operand = operandsOf(r, 0), old = operandsOf(r, 1);
    std::vector<uint8_t> x = bytesOf(operand, r.bits), c = bytesOf(old, r.bits);
    // The tensor has 32 rows of 128 bytes; the box 32 rows of 128 bytes.
    uint32_t columns = 1024 / r.bits;
    TensorMap map = matrixMap(kernel.buffer(c, "c"), 32, columns, 32, columns,
                              r.element, TensorSwizzle::None);
    kernel.add(encode(map));
    kernel.addBuffer(x, "x");
    kernel.launch.block[0] = 256;
    kernel.launch.dynamicShared = totalBytes;
    Report report = kernel.run();
    ASSERT_TRUE(isClean(report)) << text << textOf(report);
    Column shifted = old;
    Reduction inside = r;
    std::vector<bool> touched(old.size());
    for (uint32_t row = 8; row < 32; ++row)
      for (uint32_t column = 8; column < columns; ++column) {
        size_t at = row * columns + column;
        touched[at] = true;
        shifted[at] = operand[(row - 8) * columns + column - 8];
      }
    size_t next = 0;
    inside.update = [&](uint64_t a, uint64_t b) {
      return touched[next++] ? r.update(a, b) : a;
    };
    expectReduced(inside, old, shifted, c, text + " of " + r.type);
    recordCompared(kernel, {"cp.reduce.async.bulk.tensor"});
  }
}

/// Every operation by tensors of every rank. The box sticks out at the upper
/// end of every dimension; 16 threads bring 256 bytes of operands.
static void reduceByRank(const Reduction &r, unsigned rank, const char *tile,
                         bool hasPolicy) {
  std::string coordinates = "{";
  for (unsigned d = 0; d < rank; ++d)
    coordinates += d ? ", %one" : "%six";
  std::string text = "cp.reduce.async.bulk.tensor." + std::to_string(rank) +
                     "d.global.shared::cta." + r.operation + tile +
                     ".bulk_group" + (hasPolicy ? ".L2::cache_hint" : "");
  Kernel kernel(head +
                ".visible .entry k(.param .align 64 .b8 map[128], "
                ".param .u64 x)\n{\n.reg .b64 %x, %m, %policy;\n"
                ".reg .b32 %t, %s, %u, %v<4>, %six, %one;\n.reg .pred %p;\n"
                "mov.b64 %m, map;\ncvta.param.u64 %m, %m;\n"
                "ld.param.u64 %x, [x];\nmov.u32 %six, 6;\nmov.u32 %one, 1;\n"
                "createpolicy.fractional.L2::evict_first.b64 %policy;\n" +
                fill + "@%p bra END;\n" + text + " [%m, " + coordinates +
                "}], [%s]" + (hasPolicy ? ", %policy" : "") +
                ";\ncp.async.bulk.commit_group;\n"
                "cp.async.bulk.wait_group 0;\nEND:\nret;\n}\n");
  const uint32_t dims[5] = {8, 3, 2, 2, 2}, box[5] = {4, 2, 2, 2, 2};
  TensorMap map;
  map.element = TensorElement::U32;
  map.swizzle = TensorSwizzle::None;
  map.rank = rank;
  uint32_t count = 1, moved = 1;
  for (unsigned d = 0; d < rank; ++d) {
    if (d > 0)
      map.strides[d - 1] = count * 4;
    map.dims[d] = dims[d];
    map.box[d] = box[d];
    count *= dims[d];
    moved *= box[d];
  }
  Column operand = integers(32, 0), old = integers(32, 1);
  operand.resize(64);
  old.resize(count);
  Column want = old;
  for (uint32_t e = 0; e < moved; ++e) {
    uint32_t left = e, at = 0, stride = 1;
    bool inside = true;
    for (unsigned d = 0; d < rank; ++d) {
      uint32_t place = (d ? 1 : 6) + left % box[d];
      inside &= place < dims[d];
      at += place * stride;
      stride *= dims[d];
      left /= box[d];
    }
    if (inside)
      want[at] = r.update(old[at], operand[e]);
  }
  std::vector<uint8_t> x = bytesOf(operand, 32), c = bytesOf(old, 32);
  map.base = kernel.buffer(c, "c");
  kernel.add(encode(map));
  kernel.addBuffer(x, "x");
  kernel.launch.block[0] = 16;
  kernel.launch.dynamicShared = 256;
  Report report = kernel.run();
  ASSERT_TRUE(isClean(report)) << text << textOf(report);
  ASSERT_EQ(c, bytesOf(want, 32)) << text;
  recordCompared(kernel, {"cp.reduce.async.bulk.tensor"});
}

TEST(BulkReduce, ByTensorMapsOfEveryRank) {
  for (const Reduction &r : integerReductions()) {
    if (r.type != "u32" && r.type != "b32")
      continue;
    for (unsigned rank = 1; rank <= 5; ++rank)
      for (const char *tile : {"", ".tile"})
        for (bool hasPolicy : {false, true})
          reduceByRank(r, rank, tile, hasPolicy);
  }
}

} // namespace heddle::ptx::test
