// FaultsTest.cpp - every planted fault is found; kernels without one are clean.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/FaultKernels.h"
#include "test/unit/codegen/nvidia/ptx/Kernel.h"

#include <cmath>
#include <functional>
#include <set>

namespace heddle::ptx::test {

/// How a kernel is launched, and whether its numbers are right afterwards.
struct Outcome {
  Report report;
  bool numbersRight = false;
};
using Runner = std::function<Outcome(const std::string &, const Options &)>;

static Outcome runReduce(const std::string &text, const Options &options) {
  const uint32_t n = 700;
  std::vector<float> x(n), out(3);
  double sums[3] = {};
  for (uint32_t i = 0; i < n; ++i) {
    x[i] = float(i % 13) - 5.0f;
    sums[i / 256] += x[i];
  }
  Kernel kernel(text);
  kernel.launch.options = options;
  kernel.addBuffer(x, "x");
  kernel.addBuffer(out, "out", false);
  kernel.add(n);
  kernel.launch.grid[0] = 3;
  kernel.launch.block[0] = 256;
  Outcome outcome{kernel.run(), true};
  for (int i = 0; i < 3; ++i)
    outcome.numbersRight &= out[i] == float(sums[i]); // small integers
  return outcome;
}

/// Whether c = a b^T within the bound for sums in f32.
static bool isProduct(const std::vector<uint16_t> &a,
                      const std::vector<uint16_t> &b,
                      const std::vector<float> &c, int m, int n, int k) {
  for (int i = 0; i < m; ++i)
    for (int j = 0; j < n; ++j) {
      double sum = 0, magnitude = 0;
      for (int q = 0; q < k; ++q) {
        double product =
            double(bf16ToFloat(a[i * k + q])) * bf16ToFloat(b[j * k + q]);
        sum += product;
        magnitude += std::fabs(product);
      }
      if (!(std::fabs(c[i * n + j] - sum) <= k * 0x1p-23 * magnitude))
        return false;
    }
  return true;
}

static Outcome runAsyncGemm(const std::string &text, const Options &options) {
  const int k = 128;
  std::vector<uint16_t> a = randomBf16(64 * k, 1), b = randomBf16(8 * k, 2);
  std::vector<float> c(64 * 8);
  Kernel kernel(text);
  kernel.launch.options = options;
  kernel.addBuffer(a, "a");
  kernel.addBuffer(b, "b");
  kernel.addBuffer(c, "c", false);
  kernel.add(k);
  kernel.launch.block[0] = 128;
  Outcome outcome{kernel.run()};
  outcome.numbersRight = isProduct(a, b, c, 64, 8, k);
  return outcome;
}

static Outcome runTensorGemm(const std::string &text, const Options &options,
                             TensorSwizzle swizzle, uint64_t strideError) {
  const int m = 128, n = 64, k = 320;
  std::vector<uint16_t> a = randomBf16(m * k, 1), b = randomBf16(n * k, 2);
  std::vector<float> c(m * n);
  Kernel kernel(text);
  kernel.launch.options = options;
  TensorMap mapA = matrixMap(kernel.buffer(a, "a"), m, k, 64, 64,
                             TensorElement::BF16, swizzle);
  mapA.strides[0] += strideError;
  kernel.add(encode(mapA));
  kernel.add(encode(matrixMap(kernel.buffer(b, "b"), n, k, 64, 64)));
  kernel.add(encode(matrixMap(kernel.buffer(c, "c", false), m, n, 64, 64,
                              TensorElement::F32, TensorSwizzle::None)));
  kernel.add(k / 64);
  kernel.launch.grid[1] = m / 64;
  kernel.launch.block[0] = 160;
  kernel.launch.dynamicShared = 49184;
  Outcome outcome{kernel.run()};
  outcome.numbersRight = isProduct(a, b, c, m, n, k);
  return outcome;
}

static Outcome runAttention(const std::string &text, const Options &options) {
  const int size = 64;
  std::vector<uint16_t> q = randomBf16(size * size, 3),
                        k = randomBf16(size * size, 4),
                        v = randomBf16(size * size, 5);
  std::vector<float> o(size * size);
  Kernel kernel(text);
  kernel.launch.options = options;
  kernel.add(encode(matrixMap(kernel.buffer(q, "q"), size, size, 64, 64)));
  kernel.add(encode(matrixMap(kernel.buffer(k, "k"), size, size, 64, 64)));
  kernel.add(encode(matrixMap(kernel.buffer(v, "v"), size, size, 64, 64)));
  kernel.addBuffer(o, "o", false);
  kernel.launch.block[0] = 128;
  kernel.launch.dynamicShared = 24584;
  Outcome outcome{kernel.run(), true};
  for (int i = 0; i < size; ++i) {
    double weight[64];
    for (int j = 0; j < size; ++j) {
      double score = 0;
      for (int d = 0; d < size; ++d)
        score +=
            double(bf16ToFloat(q[i * size + d])) * bf16ToFloat(k[j * size + d]);
      weight[j] = std::exp2(score * 0.125);
    }
    for (int d = 0; d < size; ++d) {
      double sum = 0, magnitude = 0;
      for (int j = 0; j < size; ++j) {
        sum += weight[j] * bf16ToFloat(v[j * size + d]);
        magnitude += std::fabs(weight[j] * bf16ToFloat(v[j * size + d]));
      }
      // The weights are rounded to bf16.
      double error = std::fabs(o[i * size + d] - sum);
      outcome.numbersRight &= error <= 0x1p-8 * magnitude;
    }
  }
  return outcome;
}

static Outcome runMessage(const std::string &text, const Options &options) {
  std::vector<uint32_t> data(32), flag(1), out(32);
  Kernel kernel(text);
  kernel.launch.options = options;
  kernel.addBuffer(data, "data", false);
  kernel.addBuffer(flag, "flag");
  kernel.addBuffer(out, "out", false);
  kernel.launch.grid[0] = 2;
  kernel.launch.block[0] = 32;
  Outcome outcome{kernel.run(), true};
  for (uint32_t i = 0; i < 32; ++i)
    outcome.numbersRight &= out[i] == 7 * i;
  return outcome;
}

static Outcome runCluster(const std::string &text, const Options &options) {
  std::vector<uint32_t> out(128);
  Kernel kernel(text);
  kernel.launch.options = options;
  kernel.addBuffer(out, "out", false);
  kernel.launch.grid[0] = 2;
  kernel.launch.block[0] = 64;
  Outcome outcome{kernel.run(), true};
  for (uint32_t i = 0; i < 128; ++i)
    outcome.numbersRight &= out[i] == (1 - i / 64) * 1000 + i % 64;
  return outcome;
}

static Outcome runRelay(const std::string &text, const Options &options) {
  std::vector<uint32_t> x(256), out(256);
  for (uint32_t i = 0; i < 256; ++i)
    x[i] = i * i;
  Kernel kernel(text);
  kernel.launch.options = options;
  kernel.addBuffer(x, "x");
  kernel.addBuffer(out, "out", false);
  kernel.launch.block[0] = 64;
  Outcome outcome{kernel.run(), true};
  for (uint32_t i = 0; i < 256; ++i)
    outcome.numbersRight &= out[i] == x[i ^ 31];
  return outcome;
}

static Outcome runTensorGemmPlain(const std::string &text,
                                  const Options &options) {
  return runTensorGemm(text, options, TensorSwizzle::Bytes128, 0);
}

static const struct {
  const char *name;
  std::string (*text)();
  Runner run;
} kernels[] = {
    {"reduce", reduceKernel, runReduce},
    {"async gemm", asyncGemmKernel, runAsyncGemm},
    {"tensor gemm", tensorGemmKernel, runTensorGemmPlain},
    {"attention", attentionKernel, runAttention},
    {"message", messageKernel, runMessage},
    {"cluster", clusterKernel, runCluster},
    {"relay", namedBarrierKernel, runRelay},
};

TEST(Faults, KernelsWithoutFaultAreCleanUnderTwentySeeds) {
  for (auto &kernel : kernels)
    for (uint64_t seed = 1; seed <= 20; ++seed)
      for (AsyncMode mode :
           {AsyncMode::Late, AsyncMode::Early, AsyncMode::Random}) {
        Options options;
        options.seed = seed;
        options.async = mode;
        Outcome outcome = kernel.run(kernel.text(), options);
        ASSERT_TRUE(isClean(outcome.report)) << kernel.name << "\n"
                                             << textOf(outcome.report);
        ASSERT_TRUE(outcome.numbersRight) << kernel.name;
      }
}

TEST(Faults, KernelsRunWithoutChecks) {
  for (auto &kernel : kernels) {
    Options options;
    options.checks = false;
    Outcome outcome = kernel.run(kernel.text(), options);
    EXPECT_TRUE(isClean(outcome.report)) << kernel.name << "\n"
                                         << textOf(outcome.report);
    EXPECT_TRUE(outcome.numbersRight) << kernel.name;
  }
}

/// A fault: the only occurrence of `from` becomes `to`.
struct Fault {
  const char *what;
  int kernel; ///< index into `kernels`
  const char *from, *to;
  std::set<FindingKind> expected; ///< one of them is reported
};

using K = FindingKind;
static const Fault faults[] = {
    {"no barrier before the tree",
     0,
     "bar.sync 0; // before the tree",
     "",
     {K::Race}},
    {"no barrier in the tree", 0, "bar.sync 0; // in the tree", "", {K::Race}},
    {"bound off by one",
     0,
     "setp.lt.u32 %p1, %r4, %r1;",
     "setp.le.u32 %p1, %r4, %r1;",
     {K::OutOfBounds}},
    {"misaligned shared store",
     0,
     "st.shared.f32 [%r7], %f1;",
     "st.shared.f32 [%r7+2], %f1;",
     {K::Misaligned}},
    {"shared index past the end",
     0,
     "ld.shared.f32 %f4, [%r7];",
     "ld.shared.f32 %f4, [%r7+1024];",
     {K::OutOfBounds}},
    {"uninitialised shared memory",
     0,
     "st.shared.f32 [%r7], %f1;",
     "@%p1 st.shared.f32 [%r7], %f1;",
     {K::UninitialisedMemory}},
    {"uninitialised register",
     0,
     "mov.f32 %f1, 0f00000000;",
     "",
     {K::UninitialisedRegister, K::UninitialisedMemory}},
    {"shuffle by half a warp",
     0,
     "setp.ge.u32 %p4, %r2, 32;",
     "setp.ge.u32 %p4, %r2, 16;",
     {K::Divergence}},
    {"barrier by half of the lanes",
     0,
     "bar.sync 0; // in the tree",
     "and.b32 %r11, %r2, 1;\n  setp.eq.u32 %p6, %r11, 0;\n  @%p6 bar.sync 0;",
     {K::Divergence}},

    {"no commit",
     1,
     "cp.async.commit_group; // next",
     "",
     {K::Race, K::UninitialisedMemory}},
    {"wait for one group less",
     1,
     "cp.async.wait_group 1;",
     "cp.async.wait_group 2;",
     {K::Race, K::UninitialisedMemory}},
    {"no wait for copies",
     1,
     "cp.async.wait_group 1;",
     "",
     {K::Race, K::UninitialisedMemory}},
    {"no barrier after the wait", 1, "bar.sync 0; // arrived", "", {K::Race}},
    {"no barrier before the next copy",
     1,
     "bar.sync 0; // consumed",
     "",
     {K::Race}},
    {"stages overlap",
     1,
     "add.u32 %r13, %r12, 4096;",
     "add.u32 %r13, %r12, 2048;",
     {K::Race, K::UninitialisedMemory}},
    {"row address past the tile",
     1,
     "and.b32 %r16, %r14, 15;",
     "and.b32 %r16, %r14, 15;\n  add.u32 %r16, %r16, 128;",
     {K::OutOfBounds, K::UninitialisedMemory}},
    {"ldmatrix rows misaligned",
     1,
     "and.b32 %r18, %r14, 16;",
     "and.b32 %r18, %r14, 24;",
     {K::Misaligned}},

    {"no barrier after mbarrier.init",
     2,
     "bar.sync 0; // mbarriers ready",
     "",
     {K::Race, K::MbarrierMisuse}},
    {"no expect_tx",
     2,
     "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r14], 16384;",
     "mbarrier.arrive.shared::cta.b64 _, [%r14];",
     {K::MbarrierBytes, K::Race}},
    {"expects too few bytes",
     2,
     "_, [%r14], 16384;",
     "_, [%r14], 8192;",
     {K::MbarrierBytes}},
    {"expects too many bytes",
     2,
     "_, [%r14], 16384;",
     "_, [%r14], 16400;",
     {K::MbarrierBytes}},
    {"wrong parity of full",
     2,
     "and.b32 %r12, %r12, 1;          // full parity",
     "and.b32 %r12, %r12, 1;\n  xor.b32 %r12, %r12, 1;",
     {K::Race, K::UninitialisedMemory}},
    {"wrong parity of empty",
     2,
     "xor.b32 %r12, %r12, 1;          // empty parity",
     "",
     {K::Deadlock}},
    {"phase of full never flips",
     2,
     "shr.u32 %r12, %r10, 1;\n  and.b32 %r12, "
     "%r12, 1;          // full parity",
     "mov.u32 %r12, 0;",
     {K::Race, K::Deadlock, K::UninitialisedMemory}},
    {"no arrival at empty",
     2,
     "@%p6 mbarrier.arrive.shared::cta.b64 _, [%r14+16];",
     "",
     {K::Deadlock}},
    {"arrival before the products are done",
     2,
     "wgmma.wait_group.sync.aligned 0;",
     "wgmma.wait_group.sync.aligned 1;",
     {K::Race, K::AccumulatorInFlight}},
    {"no wait for wgmma",
     2,
     "wgmma.wait_group.sync.aligned 0;",
     "",
     {K::AccumulatorInFlight}},
    {"no wgmma.fence",
     3,
     "wgmma.fence.sync.aligned; // values",
     "",
     {K::AccumulatorInFlight}},
    {"waits once, not in a loop",
     3,
     "@!done bra WAIT;",
     "",
     {K::Race, K::UninitialisedMemory}},
    {"no wgmma.fence before the first wgmma",
     3,
     "wgmma.fence.sync.aligned; // scores",
     "",
     {K::AccumulatorInFlight}},
    {"proxy fence of global memory alone",
     2,
     "fence.proxy.async.shared::cta;",
     "fence.proxy.async.global;",
     {K::ProxyFence}},
    {"no proxy fence before the store",
     2,
     "fence.proxy.async.shared::cta;",
     "",
     {K::ProxyFence}},
    {"no barrier before the store",
     2,
     "bar.sync 1, 128; // tile stored",
     "",
     {K::Race}},
    {"no commit of the store",
     2,
     "cp.async.bulk.commit_group;",
     "",
     {K::AsyncNotAwaited}},
    {"no wait for the store",
     2,
     "cp.async.bulk.wait_group 0;",
     "",
     {K::AsyncNotAwaited}},
    {"stages overlap in shared memory",
     2,
     "shl.b32 %r16, %r11, 13;\n  add.u32 %r16, %r16, %r3;\n  add.u32 %r17, "
     "%r16, 16384;\n  shl.b32 %r18, %r10, 6;",
     "shl.b32 %r16, %r11, 13;\n  add.u32 %r16, %r16, %r3;\n  add.u32 %r17, "
     "%r16, 8192;\n  shl.b32 %r18, %r10, 6;",
     {K::Race}},
    {"tile destination misaligned",
     2,
     "add.u32 %r17, %r16, 16384;\n  shl.b32",
     "add.u32 %r17, %r16, 16448;\n  shl.b32",
     {K::Misaligned}},

    {"scores read before their wait",
     3,
     "wgmma.wait_group.sync.aligned 0; // scores",
     "",
     {K::AccumulatorInFlight}},
    {"no commit of the scores",
     3,
     "wgmma.commit_group.sync.aligned; // scores",
     "",
     {K::AccumulatorInFlight}},
    {"values stored before their wait",
     3,
     "wgmma.wait_group.sync.aligned 0; // values",
     "",
     {K::AccumulatorInFlight}},
    {"descriptor outside shared memory",
     3,
     "add.u32 %r6, %r3, 16384;\n  cvt",
     "add.u32 %r6, %r3, 20480;\n  cvt",
     {K::Descriptor}},
    {"waits for the other parity",
     3,
     "done, [%r4], 0;",
     "done, [%r4], 1;",
     {K::Race, K::UninitialisedMemory}},

    {"flag stored without release",
     4,
     "st.release.gpu.global.u32",
     "st.relaxed.gpu.global.u32",
     {K::Race}},
    {"flag loaded without acquire",
     4,
     "ld.acquire.gpu.global.u32",
     "ld.relaxed.gpu.global.u32",
     {K::Race}},
    {"plain flag", 4, "st.release.gpu.global.u32", "st.global.u32", {K::Race}},
    {"flag never set", 4, "mov.u32 %r4, 1;", "mov.u32 %r4, 0;", {K::Deadlock}},

    {"no cluster barrier before the load",
     5,
     "barrier.cluster.arrive.release.aligned; // sent\n  "
     "barrier.cluster.wait.acquire.aligned; // sent",
     "",
     {K::Race, K::UninitialisedMemory}},
    {"relaxed arrival at the cluster",
     5,
     "barrier.cluster.arrive.release.aligned; // sent",
     "barrier.cluster.arrive.relaxed.aligned;",
     {K::Race}},
    {"sends to a block that may not have started",
     5,
     "barrier.cluster.arrive.aligned;\n  barrier.cluster.wait.aligned; "
     "// started",
     "",
     {K::Race}},
    {"block rank outside the cluster",
     5,
     "xor.b32 %r3, %r2, 1;",
     "xor.b32 %r3, %r2, 2;",
     {K::OutOfBounds}},

    {"named barrier with the wrong count",
     6,
     "bar.sync 2, 64; // wait full",
     "bar.sync 2, 96;",
     {K::Deadlock, K::Divergence}},
    {"does not wait for full",
     6,
     "bar.sync 2, 64; // wait full",
     "bar.arrive 2, 64;",
     {K::Race, K::UninitialisedMemory, K::Deadlock}},
    {"never frees the tile",
     6,
     "bar.arrive 1, 64; // free again",
     "",
     {K::Deadlock}},
};

static std::string planted(const Fault &fault) {
  std::string text = kernels[fault.kernel].text();
  size_t at = text.find(fault.from);
  EXPECT_NE(at, std::string::npos) << fault.what;
  if (at == std::string::npos)
    return text;
  EXPECT_EQ(text.find(fault.from, at + 1), std::string::npos) << fault.what;
  return text.replace(at, std::string(fault.from).size(), fault.to);
}

TEST(Faults, EveryPlantedFaultIsFound) {
  for (const Fault &fault : faults) {
    std::string text = planted(fault);
    for (uint64_t seed : {1, 2, 3}) {
      Options options;
      options.seed = seed;
      options.maxInstructions = 2'000'000;
      Report report = kernels[fault.kernel].run(text, options).report;
      bool found = false;
      for (FindingKind kind : fault.expected)
        found |= has(report, kind);
      EXPECT_TRUE(found) << fault.what << ", seed " << seed << "\n"
                         << textOf(report);
    }
  }
  EXPECT_GE(std::size(faults), 25u);
}

/// The fault is in the tensor map that the host makes.
TEST(Faults, WrongTensorMapsAreFound) {
  const struct {
    TensorSwizzle swizzle;
    uint64_t strideError;
    FindingKind expected;
  } maps[] = {{TensorSwizzle::None, 0, K::Layout},
              {TensorSwizzle::Bytes32, 0, K::TensorMapInvalid},
              {TensorSwizzle::Bytes64, 0, K::TensorMapInvalid},
              {TensorSwizzle::Bytes128, 16, K::OutOfBounds}};
  for (auto &map : maps) {
    Outcome outcome = runTensorGemm(tensorGemmKernel(), Options(), map.swizzle,
                                    map.strideError);
    EXPECT_TRUE(has(outcome.report, map.expected)) << textOf(outcome.report);
    EXPECT_FALSE(outcome.numbersRight);
  }
}

/// Wrong descriptors of tensor gemm and attention: what replaces the stride of
/// 1024 bytes and the swizzle of 128, and starts that are 16 and 32 bytes, a
/// row, and 8 rows too late.
TEST(Faults, WrongDescriptorsAreFound) {
  const std::string right = "0x4000004000010000;";
  const std::string late = right + "\n  add.u64 TARGET, TARGET, ";
  const std::string wrong[] = {"0x4000002000010000;", // stride of 512 bytes
                               "0x4000008000010000;", // stride of 2048 bytes
                               "0x4000000000010000;", // no stride
                               "0x8000004000010000;", // 64-byte swizzle
                               "0xC000004000010000;", // 32-byte swizzle
                               "0x0000004000010000;", // no swizzle
                               late + "1;",           late + "2;",
                               late + "8;",           late + "64;"};
  for (const std::string &descriptor : wrong)
    for (int kernel : {2, 3}) {
      std::string text = kernels[kernel].text();
      // Each descriptor of the kernel in turn.
      for (size_t at = text.find(right); at != std::string::npos;
           at = text.find(right, at + 1)) {
        size_t target = text.rfind("or.b64 ", at) + 7;
        std::string name = text.substr(target, text.find(',', target) - target);
        std::string planted = text;
        planted.replace(at, right.size(), descriptor);
        for (size_t use; (use = planted.find("TARGET")) != std::string::npos;)
          planted.replace(use, 6, name);
        Report report = kernels[kernel].run(planted, Options()).report;
        EXPECT_TRUE(has(report, K::Layout) || has(report, K::Descriptor))
            << descriptor << " at " << at << "\n"
            << textOf(report);
      }
    }
}

TEST(Faults, FindingsNameLineThreadAndAddress) {
  std::string text = reduceKernel();
  std::string from = "setp.lt.u32 %p1, %r4, %r1;";
  text.replace(text.find(from), from.size(), "setp.le.u32 %p1, %r4, %r1;");
  Report report = runReduce(text, Options()).report;
  ASSERT_EQ(report.findings.size(), 1u);
  const Finding &finding = report.findings[0];
  size_t line = 1;
  for (size_t i = 0; i < text.find("@%p1 ld.global.f32"); ++i)
    line += text[i] == '\n';
  EXPECT_EQ(finding.where.line, line);
  EXPECT_EQ(finding.block[0], 2u);
  EXPECT_EQ(finding.thread[0], 700u - 512u);
  EXPECT_NE(finding.address, 0u);
}

} // namespace heddle::ptx::test
