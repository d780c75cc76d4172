//===- VectorMathTest.cpp - accuracy of the elementary functions ----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "codegen/cpu/VectorMath.h"
#include "codegen/cpu/Loops.h"
#include "codegen/cpu/LowerToLLVM.h"
#include "dialects/RegisterDialects.h"
#include "test/tools/heddle-kernel-run/Jit.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "gtest/gtest.h"

#include <bit>
#include <cmath>
#include <functional>

using namespace mlir;
using namespace heddle;

namespace {

/// A function as VectorMath builds it and as libm has it in f64.
struct Function {
  std::function<Value(VectorMath &, Value)> build;
  double (*exact)(double);
};

/// What a memref argument is in the C interface.
struct Descriptor {
  float *allocated, *aligned;
  int64_t offset = 0, size, stride = 1;
};

class VectorMathTest : public ::testing::TestWithParam<llvm::StringRef> {
protected:
  void SetUp() override {
    std::string error;
    facts = *cpuFactsOfTier(GetParam(), error);
    if (!hostRuns(facts))
      GTEST_SKIP() << "this machine cannot run code for " << facts.tier;
    DialectRegistry registry;
    registerAllDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    initializeCpuTarget(context);
  }

  /// Evaluates `function` at all of `inputs`, whole vectors of them.
  std::vector<float> evaluate(const Function &function,
                              std::vector<float> inputs);

  /// Checks `function` at numbers all over [low, high], every exponent
  /// included: the error is at most `ulps` units in the last place of the exact
  /// result, or `absolute(x)`.
  void check(const Function &function, double ulps, float low, float high,
             double (*absolute)(double) = nullptr);

  MLIRContext context;
  CpuFacts facts;
};

} // namespace

std::vector<float> VectorMathTest::evaluate(const Function &function,
                                            std::vector<float> inputs) {
  ImplicitLocOpBuilder b(UnknownLoc::get(&context), &context);
  OwningOpRef<ModuleOp> module = ModuleOp::create(b.getLoc());
  b.setInsertionPointToStart(module->getBody());
  auto memref = MemRefType::get({ShapedType::kDynamic}, b.getF32Type());
  auto func = func::FuncOp::create(
      b, "f", b.getFunctionType({memref, memref, b.getIndexType()}, {}));
  Block *entry = func.addEntryBlock();
  b.setInsertionPointToStart(entry);
  func::ReturnOp::create(b);
  b.setInsertionPointToStart(entry);
  int64_t width = facts.lanes(32);
  auto type = VectorType::get({width}, b.getF32Type());
  buildLoop(b, {indexConstant(b, 0), entry->getArgument(2)},
            indexConstant(b, width), [&](Value i) {
              Value x =
                  vector::LoadOp::create(b, type, entry->getArgument(0), i);
              VectorMath math(b);
              vector::StoreOp::create(b, function.build(math, x),
                                      entry->getArgument(1), i);
            });
  auto jit = llvm::cantFail(kernelrun::loadModule(*module, facts));
  void *code = llvm::cantFail(kernelrun::lookupFunction(*jit, "f"));
  while (inputs.size() % width)
    inputs.push_back(inputs.back());
  std::vector<float> outputs(inputs.size());
  int64_t size = inputs.size();
  Descriptor in{inputs.data(), inputs.data(), 0, size};
  Descriptor out{outputs.data(), outputs.data(), 0, size};
  reinterpret_cast<void (*)(Descriptor *, Descriptor *, int64_t)>(code)(
      &in, &out, size);
  return outputs;
}

/// One unit in the last place of `value` as f32; that of the smallest normal
/// number below it.
static double unitInLastPlace(double value) {
  int exponent = std::max(std::ilogb(std::fabs(value)), -126);
  return std::ldexp(1.0, exponent - 23);
}

void VectorMathTest::check(const Function &function, double ulps, float low,
                           float high, double (*absolute)(double)) {
  // Every 4999th bit pattern: all exponents, mantissas of no pattern.
  std::vector<float> inputs;
  for (uint64_t bits = 0; bits <= UINT32_MAX; bits += 4999) {
    float x = std::bit_cast<float>(static_cast<uint32_t>(bits));
    if (x >= low && x <= high)
      inputs.push_back(x);
  }
  // And numbers at equal distances where the function does something.
  for (float x = std::max(low, -100.0f), end = std::min(high, 100.0f); x <= end;
       x += 1.0f / 1024)
    inputs.push_back(x);
  std::vector<float> outputs = evaluate(function, inputs);
  double worst = 0;
  float worstInput = 0;
  for (auto [x, y] : llvm::zip_first(inputs, outputs)) {
    double exact = function.exact(x);
    double bound = ulps * unitInLastPlace(exact);
    if (absolute)
      bound = std::max(bound, absolute(x));
    // An infinity in place of a result that rounds to it is right.
    double error = static_cast<float>(exact) == y ? 0 : std::fabs(y - exact);
    if (!(error / bound <= worst)) {
      worst = error / bound;
      worstInput = x;
    }
  }
  EXPECT_LE(worst, 1) << "in units of the bound, at " << worstInput;
}

static constexpr float kLargest = std::numeric_limits<float>::max();

TEST_P(VectorMathTest, Exp) {
  Function exp = {[](VectorMath &m, Value x) { return m.exp(x); }, std::exp};
  check(exp, 2, -kLargest, kLargest);
  auto ends = evaluate(exp, {INFINITY, -INFINITY, NAN, 0.0f});
  EXPECT_EQ(ends[0], INFINITY);
  EXPECT_EQ(ends[1], 0.0f);
  EXPECT_TRUE(std::isnan(ends[2]));
  EXPECT_EQ(ends[3], 1.0f);
}

TEST_P(VectorMathTest, Exp2NonPositive) {
  Function exp2 = {[](VectorMath &m, Value x) { return m.exp2NonPositive(x); },
                   std::exp2};
  check(exp2, 3, -126, 0);
  auto ends = evaluate(exp2, {-127.0f, -INFINITY, NAN, 0.0f});
  EXPECT_EQ(ends[0], 0.0f);
  EXPECT_EQ(ends[1], 0.0f);
  EXPECT_TRUE(std::isnan(ends[2]));
  EXPECT_EQ(ends[3], 1.0f);
}

TEST_P(VectorMathTest, Log) {
  Function log = {[](VectorMath &m, Value x) { return m.log(x); }, std::log};
  check(log, 2, std::numeric_limits<float>::denorm_min(), kLargest);
  auto ends = evaluate(log, {0.0f, INFINITY, -1.0f, NAN, 1.0f});
  EXPECT_EQ(ends[0], -INFINITY);
  EXPECT_EQ(ends[1], INFINITY);
  EXPECT_TRUE(std::isnan(ends[2]));
  EXPECT_TRUE(std::isnan(ends[3]));
  EXPECT_EQ(ends[4], 0.0f);
}

TEST_P(VectorMathTest, Tanh) {
  Function tanh = {[](VectorMath &m, Value x) { return m.tanh(x); }, std::tanh};
  check(tanh, 3, -kLargest, kLargest);
  auto ends = evaluate(tanh, {INFINITY, -INFINITY, NAN});
  EXPECT_EQ(ends[0], 1.0f);
  EXPECT_EQ(ends[1], -1.0f);
  EXPECT_TRUE(std::isnan(ends[2]));
}

TEST_P(VectorMathTest, Erf) {
  Function erf = {[](VectorMath &m, Value x) { return m.erf(x); }, std::erf};
  check(erf, 5, -kLargest, kLargest);
  EXPECT_TRUE(std::isnan(evaluate(erf, {NAN})[0]));
}

static double exactGelu(double x) {
  return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
}

static double exactTanhGelu(double x) {
  double inner = std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x);
  return 0.5 * x * (1 + std::tanh(inner));
}

TEST_P(VectorMathTest, Gelu) {
  auto bound = [](double x) { return 5e-7 * std::max(1.0, std::fabs(x)); };
  check({[](VectorMath &m, Value x) {
           return m.gelu(x, GeluApproximation::none);
         },
         exactGelu},
        0, -1e4f, 1e4f, bound);
  check({[](VectorMath &m, Value x) {
           return m.gelu(x, GeluApproximation::tanh);
         },
         exactTanhGelu},
        0, -1e4f, 1e4f, bound);
}

INSTANTIATE_TEST_SUITE_P(Tiers, VectorMathTest,
                         ::testing::Values("x86-64-v3", "x86-64-v4"));
