//===- Faults.cpp - run-time errors that kernels can report ---------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "codegen/cpu/Faults.h"

#include "dialects/heddle/HeddleDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;
using namespace heddle;

// Offsets of heddle_call_t::fault and ::fault_detail in bytes; module_abi.h
// asserts them.
static constexpr int32_t kFaultOffset = 80;
static constexpr int32_t kFaultDetailOffset = 88;

static constexpr StringLiteral kReportFunction = "heddle_report_fault";

/// Loads the pointer at byte `offset` of the record behind `call`.
static Value loadField(ImplicitLocOpBuilder &b, Value call, int32_t offset) {
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  Value field = LLVM::GEPOp::create(b, pointer, b.getI8Type(), call,
                                    ArrayRef<LLVM::GEPArg>{offset});
  return LLVM::LoadOp::create(b, pointer, field);
}

/// The function `report(call, code: i32, detail: i64)`: the first one of a call
/// to come stores its code and detail.
static func::FuncOp getReportFunction(ModuleOp module) {
  if (auto func = module.lookupSymbol<func::FuncOp>(kReportFunction))
    return func;
  ImplicitLocOpBuilder b(module.getLoc(), module.getContext());
  b.setInsertionPointToEnd(module.getBody());
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  auto func = func::FuncOp::create(
      b, kReportFunction,
      b.getFunctionType({pointer, b.getI32Type(), b.getI64Type()}, {}));
  func.setPrivate();
  // Objects of several kernels are linked together, and each has its own.
  func->setAttr("llvm.linkage", LLVM::LinkageAttr::get(
                                    b.getContext(), LLVM::Linkage::Internal));
  func->setAttr("no_inline", b.getUnitAttr());

  Block *entry = func.addEntryBlock();
  b.setInsertionPointToStart(entry);
  Value call = entry->getArgument(0), code = entry->getArgument(1);
  Value none = arith::ConstantIntOp::create(b, 0, 32);
  auto exchange = LLVM::AtomicCmpXchgOp::create(
      b, loadField(b, call, kFaultOffset), none, code,
      LLVM::AtomicOrdering::acq_rel, LLVM::AtomicOrdering::acquire);
  Value first = LLVM::ExtractValueOp::create(b, exchange, 1);
  auto ifFirst = scf::IfOp::create(b, first, /*withElseRegion=*/false);
  b.setInsertionPointToStart(ifFirst.thenBlock());
  LLVM::StoreOp::create(b, entry->getArgument(2),
                        loadField(b, call, kFaultDetailOffset));
  b.setInsertionPointToEnd(entry);
  func::ReturnOp::create(b);
  return func;
}

static void lowerCheckedIndex(CheckedIndexOp op, Value call,
                              func::FuncOp report, unsigned fault) {
  ImplicitLocOpBuilder b(op.getLoc(), op);
  Value given = op.getValue();
  if (!given.getType().isIndex())
    given = arith::IndexCastOp::create(b, b.getIndexType(), given);
  Value zero = arith::ConstantIndexOp::create(b, 0);
  Value negative =
      arith::CmpIOp::create(b, arith::CmpIPredicate::slt, given, zero);
  Value fromEnd = arith::AddIOp::create(b, given, op.getSize());
  Value index = arith::SelectOp::create(b, negative, fromEnd, given);
  // Unsigned: what is still negative is outside too.
  Value outside =
      arith::CmpIOp::create(b, arith::CmpIPredicate::uge, index, op.getSize());
  auto ifOutside = scf::IfOp::create(b, outside, /*withElseRegion=*/false);
  b.setInsertionPointToStart(ifOutside.thenBlock());
  Value code = arith::ConstantIntOp::create(b, 1 + fault, 32);
  Value detail = arith::IndexCastOp::create(b, b.getI64Type(), given);
  func::CallOp::create(b, report, ValueRange{call, code, detail});
  b.setInsertionPoint(op);
  op.replaceAllUsesWith(
      arith::SelectOp::create(b, outside, zero, index).getResult());
  op.erase();
}

void heddle::lowerCheckedIndex(func::FuncOp func, Value call,
                               const FaultTable &faults) {
  func.walk([&](CheckedIndexOp op) {
    func::FuncOp report = getReportFunction(func->getParentOfType<ModuleOp>());
    ::lowerCheckedIndex(op, call, report, faults.indexOf(op.getText()));
  });
}
