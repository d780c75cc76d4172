// SharedSamplesTest.cpp - kernels that Triton compiled, against f64 on the
// host. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernels are found through HEDDLE_SHARED; without it the tests skip.

#include "test/unit/codegen/nvidia/ptx/Kernel.h"

#include <cmath>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <sstream>

namespace heddle::ptx::test {

static std::string sample(const std::string &name) {
  const char *shared = std::getenv("HEDDLE_SHARED");
  if (!shared)
    return {};
  std::ifstream file(std::string(shared) + "/gpu/triton_samples/" + name +
                     ".ptx");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Runs under a number of seeds and all async modes, expecting no finding.
class Samples : public testing::Test {
protected:
  void SetUp() override {
    if (!std::getenv("HEDDLE_SHARED"))
      GTEST_SKIP() << "HEDDLE_SHARED is not set";
  }

  static void runClean(Kernel &kernel, uint64_t seeds = 3) {
    for (uint64_t seed = 1; seed <= seeds; ++seed)
      for (AsyncMode mode :
           {AsyncMode::Late, AsyncMode::Early, AsyncMode::Random}) {
        kernel.launch.options.seed = seed;
        kernel.launch.options.async = mode;
        Report report = kernel.run();
        EXPECT_TRUE(isClean(report)) << textOf(report);
        if (!isClean(report))
          return;
      }
  }

  /// Prints the speed without checks; the numbers are the caller's to test.
  static void runFast(Kernel &kernel, const char *name) {
    kernel.launch.options.checks = false;
    // Time of the processor: other work on the machine must not count.
    std::clock_t begin = std::clock();
    Report report = kernel.run();
    double seconds = double(std::clock() - begin) / CLOCKS_PER_SEC;
    EXPECT_TRUE(isClean(report)) << textOf(report);
    printf("%-16s %10llu warp instructions %8.4f s %6.2f M/s\n", name,
           (unsigned long long)report.statistics.warpInstructions, seconds,
           double(report.statistics.warpInstructions) / seconds * 1e-6);
  }
};

TEST_F(Samples, VectorAdd) {
  // The kernel was compiled with the promise that n is a multiple of 16.
  for (int n : {5008, 1024, 16, 1040}) {
    std::vector<float> a(n), b(n), c(n);
    for (int i = 0; i < n; ++i) {
      a[i] = float(i) * 0.25f;
      b[i] = 1.0f / float(i + 1);
    }
    Kernel kernel(sample("vadd"));
    kernel.addBuffer(a, "a");
    kernel.addBuffer(b, "b");
    kernel.addBuffer(c, "c", false);
    kernel.add(n);
    kernel.add(uint64_t(0));
    kernel.add(uint64_t(0));
    kernel.launch.grid[0] = uint32_t(n + 1023) / 1024;
    kernel.launch.block[0] = 128;
    runClean(kernel);
    for (int i = 0; i < n; ++i)
      ASSERT_EQ(c[i], a[i] + b[i]) << i;
  }
}

TEST_F(Samples, Softmax) {
  for (int columns : {1777, 2048, 1, 33}) {
    int rows = 5, stride = 2048;
    std::vector<uint16_t> x = randomBf16(rows * stride, 7), y(rows * stride);
    Kernel kernel(sample("softmax"));
    kernel.addBuffer(y, "y");
    kernel.addBuffer(x, "x");
    kernel.add(stride);
    kernel.add(stride);
    kernel.add(columns);
    kernel.add(uint64_t(0));
    kernel.add(uint64_t(0));
    kernel.launch.grid[0] = rows;
    kernel.launch.block[0] = 256;
    kernel.launch.dynamicShared = 1024;
    runClean(kernel);
    for (int r = 0; r < rows; ++r) {
      double sum = 0, most = -INFINITY;
      for (int c = 0; c < columns; ++c)
        most = std::max<double>(most, bf16ToFloat(x[r * stride + c]));
      for (int c = 0; c < columns; ++c)
        sum += std::exp(bf16ToFloat(x[r * stride + c]) - most);
      for (int c = 0; c < columns; ++c) {
        double want = std::exp(bf16ToFloat(x[r * stride + c]) - most) / sum;
        ASSERT_NEAR(bf16ToFloat(y[r * stride + c]), want, want * 0.005);
      }
    }
  }
}

/// C = A B in f64 against bf16 results, a rounding of the output allowed.
static void expectProduct(const std::vector<uint16_t> &a,
                          const std::vector<uint16_t> &b, bool bTransposed,
                          const std::vector<uint16_t> &c, int m, int n, int k,
                          float (*toFloat)(uint16_t) = bf16ToFloat) {
  for (int i = 0; i < m; ++i)
    for (int j = 0; j < n; ++j) {
      double sum = 0, magnitude = 0;
      for (int q = 0; q < k; ++q) {
        double product = double(toFloat(a[i * k + q])) *
                         toFloat(bTransposed ? b[j * k + q] : b[q * n + j]);
        sum += product;
        magnitude += std::fabs(product);
      }
      double bound = k * 0x1p-23 * magnitude + std::fabs(sum) * 0x1p-8;
      ASSERT_NEAR(toFloat(c[i * n + j]), sum, bound) << i << "," << j;
    }
}

TEST_F(Samples, MatmulPointers) {
  struct {
    const char *name;
    uint32_t blockN, threads, shared;
  } kinds[] = {{"matmul", 256, 256, 196608}, {"matmul_sm80", 128, 128, 49152}};
  for (auto &kind : kinds) {
    int m = 256, n = 512, k = 256;
    bool half = false;
    std::vector<uint16_t> a = randomBf16(m * k, 1), b = randomBf16(k * n, 2),
                          c(m * n);
    Kernel kernel(sample(kind.name));
    kernel.addBuffer(a, "a");
    kernel.addBuffer(b, "b");
    kernel.addBuffer(c, "c", false);
    for (int value : {m, n, k, k, n, n})
      kernel.add(value);
    kernel.add(uint64_t(0));
    kernel.add(uint64_t(0));
    kernel.launch.grid[0] = m / 128;
    kernel.launch.grid[1] = n / kind.blockN;
    kernel.launch.block[0] = kind.threads;
    kernel.launch.dynamicShared = kind.shared;
    runClean(kernel, 1);
    expectProduct(a, b, false, c, m, n, k, half ? halfToFloat : bf16ToFloat);
    runFast(kernel, kind.name);
  }
}

TEST_F(Samples, MatmulTensorMaps) {
  int m = 256, n = 512, k = 320;
  std::vector<uint16_t> a = randomBf16(m * k, 1), b = randomBf16(n * k, 2),
                        c(m * n);
  Kernel kernel(sample("matmul_tma"));
  auto descriptor = [&](TensorMap map, int rows, int columns) {
    kernel.add(encode(map));
    kernel.add(rows);
    kernel.add(columns);
    kernel.add(uint64_t(columns));
    kernel.add(uint64_t(1));
  };
  descriptor(matrixMap(kernel.buffer(a, "a"), m, k, 128, 64), m, k);
  descriptor(matrixMap(kernel.buffer(b, "b"), n, k, 256, 64), n, k);
  descriptor(matrixMap(kernel.buffer(c, "c", false), m, n, 128, 64), m, n);
  kernel.add(k);
  kernel.add(uint64_t(0));
  kernel.add(uint64_t(0));
  kernel.launch.grid[0] = m / 128;
  kernel.launch.grid[1] = n / 256;
  kernel.launch.block[0] = 256;
  kernel.launch.dynamicShared = 147480;
  runClean(kernel, 1);
  expectProduct(a, b, true, c, m, n, k);
  runFast(kernel, "matmul_tma");
}

TEST_F(Samples, MatmulDeviceTensorMaps) {
  int m = 256, n = 512, k = 320;
  std::vector<uint16_t> a = randomBf16(m * k, 1), b = randomBf16(n * k, 2),
                        c(m * n);
  std::vector<std::byte> scratch(384 * 4), profile(16);
  Kernel kernel(sample("matmul_devtma"));
  kernel.addBuffer(a, "a");
  kernel.addBuffer(b, "b");
  kernel.addBuffer(c, "c", false);
  for (int value : {m, n, k})
    kernel.add(value);
  kernel.addBuffer(scratch, "global scratch");
  kernel.add(uint64_t(0));
  kernel.launch.grid[0] = m / 128;
  kernel.launch.grid[1] = n / 256;
  kernel.launch.block[0] = 256;
  kernel.launch.dynamicShared = 147480;
  runClean(kernel, 1);
  expectProduct(a, b, true, c, m, n, k);
  runFast(kernel, "matmul_devtma");
}

} // namespace heddle::ptx::test
