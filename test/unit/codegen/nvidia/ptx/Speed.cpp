// Speed.cpp - warp instructions per second of the interpreter, as a table.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/FaultKernels.h"
#include "test/unit/codegen/nvidia/ptx/Kernel.h"

#include <cstdio>
#include <ctime>

namespace heddle::ptx::test {

/// Integer and floating-point work in a loop, no memory.
static std::string scalarKernel() {
  return R"(.version 8.0
.target sm_90
.address_size 64
.visible .entry scalar(.param .u64 out)
{
  .reg .b32 %r<12>;
  .reg .f32 %f<6>;
  .reg .b64 %rd<4>;
  .reg .pred %p;
  ld.param.u64 %rd1, [out];
  mov.u32 %r1, 0;
  mov.u32 %r2, %tid.x;
  mov.f32 %f1, 0f3F800000;
  cvt.rn.f32.u32 %f2, %r2;
  mov.u32 %r3, 1;
LOOP:
  add.u32 %r3, %r3, %r2;
  xor.b32 %r4, %r3, %r1;
  mul.lo.u32 %r5, %r4, 5;
  shl.b32 %r6, %r5, 3;
  add.f32 %f1, %f1, %f2;
  mul.f32 %f3, %f1, %f2;
  fma.rn.f32 %f4, %f3, %f2, %f1;
  max.f32 %f5, %f4, %f1;
  and.b32 %r7, %r6, 255;
  add.u32 %r3, %r3, %r7;
  add.u32 %r1, %r1, 1;
  setp.lt.u32 %p, %r1, 100000;
  @%p bra LOOP;
  mul.wide.u32 %rd2, %r2, 4;
  add.u64 %rd3, %rd1, %rd2;
  st.global.u32 [%rd3], %r3;
  ret;
}
)";
}

static void print(Kernel &kernel, const char *name, const char *size) {
  for (bool checks : {true, false}) {
    kernel.launch.options.checks = checks;
    std::clock_t begin = std::clock();
    Report report = kernel.run();
    double seconds = double(std::clock() - begin) / CLOCKS_PER_SEC;
    if (!isClean(report))
      std::printf("%s", textOf(report).c_str());
    std::printf("%-12s %-14s %-5s %10llu %9.4f s %8.2f M/s\n", name, size,
                checks ? "all" : "none",
                (unsigned long long)report.statistics.warpInstructions, seconds,
                double(report.statistics.warpInstructions) / seconds * 1e-6);
  }
}

static void measure() {
  std::printf("%-12s %-14s %-5s %10s %11s %12s\n", "kernel", "size", "check",
              "warp instr", "seconds", "speed");
  std::vector<uint32_t> out(128);
  Kernel scalar(scalarKernel());
  scalar.addBuffer(out, "out");
  scalar.launch.block[0] = 128;
  print(scalar, "scalar", "4 warps");

  std::vector<float> x(1 << 20, 1.0f), sums(4096);
  Kernel reduce(reduceKernel());
  reduce.addBuffer(x, "x");
  reduce.addBuffer(sums, "out");
  reduce.add(uint32_t(x.size()));
  reduce.launch.grid[0] = 4096;
  reduce.launch.block[0] = 256;
  print(reduce, "reduce", "1048576");

  const int m = 256, n = 512, k = 320;
  std::vector<uint16_t> a = randomBf16(m * k, 1), b = randomBf16(n * k, 2);
  std::vector<float> c(m * n);
  Kernel gemm(tensorGemmKernel());
  gemm.add(encode(matrixMap(gemm.buffer(a, "a"), m, k, 64, 64)));
  gemm.add(encode(matrixMap(gemm.buffer(b, "b"), n, k, 64, 64)));
  gemm.add(encode(matrixMap(gemm.buffer(c, "c"), m, n, 64, 64,
                            TensorElement::F32, TensorSwizzle::None)));
  gemm.add(k / 64);
  gemm.launch.grid[0] = n / 64;
  gemm.launch.grid[1] = m / 64;
  gemm.launch.block[0] = 160;
  gemm.launch.dynamicShared = 49184;
  print(gemm, "bf16 gemm", "256x512x320");
}

} // namespace heddle::ptx::test

int main() { heddle::ptx::test::measure(); }
