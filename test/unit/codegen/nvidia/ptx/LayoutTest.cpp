// LayoutTest.cpp - readers that disagree with the layout of a tensor copy.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/Kernel.h"

#include <cmath>

namespace heddle::ptx::test {

/// A kernel of 128 threads that loads a box of `from` to the start of shared
/// memory and one of `also` behind 16 KiB, waits for both, and runs `body`.
static std::string withBoxes(uint32_t bytes, const std::string &origin,
                             const std::string &body) {
  std::string rank = origin == "{%z, %z}" ? "2d" : "3d";
  std::string load = "@!%p1 cp.async.bulk.tensor." + rank +
                     ".shared::cta.global.mbarrier::complete_tx::bytes ";
  return ".version 8.6\n.target sm_90a\n.address_size 64\n"
         ".extern .shared .align 1024 .b8 smem[];\n"
         ".visible .entry k(.param .align 64 .b8 from[128], "
         ".param .align 64 .b8 also[128], .param .u64 out)\n{\n"
         ".reg .b32 %z, %t, %s, %u, %bar, %v, %w, %r<8>;\n"
         ".reg .b64 %a, %b, %o, %da, %db;\n.reg .f32 %f<4>;\n"
         ".reg .pred %p1, %p2;\n"
         "mov.b64 %a, from;\ncvta.param.u64 %a, %a;\nmov.b64 %b, also;\n"
         "cvta.param.u64 %b, %b;\nld.param.u64 %o, [out];\nmov.u32 %z, 0;\n"
         "mov.u32 %t, %tid.x;\nmov.u32 %s, smem;\nadd.u32 %u, %s, 16384;\n"
         "add.u32 %bar, %s, 32768;\nsetp.ne.u32 %p1, %t, 0;\n"
         "@!%p1 mbarrier.init.shared::cta.b64 [%bar], 1;\n"
         "@!%p1 mbarrier.arrive.expect_tx.shared::cta.b64 _, [%bar], " +
         std::to_string(bytes) + ";\n" + load + "[%s], [%a, " + origin +
         "], [%bar];\n" + load + "[%u], [%b, " + origin +
         "], [%bar];\nbar.sync 0;\nWAIT:\n"
         "mbarrier.try_wait.parity.shared::cta.b64 %p2, [%bar], 0;\n"
         "@!%p2 bra WAIT;\n" +
         body + "ret;\n}\n";
}

static Report runMaps(Kernel &kernel, const TensorMap &from,
                      const TensorMap &also, std::vector<float> &out) {
  kernel.add(encode(from));
  kernel.add(encode(also));
  kernel.addBuffer(out, "out", false);
  kernel.launch.block[0] = 128;
  kernel.launch.dynamicShared = 32776;
  return kernel.run();
}

/// Stores a box as it came. The maps differ in their swizzle alone.
TEST(Layout, StoresUndoTheSwizzleOfTheirLoad) {
  const std::string store =
      "@%p1 bra END;\ncp.async.bulk.tensor.2d.global.shared::cta.bulk_group "
      "[%b, {%z, %z}], [%s];\ncp.async.bulk.commit_group;\n"
      "cp.async.bulk.wait_group 0;\nEND:\n";
  // A value written in between is no longer the copy's.
  const std::string rewritten =
      "shl.b32 %v, %t, 4;\nadd.u32 %v, %v, %s;\nmov.u32 %w, 0;\n"
      "st.shared.v4.b32 [%v], {%w, %w, %w, %w};\nfence.proxy.async;\n"
      "bar.sync 0;\n" +
      store;
  for (TensorSwizzle swizzle :
       {TensorSwizzle::None, TensorSwizzle::Bytes64, TensorSwizzle::Bytes128})
    for (bool rewrites : {false, true}) {
      std::vector<uint16_t> x = randomBf16(32 * 32, 1), y(32 * 32);
      std::vector<float> out(4);
      Kernel kernel(withBoxes(4096, "{%z, %z}", rewrites ? rewritten : store));
      Report report =
          runMaps(kernel,
                  matrixMap(kernel.buffer(x, "x"), 32, 32, 32, 32,
                            TensorElement::BF16, TensorSwizzle::Bytes64),
                  matrixMap(kernel.buffer(y, "y"), 32, 32, 32, 32,
                            TensorElement::BF16, swizzle),
                  out);
      bool isRight = rewrites || swizzle == TensorSwizzle::Bytes64;
      EXPECT_EQ(isClean(report), isRight) << textOf(report);
      EXPECT_EQ(has(report, FindingKind::Layout), !isRight);
      EXPECT_TRUE(rewrites || (x == y) == isRight);
    }
}

/// Eight rows of the third column of a box with a 128-byte swizzle.
TEST(Layout, LdmatrixUndoesTheSwizzle) {
  for (bool undoes : {true, false}) {
    std::string body =
        "and.b32 %v, %t, 7;\nmov.u32 %w, 2;\n" +
        std::string(undoes ? "xor.b32 %w, %w, %v;\n" : "") +
        "shl.b32 %w, %w, 4;\nmad.lo.u32 %v, %v, 128, %w;\n"
        "add.u32 %v, %v, %s;\n"
        "ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r1}, [%v];\n"
        "mad.wide.u32 %o, %t, 4, %o;\nst.global.b32 [%o], %r1;\n";
    std::vector<uint16_t> x = randomBf16(8 * 64, 1);
    std::vector<float> out(128);
    Kernel kernel(withBoxes(2048, "{%z, %z}", body));
    TensorMap map = matrixMap(kernel.buffer(x, "x"), 8, 64, 8, 64);
    Report report = runMaps(kernel, map, map, out);
    EXPECT_EQ(isClean(report), undoes) << textOf(report);
    EXPECT_EQ(has(report, FindingKind::Layout), !undoes);
    std::vector<uint16_t> got(64);
    std::memcpy(got.data(), out.data(), 128);
    bool same = true;
    for (int i = 0; i < 64; ++i)
      same &= got[i] == x[i / 8 * 64 + 16 + i % 8];
    EXPECT_EQ(same, undoes);
  }
}

/// Columns of 8 elements, one after the other: the layout without a swizzle.
static TensorMap coreMatrices(uint64_t base, uint32_t rows) {
  TensorMap map = matrixMap(base, rows, 16, rows, 8, TensorElement::BF16,
                            TensorSwizzle::None);
  map.rank = 3;
  map.dims = {8, rows, 2, 1, 1};
  map.strides = {32, 16};
  map.box = {8, rows, 2, 1, 1};
  return map;
}

TEST(Layout, WgmmaWithoutSwizzleStepsAsTheBox) {
  // Leading offset (to the next 8 elements of K) and stride (to the next 8
  // rows), in bytes, and whether they are right for A.
  const struct {
    uint64_t leading, stride;
    bool isRight;
  } descriptors[] = {{1024, 128, true},
                     {128, 1024, false},
                     {1024, 256, false},
                     {512, 128, false}};
  for (auto &descriptor : descriptors) {
    uint64_t fields = descriptor.leading / 16 << 16 | descriptor.stride / 16
                                                          << 32;
    std::string body =
        "cvt.u64.u32 %da, %s;\nshr.u64 %da, %da, 4;\nor.b64 %da, %da, " +
        std::to_string(fields) +
        ";\ncvt.u64.u32 %db, %u;\nshr.u64 %db, %db, 4;\n"
        "or.b64 %db, %db, 0x0000000800080000;\nsetp.ne.u32 %p2, %z, 0;\n"
        "wgmma.fence.sync.aligned;\n"
        "wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 "
        "{%f0, %f1, %f2, %f3}, %da, %db, %p2, 1, 1, 0, 0;\n"
        "wgmma.commit_group.sync.aligned;\nwgmma.wait_group.sync.aligned 0;\n"
        "mad.wide.u32 %o, %t, 16, %o;\n"
        "st.global.v4.f32 [%o], {%f0, %f1, %f2, %f3};\n";
    std::vector<uint16_t> a = randomBf16(64 * 16, 1), b = randomBf16(8 * 16, 2);
    std::vector<float> out(512);
    Kernel kernel(withBoxes(2048 + 256, "{%z, %z, %z}", body));
    Report report = runMaps(kernel, coreMatrices(kernel.buffer(a, "a"), 64),
                            coreMatrices(kernel.buffer(b, "b"), 8), out);
    EXPECT_EQ(has(report, FindingKind::Layout), !descriptor.isRight)
        << textOf(report);
    if (!descriptor.isRight)
      continue;
    EXPECT_TRUE(isClean(report)) << textOf(report);
    for (int t = 0; t < 128; ++t)
      for (int e = 0; e < 4; ++e) {
        int row = t / 32 * 16 + t % 32 / 4 + e / 2 * 8;
        int column = t % 4 * 2 + e % 2;
        double sum = 0, magnitude = 0;
        for (int k = 0; k < 16; ++k) {
          double product = double(bf16ToFloat(a[row * 16 + k])) *
                           bf16ToFloat(b[column * 16 + k]);
          sum += product;
          magnitude += std::fabs(product);
        }
        ASSERT_NEAR(out[t * 4 + e], sum, 16 * 0x1p-23 * magnitude);
      }
  }
}

} // namespace heddle::ptx::test
