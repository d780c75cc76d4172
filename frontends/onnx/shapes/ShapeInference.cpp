//===- ShapeInference.cpp - the rounds of the shape analysis --------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/shapes/ShapeInference.h"

#include "frontends/onnx/shapes/ShapeRules.h"

#include "llvm/ADT/STLExtras.h"

#include <numeric>

using namespace mlir;
using namespace heddle;

/// Facts are few and each round uses up all that the round before has found, so
/// real models need two or three rounds. Stopping early loses precision only.
static constexpr unsigned maxRounds = 8;

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

using DeclaredDims = std::optional<SmallVector<std::string>>;

/// The declared sizes of an argument, "?" where there is none; nothing for one
/// of unknown rank.
static DeclaredDims declaredDims(func::FuncOp function, unsigned index) {
  SmallVector<std::string> dims;
  if (auto names = function.getArgAttrOfType<ArrayAttr>(index, "onnx.dims")) {
    for (Attribute name : names) {
      auto text = dyn_cast<StringAttr>(name);
      dims.push_back(text ? text.str() : "?");
    }
    return dims;
  }
  auto type = dyn_cast<RankedTensorType>(function.getArgument(index).getType());
  if (!type)
    return std::nullopt;
  for (int64_t size : type.getShape())
    dims.push_back(ShapedType::isDynamic(size) ? "?" : std::to_string(size));
  return dims;
}

static std::optional<int64_t> parseSize(StringRef text) {
  int64_t size;
  if (text.getAsInteger(10, size) || size < 0)
    return std::nullopt;
  return size;
}

/// Whether `text` is one name, and not an expression or unnamed.
static bool isLoneName(StringRef text) {
  if (text.empty() || text.contains('?') || parseSize(text))
    return false;
  SymContext scratch;
  std::optional<SymExpr> parsed = parseSymExpr(scratch, text);
  return !parsed || parsed->atom();
}

/// A name for the size of an axis that the model does not name.
static std::string anonymousName(func::FuncOp function, unsigned argument,
                                 unsigned axis) {
  auto name = function.getArgAttrOfType<StringAttr>(argument, "onnx.name");
  std::string base =
      name ? name.getValue().str() : ("input" + Twine(argument)).str();
  llvm::replace(base, '?', '_');
  return (base + "." + Twine(axis)).str();
}

SymExpr ShapeInference::bindLoneSymbol(unsigned argument, unsigned axis,
                                       StringRef name) {
  SymContext &symbols = analysis.context();
  SymExpr expr = symbols.symbol(name);
  if (const SymAtom *symbol = expr.atom();
      symbol && boundSymbols.insert(symbol).second)
    analysis.bindingList.push_back(
        {symbol, argument, axis, symbols.constant(0)});
  return expr;
}

/// Parses `text` in another context: a symbol that nothing binds must not be
/// made in the real one.
std::optional<SymExpr> ShapeInference::parseTrial(SymContext &scratch,
                                                  StringRef text) {
  for (const auto &entry : ranges)
    scratch.setRange(entry.getKey(), entry.getValue());
  return parseSymExpr(scratch, text);
}

/// Reads `text` as a sum over bound symbols and at most one new one, which the
/// size of this axis then binds.
std::optional<SymExpr> ShapeInference::bindSum(unsigned argument, unsigned axis,
                                               StringRef text) {
  SymContext &symbols = analysis.context();
  SymContext scratch;
  std::optional<SymExpr> trial = parseTrial(scratch, text);
  if (!trial)
    return std::nullopt;
  const SymAtom *unbound = nullptr;
  bool several = false;
  trial->forEachSymbol([&](const SymAtom &symbol) {
    const SymAtom *known = symbols.symbolIfMade(symbol.name());
    if (known && boundSymbols.contains(known))
      return;
    several |= unbound != nullptr;
    unbound = &symbol;
  });
  if (several)
    return std::nullopt;
  if (unbound) {
    // The new symbol must stand alone in the sum.
    bool solvable = false, nested = false;
    for (const SymTerm &term : trial->terms()) {
      bool alone = term.factors.size() == 1 && term.factors[0] == unbound &&
                   term.coefficient == 1;
      solvable |= alone;
      if (!alone)
        for (const SymAtom *factor : term.factors)
          scratch.atomExpr(factor).forEachSymbol(
              [&](const SymAtom &symbol) { nested |= &symbol == unbound; });
    }
    if (!solvable || nested)
      return std::nullopt;
  }
  SymExpr expr = *parseSymExpr(symbols, text);
  if (unbound)
    if (const SymAtom *symbol = symbols.symbolIfMade(unbound->name());
        symbol && boundSymbols.insert(symbol).second)
      analysis.bindingList.push_back(
          {symbol, argument, axis, expr - symbols.atomExpr(symbol)});
  return expr;
}

SymExpr ShapeInference::bindDim(unsigned argument, unsigned axis,
                                StringRef text) {
  if (std::optional<int64_t> size = parseSize(text))
    return analysis.context().constant(*size);
  if (text.empty() || text.contains('?'))
    return bindLoneSymbol(argument, axis,
                          anonymousName(function, argument, axis));
  if (!isLoneName(text))
    if (std::optional<SymExpr> sum = bindSum(argument, axis, text))
      return *sum;
  return bindLoneSymbol(argument, axis, text);
}

void ShapeInference::bindArguments() {
  unsigned count = function.getNumArguments();
  argumentShapes.resize(count);
  SmallVector<DeclaredDims> declared;
  for (unsigned index = 0; index < count; ++index)
    declared.push_back(declaredDims(function, index));

  // Lone names first, so that sums find their symbols bound whatever the order
  // of the inputs.
  for (bool loneNames : {true, false}) {
    for (auto [index, dims] : llvm::enumerate(declared)) {
      if (!dims)
        continue;
      if (!argumentShapes[index])
        argumentShapes[index].emplace(dims->size());
      for (auto [axis, text] : llvm::enumerate(*dims))
        if (isLoneName(text) == loneNames)
          (*argumentShapes[index])[axis] = bindDim(index, axis, text);
    }
  }
}

//===----------------------------------------------------------------------===//
// Rounds
//===----------------------------------------------------------------------===//

/// No rule looks at every size it computes; here all are looked at.
LogicalResult ShapeInference::checkResults(onnx::NodeOp node) {
  for (Value result : node.getResults()) {
    const AbstractTensor &tensor = analysis.lookup(result);
    if (!tensor.shape)
      continue;
    if (tensor.shape->size() > static_cast<size_t>(maxTensorRank))
      return RuleContext(*this, node).error()
             << "makes a tensor of rank " << tensor.shape->size()
             << "; the limit is " << maxTensorRank;
    for (SymExpr size : *tensor.shape)
      if (size.constant().value_or(0) < 0)
        return RuleContext(*this, node).error()
               << "makes an axis of size " << *size.constant();
  }
  return success();
}

LogicalResult ShapeInference::evaluate(Operation &op) {
  if (auto constant = dyn_cast<onnx::ConstantOp>(op)) {
    analysis.tensors[constant.getResult()] = std::make_unique<AbstractTensor>(
        abstractConstant(analysis.context(), constant.getValue()));
    return success();
  }
  auto node = dyn_cast<onnx::NodeOp>(op);
  if (!node)
    return success();
  ShapeRule rule = lookupShapeRule(node.getDomain(), node.getOpType());
  if (!rule)
    return success();
  RuleContext context(*this, node);
  if (failed(rule(context)) || failed(checkResults(node)))
    return failure();
  if (analysis.context().exhausted())
    return op.emitError(
        "the shapes of this model take too many operations to compute");
  return success();
}

LogicalResult ShapeInference::runRound() {
  analysis.tensors.clear();
  SymContext &symbols = analysis.context();
  for (BlockArgument argument : function.getArguments()) {
    AbstractTensor tensor;
    if (auto type = dyn_cast<TensorType>(argument.getType()))
      tensor.elementType = type.getElementType();
    if (const auto &shape = argumentShapes[argument.getArgNumber()]) {
      tensor.shape.emplace();
      for (SymExpr dim : *shape)
        tensor.shape->push_back(symbols.simplify(dim));
    }
    analysis.tensors[argument] =
        std::make_unique<AbstractTensor>(std::move(tensor));
  }
  position = 0;
  for (Operation &op : function.getBody().front()) {
    if (failed(evaluate(op)))
      return failure();
    ++position;
  }
  return success();
}

void ShapeInference::sortGuards() {
  SmallVector<size_t> order(guardPositions.size());
  std::iota(order.begin(), order.end(), 0);
  llvm::sort(order, [&](size_t a, size_t b) {
    return std::make_pair(guardPositions[a], a) <
           std::make_pair(guardPositions[b], b);
  });
  std::vector<ShapeGuard> sorted;
  for (size_t index : order)
    sorted.push_back(std::move(analysis.guardList[index]));
  analysis.guardList = std::move(sorted);
}

LogicalResult ShapeInference::run() {
  if (function.isExternal())
    return success();
  bindArguments();
  for (unsigned round = 0; round < maxRounds; ++round) {
    learnt = false;
    if (failed(runRound()))
      return failure();
    if (!learnt)
      break;
  }
  sortGuards();
  return success();
}
