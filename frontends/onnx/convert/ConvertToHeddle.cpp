//===- ConvertToHeddle.cpp - onnx dialect to the import form --------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/convert/ConvertToHeddle.h"

#include "dialects/heddle/HeddleDialect.h"
#include "frontends/onnx/convert/EntrySignature.h"
#include "frontends/onnx/convert/NodeConversion.h"
#include "frontends/onnx/convert/OpTable.h"

#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace heddle;

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

/// The operator with its domain, as diagnostics name it.
static std::string operatorName(onnx::NodeOp node) {
  std::string name = node.getOpType().str();
  return node.getDomain().empty() ? name : node.getDomain().str() + "." + name;
}

static InFlightDiagnostic refuseOperator(onnx::NodeOp node) {
  InFlightDiagnostic diag = emitError(node.getLoc())
                            << "operator '" << operatorName(node) << "' (opset "
                            << node.getVersion() << ") is not supported";
  for (const OpRow &row : opTable())
    if (row.domain == node.getDomain() && row.opType == node.getOpType())
      diag.attachNote() << "it is supported from opset " << row.firstVersion
                        << " to " << row.lastVersion;
  return diag;
}

/// Whether tensors of this element type can be computed with.
static bool isSupported(Type elementType) {
  if (auto integer = dyn_cast_or_null<IntegerType>(elementType))
    return llvm::is_contained({1u, 8u, 16u, 32u, 64u}, integer.getWidth());
  return isa_and_nonnull<Float16Type, BFloat16Type, Float32Type, Float64Type>(
      elementType);
}

/// Whether the analysis knows all that the conversion needs of `value`.
static LogicalResult checkTensor(const ShapeAnalysis &analysis, Value value,
                                 const Twine &what) {
  const AbstractTensor &tensor = analysis.lookup(value);
  if (!tensor.shape || !tensor.elementType)
    return emitError(value.getLoc())
           << what << " has no known rank, which is not supported";
  if (!isSupported(tensor.elementType))
    return emitError(value.getLoc())
           << what << " has the element type " << tensor.elementType
           << ", which is not supported";
  for (auto [axis, size] : llvm::enumerate(*tensor.shape))
    if (!size.isComputable())
      return emitError(value.getLoc())
             << what << " has a size that only the data decide, on axis "
             << axis << ", which is not supported";
  return success();
}

/// Whether somebody reads a result that is not known from the sizes alone.
static bool needsConversion(onnx::NodeOp node, const ShapeAnalysis &analysis) {
  return llvm::any_of(node.getResults(), [&](Value result) {
    return !result.use_empty() && !isKnown(analysis, result);
  });
}

/// Names every operator that is not supported.
static LogicalResult checkOperators(func::FuncOp function,
                                    const ShapeAnalysis &analysis) {
  LogicalResult result = success();
  for (auto node : function.front().getOps<onnx::NodeOp>())
    if (needsConversion(node, analysis) &&
        !lookupOp(node.getDomain(), node.getOpType(), node.getVersion()))
      result = refuseOperator(node);
  return result;
}

/// Converts a node of a supported operator.
static LogicalResult convertNode(onnx::NodeOp op, ValueTable &values,
                                 TensorBuilder &build) {
  const OpRow *row = lookupOp(op.getDomain(), op.getOpType(), op.getVersion());
  for (Value operand : op.getInputs())
    if (!isa<NoneType>(operand.getType()) &&
        failed(checkTensor(values.analysis, operand,
                           "an input of operator '" + op.getOpType() + "'")))
      return failure();
  for (Value result : op.getResults())
    if (!result.use_empty() &&
        failed(checkTensor(values.analysis, result,
                           "a result of operator '" + op.getOpType() + "'")))
      return failure();

  build.setLoc(op.getLoc());
  NodeConversion node(op, values, build);
  if (failed(row->function(node)))
    return failure();
  if (SymExpr size = build.takeUnresolved())
    return node.emitError() << "has the size " << size.str()
                            << ", which the sizes of the inputs do not give";
  return success();
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

/// The attributes of the arguments or results that stand for `values`:
/// `heddle.name` where there is an `onnx.name`, and `heddle.unsigned` for
/// integers that are.
static SmallVector<DictionaryAttr>
convertAttributes(const ShapeAnalysis &analysis, ArrayAttr attributes,
                  ValueRange values) {
  SmallVector<DictionaryAttr> converted;
  for (auto [i, value] : llvm::enumerate(values)) {
    MLIRContext *context = analysis.lookup(value).elementType.getContext();
    NamedAttrList list;
    if (attributes)
      if (Attribute name = cast<DictionaryAttr>(attributes[i]).get("onnx.name"))
        list.set("heddle.name", name);
    if (analysis.lookup(value).elementType.isUnsignedInteger())
      list.set("heddle.unsigned", UnitAttr::get(context));
    converted.push_back(list.getDictionary(context));
  }
  return converted;
}

/// Checks arguments and results, and declares the new entry after the old.
static FailureOr<func::FuncOp> declareEntry(func::FuncOp function,
                                            const ShapeAnalysis &analysis) {
  SmallVector<Type> inputs, results;
  for (BlockArgument argument : function.getArguments()) {
    if (failed(checkTensor(analysis, argument, "an input of the model")))
      return failure();
    inputs.push_back(EntrySignature::convertedType(analysis, argument));
  }
  Operation *terminator = function.front().getTerminator();
  for (Value result : terminator->getOperands()) {
    if (failed(checkTensor(analysis, result, "an output of the model")))
      return failure();
    results.push_back(EntrySignature::convertedType(analysis, result));
  }
  OpBuilder builder(function);
  builder.setInsertionPointAfter(function);
  auto entry =
      func::FuncOp::create(builder, function.getLoc(), function.getSymName(),
                           builder.getFunctionType(inputs, results));
  entry.setAllArgAttrs(convertAttributes(analysis, function.getAllArgAttrs(),
                                         function.getArguments()));
  entry.setAllResultAttrs(convertAttributes(
      analysis, function.getAllResultAttrs(), terminator->getOperands()));
  return entry;
}

/// Returns the converted values, each with its sizes bound.
static void emitReturn(func::ReturnOp terminator, ValueTable &values,
                       TensorBuilder &build) {
  OpBuilder &builder = build.getBuilder();
  build.setLoc(terminator.getLoc());
  SmallVector<SymTensor> results;
  for (Value result : terminator.getOperands())
    results.push_back(values.tensor(result));
  SmallVector<Value> returned;
  for (const SymTensor &result : results) {
    BindShapeOp::create(builder, terminator.getLoc(), result.value,
                        build.dynamicSizes(result.shape));
    returned.push_back(result.value);
  }
  func::ReturnOp::create(builder, terminator.getLoc(), returned);
}

/// Converts the body of `function` into `entry`. Sizes are written to a first
/// block and tensors to a second, which are then one: so a size stands before
/// every tensor that needs it.
static LogicalResult convertBody(func::FuncOp function, func::FuncOp entry,
                                 const ShapeAnalysis &analysis) {
  Block *head = entry.addEntryBlock();
  Block *body = entry.addBlock();
  OpBuilder sizeBuilder = OpBuilder::atBlockEnd(head);
  OpBuilder tensorBuilder = OpBuilder::atBlockEnd(body);

  EntrySignature signature(function, analysis, sizeBuilder);
  signature.bindArguments(entry.getArguments());
  signature.emitGuards();

  TensorBuilder build(analysis, tensorBuilder, signature.sizes());
  ValueTable values(analysis, build);
  for (auto [old, argument] :
       llvm::zip(function.getArguments(), entry.getArguments()))
    values.set(old, {argument, SymShape(analysis.shapeOf(old))});

  for (auto node : function.front().getOps<onnx::NodeOp>())
    if (needsConversion(node, analysis) &&
        failed(convertNode(node, values, build)))
      return failure();
  emitReturn(cast<func::ReturnOp>(function.front().getTerminator()), values,
             build);

  head->getOperations().splice(head->end(), body->getOperations());
  body->erase();
  return success();
}

static LogicalResult convertFunction(func::FuncOp function,
                                     const ShapeAnalysis::DimRanges &ranges) {
  FailureOr<std::unique_ptr<ShapeAnalysis>> analysis =
      ShapeAnalysis::run(function, ranges);
  if (failed(analysis))
    return failure();
  if (failed(checkOperators(function, **analysis)))
    return failure();
  FailureOr<func::FuncOp> entry = declareEntry(function, **analysis);
  if (failed(entry))
    return failure();
  if (failed(convertBody(function, *entry, **analysis))) {
    entry->erase();
    return failure();
  }
  // Nodes that only gave shapes have left tensors that nobody reads.
  IRRewriter rewriter(function.getContext());
  std::ignore = runRegionDCE(rewriter, entry->getBody());
  function.erase();
  return success();
}

LogicalResult heddle::convertToHeddle(ModuleOp module,
                                      const ShapeAnalysis::DimRanges &ranges) {
  SmallVector<func::FuncOp> functions(module.getOps<func::FuncOp>());
  for (func::FuncOp function : functions) {
    bool isOnnx = llvm::any_of(function.getBody().getOps(), [](Operation &op) {
      return isa_and_nonnull<onnx::OnnxDialect>(op.getDialect());
    });
    if (isOnnx && failed(convertFunction(function, ranges)))
      return failure();
  }
  return success();
}
