//===- EntrySignature.cpp - sizes at the borders of an entry --------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/convert/EntrySignature.h"

#include "dialects/heddle/HeddleDialect.h"
#include "dialects/onnx/OnnxDialect.h"
#include "frontends/onnx/convert/NodeConversion.h"

using namespace mlir;
using namespace heddle;

EntrySignature::EntrySignature(func::FuncOp function,
                               const ShapeAnalysis &analysis,
                               OpBuilder &builder)
    : function(function), analysis(analysis), builder(builder),
      materializer(builder, function.getLoc(), [this](const SymAtom &symbol) {
        return symbolValues.lookup(&symbol);
      }) {}

RankedTensorType EntrySignature::convertedType(const ShapeAnalysis &analysis,
                                               Value value) {
  const AbstractTensor &tensor = analysis.lookup(value);
  return TensorBuilder::type(*tensor.shape, signless(tensor.elementType));
}

Value EntrySignature::makeSymbol(StringRef name, const SymRange &range) {
  IntegerAttr upper;
  if (range.upper)
    upper = builder.getI64IntegerAttr(*range.upper);
  return SymbolOp::create(builder, function.getLoc(), builder.getIndexType(),
                          builder.getStringAttr(name),
                          builder.getI64IntegerAttr(range.lower), upper,
                          builder.getI64IntegerAttr(range.divisor));
}

/// The value that the runtime binds to an axis of this size.
Value EntrySignature::axisSize(SymExpr size) {
  const SymAtom *atom = size.atom();
  if (atom && atom->isSymbol()) {
    Value &value = symbolValues[atom];
    if (!value)
      value = makeSymbol(atom->name(), atom->range());
    return value;
  }
  for (auto &[known, value] : compoundSizes)
    if (known == size)
      return value;
  SymInterval interval = analysis.context().interval(size);
  SymRange range;
  range.lower = std::max<int64_t>(interval.lower.value_or(0), 0);
  range.upper = interval.upper;
  Value value = makeSymbol(size.str(), range);
  compoundSizes.emplace_back(size, value);
  return value;
}

void EntrySignature::bindArguments(ValueRange arguments) {
  SmallVector<SmallVector<Value>> sizes;
  for (BlockArgument argument : function.getArguments()) {
    SmallVector<Value> &dynamic = sizes.emplace_back();
    for (SymExpr size : analysis.shapeOf(argument))
      if (!size.constant())
        dynamic.push_back(axisSize(size));
  }
  for (auto [argument, dynamic] : llvm::zip(arguments, sizes))
    BindShapeOp::create(builder, function.getLoc(), argument, dynamic);
  solveSymbols();
}

/// Symbols that no axis has alone follow from the sizes that they are part of;
/// every other compound size must be what its symbols make it.
void EntrySignature::solveSymbols() {
  Location loc = function.getLoc();
  SmallVector<SymExpr> solvedFrom;
  for (const SymbolBinding &binding : analysis.bindings()) {
    if (symbolValues.contains(binding.symbol))
      continue;
    SymExpr size =
        analysis.shapeOf(function.getArgument(binding.argument))[binding.axis];
    Value offset = materializer.materialize(binding.offset);
    Value total =
        size.constant() ? materializer.materialize(size) : axisSize(size);
    Value symbol = arith::SubIOp::create(builder, loc, total, offset);
    symbolValues[binding.symbol] = symbol;
    // A size that the model fixes is checked as such.
    if (size.constant())
      continue;
    solvedFrom.push_back(size);
    int64_t lower = binding.symbol->range().lower;
    std::string text = "expects " + binding.symbol->name().str() +
                       " to be at least " + std::to_string(lower) +
                       ", where an input has the size " + size.str();
    GuardOp::create(
        builder, loc, GuardPredicate::le,
        materializer.materialize(analysis.context().constant(lower)), symbol,
        text);
  }
  for (auto [size, value] : compoundSizes) {
    if (llvm::is_contained(solvedFrom, size))
      continue;
    if (Value expected = materializer.materialize(size))
      GuardOp::create(builder, loc, GuardPredicate::eq, value, expected,
                      "expects an input to have the size " + size.str());
  }
}

void EntrySignature::emitGuards() {
  for (const ShapeGuard &guard : analysis.guards()) {
    Value lhs = materializer.materialize(guard.lhs);
    Value rhs = materializer.materialize(guard.rhs);
    if (!lhs || !rhs)
      continue;
    GuardPredicate predicate = guard.predicate == ShapeGuard::Predicate::Equal
                                   ? GuardPredicate::eq
                                   : GuardPredicate::le;
    GuardOp::create(builder, function.getLoc(), predicate, lhs, rhs,
                    guard.sentence);
  }
}
