//===- Jit.cpp - a kernel as callable machine code ------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "Jit.h"

#include "codegen/cpu/KernelBuilder.h"
#include "codegen/cpu/LowerToLLVM.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Pass/PassManager.h"

#include "llvm/ExecutionEngine/Orc/ExecutionUtils.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <array>
#include <ctime>
#include <utility>

using namespace mlir;
using namespace heddle;
using namespace heddle::kernelrun;
using llvm::orc::LLJIT;

static llvm::Error failed(const char *what) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), what);
}

/// Gives every public function the C interface that Kernel::call uses.
static void addInterfaces(ModuleOp module) {
  for (auto func : module.getOps<func::FuncOp>())
    if (func.isPublic())
      func->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(),
                    UnitAttr::get(module.getContext()));
}

static llvm::Error lower(ModuleOp module) {
  addInterfaces(module);
  PassManager manager(module.getContext());
  addLowerToLLVMPasses(manager);
  return mlir::failed(manager.run(module)) ? failed("lowering failed")
                                           : llvm::Error::success();
}

llvm::Expected<std::string> heddle::kernelrun::printStage(KernelDefOp def,
                                                          const CpuFacts &facts,
                                                          Stage stage) {
  auto module = buildKernel(def, facts, FaultTable(def));
  if (mlir::failed(module))
    return failed("the kernel was not built");
  std::string text;
  llvm::raw_string_ostream stream(text);
  if (stage != Stage::Kernel)
    if (llvm::Error error = lower(**module))
      return error;
  if (stage != Stage::Assembly) {
    (*module)->print(stream);
    return text;
  }
  auto code = compileModule(**module, facts, CodeFormat::Assembly);
  if (mlir::failed(code))
    return failed("compilation failed");
  return std::string(code->begin(), code->end());
}

llvm::Expected<std::unique_ptr<LLJIT>>
heddle::kernelrun::loadModule(ModuleOp module, const CpuFacts &facts) {
  if (llvm::Error error = lower(module))
    return error;
  auto code = compileModule(module, facts, CodeFormat::Object);
  if (mlir::failed(code))
    return failed("compilation failed");
  auto jit = llvm::orc::LLJITBuilder().create();
  if (!jit)
    return jit.takeError();
  auto buffer = llvm::MemoryBuffer::getMemBufferCopy(
      StringRef(code->data(), code->size()), "kernel");
  if (llvm::Error error = (*jit)->addObjectFile(std::move(buffer)))
    return error;
  return jit;
}

llvm::Expected<void *> heddle::kernelrun::lookupFunction(LLJIT &jit,
                                                         StringRef name) {
  auto address = jit.lookup(("_mlir_ciface_" + name).str());
  if (!address)
    return address.takeError();
  return address->toPtr<void *>();
}

llvm::Expected<Kernel> Kernel::compile(KernelDefOp def, const CpuFacts &facts) {
  auto module = buildKernel(def, facts, FaultTable(def));
  if (mlir::failed(module))
    return failed("the kernel was not built");
  Kernel kernel;
  auto func = (*module)->lookupSymbol<func::FuncOp>(def.getSymName());
  if (func->getAttrOfType<StringAttr>(kFamilyAttr) !=
      def.getSchedule().getFamily())
    return failed("the kernel's family cannot build it");
  kernel.scratchBytes =
      func->getAttrOfType<IntegerAttr>(kScratchBytesAttr).getInt();
  auto jit = loadModule(**module, facts);
  if (!jit)
    return jit.takeError();
  kernel.jit = std::move(*jit);
  auto function = lookupFunction(*kernel.jit, def.getSymName());
  if (!function)
    return function.takeError();
  kernel.function = *function;
  return kernel;
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

// Every argument is one integer register or stack slot, so one function type
// per number of arguments serves all kernels.
static constexpr size_t kMaxArguments = 24;

template <size_t... Index>
static void callWith(void *function, ArrayRef<uint64_t> arguments,
                     std::index_sequence<Index...>) {
  using Function = void (*)(decltype(uint64_t(Index))...);
  reinterpret_cast<Function>(function)(arguments[Index]...);
}

template <size_t... Count>
static auto makeCallers(std::index_sequence<Count...>) {
  using Caller = void (*)(void *, ArrayRef<uint64_t>);
  return std::array<Caller, sizeof...(Count)>{
      [](void *function, ArrayRef<uint64_t> arguments) {
        callWith(function, arguments, std::make_index_sequence<Count>());
      }...};
}

void Kernel::call(ArrayRef<uint64_t> arguments) const {
  static const auto callers =
      makeCallers(std::make_index_sequence<kMaxArguments + 1>());
  if (arguments.size() > kMaxArguments)
    llvm::report_fatal_error("too many kernel arguments for this program");
  callers[arguments.size()](function, arguments);
}

//===----------------------------------------------------------------------===//
// Peak
//===----------------------------------------------------------------------===//

// Independent accumulators: more than latency times throughput of an FMA on any
// core, fewer than the registers of AVX2.
static constexpr int kChains = 12;

/// func @peak(%count: index, %out: !llvm.ptr): `count` rounds of kChains FMAs.
static OwningOpRef<ModuleOp> buildPeakLoop(MLIRContext *context,
                                           const CpuFacts &facts) {
  ImplicitLocOpBuilder b(UnknownLoc::get(context), context);
  OwningOpRef<ModuleOp> module = ModuleOp::create(b.getLoc());
  b.setInsertionPointToStart(module->getBody());
  auto pointer = LLVM::LLVMPointerType::get(context);
  auto func = func::FuncOp::create(
      b, "peak", b.getFunctionType({b.getIndexType(), pointer}, {}));
  Block *entry = func.addEntryBlock();
  b.setInsertionPointToStart(entry);
  auto type = VectorType::get({facts.lanes(32)}, b.getF32Type());
  auto splat = [&](float value) -> Value {
    return arith::ConstantOp::create(b, DenseElementsAttr::get(type, value));
  };
  SmallVector<Value> chains;
  for (int i = 0; i < kChains; ++i)
    chains.push_back(splat(1.0f + i));
  // Numbers that keep changing: a chain that comes to rest takes less power,
  // and the core would run faster than it does on data.
  Value factor = splat(-0.9999f), addend = splat(0.7071f);
  Value zero = arith::ConstantIndexOp::create(b, 0);
  Value one = arith::ConstantIndexOp::create(b, 1);
  auto loop = scf::ForOp::create(
      b, zero, entry->getArgument(0), one, chains,
      [&](OpBuilder &nested, Location loc, Value, ValueRange values) {
        SmallVector<Value> next;
        for (Value value : values)
          next.push_back(
              vector::FMAOp::create(nested, loc, value, factor, addend));
        scf::YieldOp::create(nested, loc, next);
      });
  Value sum = loop.getResult(0);
  for (Value value : loop.getResults().drop_front())
    sum = arith::AddFOp::create(b, sum, value);
  LLVM::StoreOp::create(b, sum, entry->getArgument(1), /*alignment=*/4);
  func::ReturnOp::create(b);
  return module;
}

double heddle::kernelrun::getThreadSeconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec + 1e-9 * time.tv_nsec;
}

llvm::Expected<double> heddle::kernelrun::measurePeak(MLIRContext *context,
                                                      const CpuFacts &facts) {
  OwningOpRef<ModuleOp> module = buildPeakLoop(context, facts);
  auto jit = loadModule(*module, facts);
  if (!jit)
    return jit.takeError();
  auto function = lookupFunction(**jit, "peak");
  if (!function)
    return function.takeError();
  float out[64];
  double best = 0;
  constexpr uint64_t rounds = 1 << 20;
  for (int repeat = 0; repeat < 10; ++repeat) {
    double start = getThreadSeconds();
    reinterpret_cast<void (*)(uint64_t, float *)>(*function)(rounds, out);
    double seconds = getThreadSeconds() - start;
    double operations = 2.0 * rounds * kChains * facts.lanes(32);
    best = std::max(best, operations / seconds);
  }
  return best;
}
