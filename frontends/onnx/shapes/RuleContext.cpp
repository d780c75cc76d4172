//===- RuleContext.cpp - what a shape rule sees of one node ---------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/shapes/RuleContext.h"

#include "frontends/onnx/shapes/ShapeInference.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace heddle;

SymContext &RuleContext::symbols() { return inference.analysis.context(); }

//===----------------------------------------------------------------------===//
// The node
//===----------------------------------------------------------------------===//

bool RuleContext::hasInput(unsigned index) {
  return index < numInputs() && !isa<NoneType>(op.getInputs()[index].getType());
}

const AbstractTensor &RuleContext::input(unsigned index) {
  static const AbstractTensor nothing;
  return hasInput(index) ? inference.analysis.lookup(op.getInputs()[index])
                         : nothing;
}

const SymShape *RuleContext::shape(unsigned index) {
  const AbstractTensor &tensor = input(index);
  return tensor.shape ? &*tensor.shape : nullptr;
}

const std::vector<SymExpr> *RuleContext::values(unsigned index) {
  const AbstractTensor &tensor = input(index);
  return tensor.values ? &*tensor.values : nullptr;
}

std::optional<SmallVector<int64_t>> RuleContext::constants(unsigned index) {
  if (!hasInput(index))
    return std::nullopt;
  return inference.analysis.constantsOf(op.getInputs()[index]);
}

int64_t RuleContext::intAttr(StringRef name, int64_t defaultValue) {
  auto attr = dyn_cast_or_null<IntegerAttr>(op.getNodeAttr(name));
  return attr ? attr.getInt() : defaultValue;
}

std::optional<SmallVector<int64_t>> RuleContext::intsAttr(StringRef name) {
  auto attr = dyn_cast_or_null<DenseI64ArrayAttr>(op.getNodeAttr(name));
  if (!attr)
    return std::nullopt;
  return SmallVector<int64_t>(attr.asArrayRef());
}

StringRef RuleContext::stringAttr(StringRef name, StringRef defaultValue) {
  auto attr = dyn_cast_or_null<StringAttr>(op.getNodeAttr(name));
  return attr ? attr.getValue() : defaultValue;
}

AbstractTensor RuleContext::tensorAttr(StringRef name) {
  auto attr = dyn_cast_or_null<TypedAttr>(op.getNodeAttr(name));
  return attr ? abstractConstant(symbols(), attr) : AbstractTensor();
}

std::optional<SmallVector<int64_t>>
RuleContext::intsInputOrAttr(unsigned index, StringRef name) {
  return hasInput(index) ? constants(index) : intsAttr(name);
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

/// Whether every constant among `values` is a value of `type`.
static bool fitType(ArrayRef<SymExpr> values, IntegerType type) {
  unsigned width = type.getWidth();
  return llvm::all_of(values, [&](SymExpr value) {
    std::optional<int64_t> constant = value.constant();
    if (!constant)
      return true;
    if (type.isUnsigned() || width == 1)
      return *constant >= 0 && (width >= 64 || *constant >> width == 0);
    return width >= 64 || llvm::isIntN(width, *constant);
  });
}

void RuleContext::setResult(unsigned index, AbstractTensor tensor) {
  if (index >= numResults())
    return;
  // Arithmetic of narrow types wraps around; ours does not.
  auto type = dyn_cast_or_null<IntegerType>(tensor.elementType);
  if (tensor.values && (!type || !fitType(*tensor.values, type)))
    tensor.values.reset();
  inference.analysis.tensors[op->getResult(index)] =
      std::make_unique<AbstractTensor>(std::move(tensor));
}

void RuleContext::setResult(unsigned index, Type elementType, SymShape shape) {
  AbstractTensor tensor;
  tensor.elementType = elementType;
  tensor.shape = std::move(shape);
  setResult(index, std::move(tensor));
}

LogicalResult RuleContext::setTypeOnly(Type elementType) {
  AbstractTensor tensor;
  tensor.elementType = elementType;
  setResult(0, std::move(tensor));
  return success();
}

SymExpr RuleContext::unknown(StringRef reason) {
  SymExpr &expr = inference.unknowns[{op.getOperation(), unknowns++}];
  if (!expr)
    expr = symbols().unknown(reason);
  return symbols().simplify(expr);
}

SymShape RuleContext::unknownShape(unsigned rank, StringRef reason) {
  SymShape shape;
  for (unsigned axis = 0; axis < rank; ++axis)
    shape.push_back(unknown(reason));
  return shape;
}

//===----------------------------------------------------------------------===//
// Conditions
//===----------------------------------------------------------------------===//

InFlightDiagnostic RuleContext::error() {
  return op.emitError() << op.getOpType() << " ";
}

FailureOr<unsigned> RuleContext::normalizeAxis(int64_t axis, unsigned rank) {
  int64_t signedRank = rank;
  if (axis < -signedRank || axis >= signedRank) {
    error() << "expects an axis of a tensor of rank " << rank << ", got "
            << axis;
    return failure();
  }
  return static_cast<unsigned>(axis < 0 ? axis + signedRank : axis);
}

void RuleContext::guard(ShapeGuard::Predicate predicate, SymExpr lhs,
                        SymExpr rhs, const Twine &sentence) {
  std::vector<ShapeGuard> &guards = inference.analysis.guardList;
  bool known = llvm::any_of(guards, [&](const ShapeGuard &other) {
    return other.predicate == predicate && other.lhs == lhs && other.rhs == rhs;
  });
  if (known)
    return;
  guards.push_back({predicate, lhs, rhs,
                    ("node '" + op.getNodeName() + "': " + sentence).str()});
  inference.guardPositions.push_back(inference.position);
}

FailureOr<SymExpr> RuleContext::unify(SymExpr a, SymExpr b, StringRef what) {
  if (symbols().provablyEqual(a, b))
    return a;
  if (symbols().provablyDifferent(a, b)) {
    error() << "expects " << what << " to be equal, got " << a.str() << " and "
            << b.str();
    return failure();
  }
  guard(ShapeGuard::Predicate::Equal, a, b,
        opType() + " expects " + what + " to be equal: " + a.str() + " and " +
            b.str());
  inference.learnt |= symbols().assumeEqual(a, b);
  return a.constant() || a.isComputable() > b.isComputable() ? a : b;
}

LogicalResult RuleContext::requireLessEqual(SymExpr a, SymExpr b,
                                            StringRef what) {
  if (symbols().provablyAtLeast(b, a))
    return success();
  if (symbols().provablyAtLeast(a, b + 1))
    return error() << "expects " << what << ", got " << a.str() << " > "
                   << b.str();
  guard(ShapeGuard::Predicate::LessEqual, a, b,
        opType() + " expects " + what + ": " + a.str() + " <= " + b.str());
  inference.learnt |= symbols().assumeLessEqual(a, b);
  return success();
}

/// Whether two sizes can only be 1 together: `min(64, seq)` is 1 exactly where
/// `seq` is.
bool RuleContext::oneTogether(SymExpr a, SymExpr b) {
  auto minimumOf = [&](SymExpr minimum, SymExpr operand) {
    const SymAtom *atom = minimum.atom();
    if (!atom || atom->kind() != SymAtomKind::Min)
      return false;
    return llvm::all_of(atom->operands(), [&](SymExpr other) {
      return other == operand || symbols().provablyAtLeast(other, 2);
    });
  };
  return minimumOf(a, b) || minimumOf(b, a);
}

FailureOr<SymExpr> RuleContext::broadcastDims(SymExpr a, SymExpr b) {
  if (a == b || b.isConstant(1))
    return a;
  if (a.isConstant(1))
    return b;
  SymExpr one = constant(1);
  bool aMayBeOne = !symbols().provablyDifferent(a, one);
  bool bMayBeOne = !symbols().provablyDifferent(b, one);
  if ((!aMayBeOne && !bMayBeOne) || oneTogether(a, b))
    return unify(a, b, "broadcast axes");
  if (symbols().provablyEqual(a, b))
    return a;

  // One of the two may be 1 when the model runs, and the other not.
  SymExpr fits =
      logicalOr(equal(a, b), logicalOr(equal(a, one), equal(b, one)));
  if (!fits.isConstant(1))
    guard(ShapeGuard::Predicate::Equal, fits, one,
          opType() + " expects broadcast axes to be equal, or one of them 1: " +
              a.str() + " and " + b.str());
  if (!aMayBeOne)
    return a;
  if (!bMayBeOne)
    return b;
  // The maximum does not depend on the order of a and b; with an empty axis it
  // would be wrong.
  if (symbols().provablyAtLeast(a, 1) && symbols().provablyAtLeast(b, 1))
    return max(a, b);
  return select(equal(a, one), b, a);
}

LogicalResult RuleContext::requireBroadcastTo(ArrayRef<SymExpr> operand,
                                              ArrayRef<SymExpr> target,
                                              StringRef what) {
  if (operand.size() > target.size())
    return error() << "expects " << what << " of rank " << target.size()
                   << " or less, got " << operand.size();
  SymExpr one = constant(1);
  for (auto [size, wanted] :
       llvm::zip_equal(operand, target.take_back(operand.size()))) {
    if (size.isConstant(1) || symbols().provablyEqual(size, wanted))
      continue;
    if (symbols().provablyDifferent(size, one)) {
      if (failed(unify(size, wanted, what)))
        return failure();
      continue;
    }
    SymExpr fits = logicalOr(equal(size, wanted), equal(size, one));
    if (!fits.isConstant(1))
      guard(ShapeGuard::Predicate::Equal, fits, one,
            opType() + " expects " + what + " to be equal, or the first 1: " +
                size.str() + " and " + wanted.str());
  }
  return success();
}

FailureOr<SymShape> RuleContext::broadcastShapes(ArrayRef<SymExpr> a,
                                                 ArrayRef<SymExpr> b) {
  if (a.size() < b.size())
    std::swap(a, b);
  SymShape result(a);
  for (size_t i = 0; i < b.size(); ++i) {
    SymExpr &dim = result[a.size() - b.size() + i];
    FailureOr<SymExpr> joined = broadcastDims(dim, b[i]);
    if (failed(joined))
      return failure();
    dim = *joined;
  }
  return result;
}
