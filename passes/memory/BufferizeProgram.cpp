//===- BufferizeProgram.cpp - memory for the tensors of a program ---------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "passes/Passes.h"
#include "passes/analysis/OpRoles.h"
#include "passes/analysis/TensorSizes.h"
#include "passes/memory/MemRefViews.h"
#include "passes/memory/Placement.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"

using namespace mlir;

namespace heddle {
#define GEN_PASS_DEF_BUFFERIZEPROGRAM
#include "passes/Passes.h.inc"
} // namespace heddle

using namespace heddle;

namespace {

/// Rewrites one entry function.
class ProgramBufferizer {
public:
  ProgramBufferizer(func::FuncOp func)
      : func(func), rewriter(func.getContext()), placement(rewriter, outputs),
        options(remark::RemarkOpts::name("copy")
                    .category("heddle-bufferize-program")
                    .function(func.getSymName())) {}

  LogicalResult run();

private:
  void hoistSizes();
  void addOutputArguments();
  LogicalResult bindOutputs();
  LogicalResult convert(Operation *op);
  LogicalResult convertKernel(KernelOp kernel);
  LogicalResult convertConcat(tensor::ConcatOp concat);
  LogicalResult convertView(Operation *op);
  LogicalResult convertReturn(func::ReturnOp op);
  /// The memref that a constant, weight or packed weight is mapped to.
  FailureOr<Value> convertWeight(Operation *op);
  /// The memref of `tensor`, wherever it comes from.
  FailureOr<Value> getMemRef(Value tensor);
  void createCopy(Location loc, Value source, Value target, StringRef why);
  void eraseTensors();

  func::FuncOp func;
  IRRewriter rewriter;
  SmallVector<BlockArgument> outputs;
  Placement placement;
  remark::RemarkOpts options;
  SmallVector<Operation *> converted;
};

} // namespace

/// Moves size arithmetic to the top, so that a buffer can be made wherever it
/// is needed first. A division by a size, which is not speculatable, moves too:
/// the host program makes divisions by zero safe (codegen/host).
void ProgramBufferizer::hoistSizes() {
  Block &body = func.getBody().front();
  Operation *last = nullptr;
  for (Operation &op : llvm::make_early_inc_range(body)) {
    bool isSize =
        op.getNumResults() > 0 && op.getNumRegions() == 0 &&
        llvm::all_of(op.getResultTypes(),
                     [](Type type) { return type.isIntOrIndex(); }) &&
        llvm::none_of(op.getOperandTypes(), llvm::IsaPred<ShapedType>) &&
        isMemoryEffectFree(&op);
    if (!isSize)
      continue;
    if (last)
      op.moveAfter(last);
    else
      op.moveBefore(&body, body.begin());
    last = &op;
  }
}

/// Adds one memref argument per result and makes the tensor arguments memrefs
/// for all but heddle.bind_shape.
void ProgramBufferizer::addOutputArguments() {
  Block &body = func.getBody().front();
  FunctionType type = func.getFunctionType();
  SmallVector<DictionaryAttr> attributes;
  func.getAllArgAttrs(attributes);
  attributes.resize(type.getNumInputs(), rewriter.getDictionaryAttr({}));
  SmallVector<Type> inputs;
  for (Type input : type.getInputs())
    inputs.push_back(getContiguousType(cast<RankedTensorType>(input)));
  for (auto [i, result] : llvm::enumerate(type.getResults())) {
    inputs.push_back(getContiguousType(cast<RankedTensorType>(result)));
    outputs.push_back(body.addArgument(inputs.back(), func.getLoc()));
    NamedAttrList named(func.getResultAttrDict(i));
    named.set("heddle.output", rewriter.getUnitAttr());
    attributes.push_back(named.getDictionary(func.getContext()));
  }
  func.removeResAttrsAttr();
  func.setType(rewriter.getFunctionType(inputs, {}));
  func.setAllArgAttrs(attributes);
}

/// Ties the sizes of the output arguments, as those of the returned tensors
/// were.
LogicalResult ProgramBufferizer::bindOutputs() {
  auto ret = cast<func::ReturnOp>(func.getBody().front().getTerminator());
  rewriter.setInsertionPoint(ret);
  for (auto [value, output] : llvm::zip_equal(ret.getOperands(), outputs)) {
    FailureOr<SmallVector<OpFoldResult>> sizes =
        getTensorSizes(rewriter, value);
    if (failed(sizes))
      return failure();
    SmallVector<Value> dynamic;
    auto type = cast<MemRefType>(output.getType());
    for (auto [size, actual] : llvm::zip_equal(type.getShape(), *sizes))
      if (ShapedType::isDynamic(size))
        dynamic.push_back(
            getValueOrCreateConstantIndexOp(rewriter, ret.getLoc(), actual));
    BindShapeOp::create(rewriter, ret.getLoc(), output, dynamic);
  }
  return success();
}

void ProgramBufferizer::createCopy(Location loc, Value source, Value target,
                                   StringRef why) {
  auto sourceType = cast<MemRefType>(source.getType());
  auto targetType = cast<MemRefType>(target.getType());
  MLIRContext *context = func.getContext();
  auto strided = LayoutAttr::get(context, Layout::strided);
  auto kernel = KernelOp::create(
      rewriter, loc, TypeRange(), source, target,
      rewriter.getStringAttr("copy"), rewriter.getArrayAttr({strided, strided}),
      ScheduleAttr::get(context, "elementwise",
                        rewriter.getDictionaryAttr({})));
  OpBuilder::InsertionGuard guard(rewriter);
  Type tensors[] = {
      RankedTensorType::get(sourceType.getShape(), sourceType.getElementType()),
      RankedTensorType::get(targetType.getShape(),
                            targetType.getElementType())};
  Block *body =
      rewriter.createBlock(&kernel.getBody(), {}, tensors, {loc, loc});
  SmallVector<AffineMap> maps(
      2, rewriter.getMultiDimIdentityMap(sourceType.getRank()));
  SmallVector<utils::IteratorType> loops(sourceType.getRank(),
                                         utils::IteratorType::parallel);
  auto copy = linalg::GenericOp::create(
      rewriter, loc, tensors[1], body->getArgument(0), body->getArgument(1),
      maps, loops, [](OpBuilder &nested, Location loc, ValueRange values) {
        linalg::YieldOp::create(nested, loc, values[0]);
      });
  YieldOp::create(rewriter, loc, copy.getResults());
  remark::missed(loc, options) << "copy" << remark::reason("{0}", why);
}

FailureOr<Value> ProgramBufferizer::convertWeight(Operation *op) {
  TypedAttr value;
  IntegerAttr panel;
  bool transposed = false;
  Operation *definer = op;
  if (auto pack = dyn_cast<PackOp>(op)) {
    panel = pack.getPanelAttr();
    transposed = pack.getTransposed();
    definer = pack.getInput().getDefiningOp();
  }
  if (auto weight = dyn_cast_or_null<WeightOp>(definer))
    value = cast<TypedAttr>(weight.getValue());
  else if (!definer || !matchPattern(definer, m_Constant(&value)))
    return op->emitError("expects a pack of a weight or a constant");
  MemRefType type =
      getContiguousType(cast<RankedTensorType>(op->getResult(0).getType()));
  return WeightOp::create(rewriter, op->getLoc(), type, value, panel,
                          transposed)
      .getResult();
}

FailureOr<Value> ProgramBufferizer::getMemRef(Value tensor) {
  if (Value known = placement.lookup(tensor))
    return known;
  Operation *op = tensor.getDefiningOp();
  bool isWeight = op && (isa<WeightOp, PackOp>(op) ||
                         op->hasTrait<OpTrait::ConstantLike>());
  if (!isWeight)
    return emitError(tensor.getLoc())
           << "expects a tensor that a kernel, view or weight gives";
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(op);
  FailureOr<Value> memref = convertWeight(op);
  if (succeeded(memref))
    placement.assign(tensor, *memref);
  return memref;
}

LogicalResult ProgramBufferizer::convertKernel(KernelOp kernel) {
  rewriter.setInsertionPoint(kernel);
  if (!kernel.getLayouts())
    return kernel.emitOpError("expects layouts before bufferisation");
  auto layoutOf = [&](unsigned i) {
    return cast<LayoutAttr>((*kernel.getLayouts())[i]).getValue();
  };
  SmallVector<Value> inputs, targets;
  for (auto [i, input] : llvm::enumerate(kernel.getInputs())) {
    if (!isa<TensorType>(input.getType())) {
      inputs.push_back(input);
      continue;
    }
    FailureOr<Value> memref = getMemRef(input);
    if (failed(memref))
      return failure();
    if (!satisfiesLayout(cast<MemRefType>(memref->getType()), layoutOf(i))) {
      FailureOr<Value> buffer = placement.createBuffer(input);
      if (failed(buffer))
        return failure();
      createCopy(kernel.getLoc(), *memref, *buffer,
                 "an operand of the kernel must be contiguous");
      memref = buffer;
    }
    inputs.push_back(*memref);
  }
  for (auto [i, result] : llvm::enumerate(kernel.getResults())) {
    FailureOr<Value> target =
        placement.getDestination(result, layoutOf(inputs.size() + i));
    if (failed(target))
      return failure();
    targets.push_back(*target);
  }
  auto buffered =
      KernelOp::create(rewriter, kernel.getLoc(), TypeRange(), inputs, targets,
                       kernel.getReasonAttr(), kernel.getLayoutsAttr(),
                       kernel.getScheduleAttr());
  buffered.getBody().takeBody(kernel.getBody());
  return success();
}

LogicalResult ProgramBufferizer::convertConcat(tensor::ConcatOp concat) {
  rewriter.setInsertionPoint(concat);
  for (auto [i, input] : llvm::enumerate(concat.getInputs())) {
    FailureOr<Value> part = placement.getConcatPart(concat, i);
    FailureOr<Value> source = getMemRef(input);
    if (failed(part) || failed(source))
      return failure();
    if (*part != *source)
      createCopy(concat.getLoc(), *source, *part,
                 "an operand of a concatenation has other readers");
  }
  // A concatenation of nothing in place still needs its buffer.
  return success(
      succeeded(placement.getDestination(concat.getResult(), Layout::strided)));
}

LogicalResult ProgramBufferizer::convertView(Operation *op) {
  if (placement.lookup(op->getResult(0)))
    return success();
  rewriter.setInsertionPoint(op);
  FailureOr<Value> source = getMemRef(op->getOperand(0));
  if (failed(source))
    return failure();
  Value view = createView(rewriter, op, *source);
  if (!view) {
    FailureOr<Value> buffer = placement.createBuffer(op->getOperand(0));
    if (failed(buffer))
      return failure();
    createCopy(op->getLoc(), *source, *buffer,
               "a reshape of a tensor that is not contiguous");
    view = createView(rewriter, op, *buffer);
  }
  placement.assign(op->getResult(0), view);
  return success();
}

LogicalResult ProgramBufferizer::convertReturn(func::ReturnOp op) {
  rewriter.setInsertionPoint(op);
  for (auto [value, output] : llvm::zip_equal(op.getOperands(), outputs)) {
    FailureOr<Value> source = getMemRef(value);
    if (failed(source))
      return failure();
    if (*source != output)
      createCopy(op.getLoc(), *source, output,
                 "a result is an input, a weight, a view, or returned twice");
  }
  func::ReturnOp::create(rewriter, op.getLoc());
  return success();
}

LogicalResult ProgramBufferizer::convert(Operation *op) {
  if (auto kernel = dyn_cast<KernelOp>(op))
    return kernel.getNumResults() == 0 ? success() : convertKernel(kernel);
  if (auto concat = dyn_cast<tensor::ConcatOp>(op))
    return convertConcat(concat);
  if (auto ret = dyn_cast<func::ReturnOp>(op))
    return convertReturn(ret);
  if (isView(op))
    return convertView(op);
  if (auto bind = dyn_cast<BindShapeOp>(op)) {
    if (Value memref = placement.lookup(bind.getValue());
        memref && isa<BlockArgument>(bind.getValue())) {
      rewriter.setInsertionPoint(op);
      BindShapeOp::create(rewriter, op->getLoc(), memref, bind.getSizes());
    }
    return success();
  }
  bool onTensors =
      llvm::any_of(op->getResultTypes(), llvm::IsaPred<TensorType>) ||
      llvm::any_of(op->getOperandTypes(), llvm::IsaPred<TensorType>);
  if (!onTensors || isa<tensor::EmptyOp, WeightOp, PackOp>(op) ||
      op->hasTrait<OpTrait::ConstantLike>())
    return success();
  return op->emitError("expects every computing op to be in a kernel, got '")
         << op->getName() << "'";
}

/// Erases what is on tensors, in the reverse order.
void ProgramBufferizer::eraseTensors() {
  for (Operation *op : llvm::reverse(converted)) {
    bool onTensors =
        llvm::any_of(op->getResultTypes(), llvm::IsaPred<TensorType>) ||
        llvm::any_of(op->getOperandTypes(), llvm::IsaPred<TensorType>);
    if (onTensors)
      rewriter.eraseOp(op);
  }
}

LogicalResult ProgramBufferizer::run() {
  if (!llvm::hasSingleElement(func.getBody()) ||
      !isa<func::ReturnOp>(func.getBody().front().getTerminator()))
    return func.emitOpError("expects one block that ends in func.return");
  for (Type type :
       llvm::concat<const Type>(func.getArgumentTypes(), func.getResultTypes()))
    if (!isa<RankedTensorType>(type))
      return func.emitOpError("expects ranked tensors in and out, got ")
             << type;
  hoistSizes();
  Block &body = func.getBody().front();
  unsigned numInputs = body.getNumArguments();
  addOutputArguments();
  if (failed(bindOutputs()))
    return failure();
  // Tensor arguments stay as they are until their readers are gone; a memref
  // argument stands beside each meanwhile.
  for (unsigned i = 0; i < numInputs; ++i) {
    BlockArgument argument = body.getArgument(i);
    auto memref = body.insertArgument(
        numInputs + i,
        getContiguousType(cast<RankedTensorType>(argument.getType())),
        argument.getLoc());
    placement.assign(argument, memref);
  }
  for (Operation &op : body)
    converted.push_back(&op);
  for (Operation *op : converted)
    if (failed(convert(op)))
      return failure();
  auto *oldReturn = converted.back();
  converted.pop_back();
  rewriter.eraseOp(oldReturn);
  eraseTensors();
  body.eraseArguments(0, numInputs);
  return success();
}

namespace {
struct BufferizeProgram final
    : heddle::impl::BufferizeProgramBase<BufferizeProgram> {
  using Base::Base;
  void runOnOperation() override {
    if (getOperation().isDeclaration())
      return;
    if (failed(ProgramBufferizer(getOperation()).run()))
      signalPassFailure();
  }
};
} // namespace
