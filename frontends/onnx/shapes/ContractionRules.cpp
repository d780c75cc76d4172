//===- ContractionRules.cpp - matrix products and convolutions ------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/shapes/ShapeRules.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace heddle;

//===----------------------------------------------------------------------===//
// Matrix products
//===----------------------------------------------------------------------===//

/// The shape of a product as numpy's matmul has it.
static FailureOr<SymShape> matmulShape(RuleContext &node, SymShape a,
                                       SymShape b) {
  if (a.empty() || b.empty())
    return node.error() << "expects operands of rank 1 or more, got a scalar";
  bool vectorA = a.size() == 1, vectorB = b.size() == 1;
  if (vectorA)
    a.insert(a.begin(), node.constant(1));
  if (vectorB)
    b.push_back(node.constant(1));
  if (failed(node.unify(a.back(), b[b.size() - 2], "the contracted axes")))
    return failure();
  FailureOr<SymShape> shape = node.broadcastShapes(
      ArrayRef<SymExpr>(a).drop_back(2), ArrayRef<SymExpr>(b).drop_back(2));
  if (failed(shape))
    return failure();
  if (!vectorA)
    shape->push_back(a[a.size() - 2]);
  if (!vectorB)
    shape->push_back(b.back());
  return shape;
}

static LogicalResult setMatMul(RuleContext &node, unsigned lhs, unsigned rhs,
                               Type type) {
  AbstractTensor result;
  result.elementType = type;
  if (node.shape(lhs) && node.shape(rhs)) {
    FailureOr<SymShape> shape =
        matmulShape(node, *node.shape(lhs), *node.shape(rhs));
    if (failed(shape))
      return failure();
    result.shape = *shape;
  }
  node.setResult(0, std::move(result));
  return success();
}

LogicalResult heddle::inferMatMul(RuleContext &node) {
  return setMatMul(node, 0, 1, node.elementType(0));
}

LogicalResult heddle::inferMatMulInteger(RuleContext &node) {
  return setMatMul(node, 0, 1, IntegerType::get(node.mlirContext(), 32));
}

LogicalResult heddle::inferQLinearMatMul(RuleContext &node) {
  return setMatMul(node, 0, 3, node.elementType(7));
}

LogicalResult heddle::inferGemm(RuleContext &node) {
  const SymShape *a = node.shape(0), *b = node.shape(1);
  if (!a || !b)
    return node.setTypeOnly(node.elementType(0));
  if (a->size() != 2 || b->size() != 2)
    return node.error() << "expects two matrices, got tensors of rank "
                        << a->size() << " and " << b->size();
  bool transA = node.intAttr("transA", 0), transB = node.intAttr("transB", 0);
  if (failed(node.unify((*a)[transA ? 0 : 1], (*b)[transB ? 1 : 0],
                        "the contracted axes")))
    return failure();
  SymShape shape = {(*a)[transA ? 1 : 0], (*b)[transB ? 0 : 1]};
  if (const SymShape *c = node.shape(2);
      c && failed(node.requireBroadcastTo(*c, shape, "the sizes of C and A B")))
    return failure();
  node.setResult(0, node.elementType(0), shape);
  return success();
}

//===----------------------------------------------------------------------===//
// Einsum
//===----------------------------------------------------------------------===//

namespace {
/// One operand's or the result's part of an equation: labels before and after
/// an ellipsis.
struct EinsumTerm {
  StringRef before;
  StringRef after;
  bool ellipsis = false;
};
} // namespace

static EinsumTerm parseEinsumTerm(StringRef text) {
  EinsumTerm term;
  size_t dots = text.find("...");
  term.ellipsis = dots != StringRef::npos;
  term.before = text.take_front(dots);
  if (term.ellipsis)
    term.after = text.drop_front(dots + 3);
  return term;
}

namespace {
/// The sizes that the labels of an equation have been given so far.
struct EinsumSizes {
  llvm::DenseMap<char, SymExpr> labels;
  SymShape ellipsis;

  LogicalResult bind(RuleContext &node, StringRef names,
                     ArrayRef<SymExpr> sizes) {
    for (auto [label, size] : llvm::zip_equal(names, sizes)) {
      SymExpr &known = labels[label];
      if (!known) {
        known = size;
        continue;
      }
      FailureOr<SymExpr> joined = node.broadcastDims(known, size);
      if (failed(joined))
        return failure();
      known = *joined;
    }
    return success();
  }
};
} // namespace

/// The labels of the result where the equation leaves them out: those that
/// occur once, in alphabetical order, after the ellipsis.
static std::string implicitOutput(StringRef inputs) {
  std::string output = inputs.contains("...") ? "..." : "";
  for (char label = 'A'; label <= 'z'; ++label)
    if (llvm::isAlpha(label) && inputs.count(label) == 1)
      output.push_back(label);
  return output;
}

LogicalResult heddle::inferEinsum(RuleContext &node) {
  std::string equation = node.stringAttr("equation", "").str();
  llvm::erase(equation, ' ');
  auto [inputs, output] = StringRef(equation).split("->");
  SmallVector<StringRef> operands;
  inputs.split(operands, ',');
  if (operands.size() != node.numInputs())
    return node.error() << "expects an equation for " << node.numInputs()
                        << " inputs, got '" << equation << "'";
  EinsumSizes sizes;
  for (auto [i, text] : llvm::enumerate(operands)) {
    const SymShape *shape = node.shape(i);
    if (!shape)
      return node.setTypeOnly(node.elementType(0));
    EinsumTerm term = parseEinsumTerm(text);
    size_t named = term.before.size() + term.after.size();
    if (named > shape->size() || (!term.ellipsis && named != shape->size()))
      return node.error() << "expects an input of rank " << named << " for '"
                          << text << "', got rank " << shape->size();
    ArrayRef<SymExpr> all(*shape);
    ArrayRef<SymExpr> rest =
        all.slice(term.before.size(), shape->size() - named);
    FailureOr<SymShape> joined = node.broadcastShapes(sizes.ellipsis, rest);
    if (failed(joined) ||
        failed(sizes.bind(node, term.before,
                          all.take_front(term.before.size()))) ||
        failed(sizes.bind(node, term.after, all.take_back(term.after.size()))))
      return failure();
    sizes.ellipsis = *joined;
  }
  std::string implicit;
  if (!StringRef(equation).contains("->"))
    output = implicit = implicitOutput(inputs);
  EinsumTerm term = parseEinsumTerm(output);
  SymShape shape;
  auto append = [&](StringRef names) {
    for (char label : names)
      if (SymExpr size = sizes.labels.lookup(label))
        shape.push_back(size);
  };
  append(term.before);
  if (term.ellipsis)
    llvm::append_range(shape, sizes.ellipsis);
  append(term.after);
  node.setResult(0, node.elementType(0), std::move(shape));
  return success();
}

//===----------------------------------------------------------------------===//
// Convolution and pooling
//===----------------------------------------------------------------------===//

namespace {
/// The window attributes that convolutions and pools share, one entry per
/// spatial axis.
struct Window {
  SmallVector<int64_t> kernel, strides, dilations, pads;
  StringRef autoPad;
  bool ceil;
};
} // namespace

/// Reads the window; nothing if the kernel's size is not known.
static FailureOr<std::optional<Window>>
readWindow(RuleContext &node, const SymShape *weight, unsigned axes) {
  Window window;
  if (auto kernel = node.intsAttr("kernel_shape")) {
    window.kernel = *kernel;
  } else if (weight && weight->size() == axes + 2) {
    for (SymExpr size : ArrayRef<SymExpr>(*weight).drop_front(2)) {
      if (!size.constant())
        return std::optional<Window>();
      window.kernel.push_back(*size.constant());
    }
  } else {
    return std::optional<Window>();
  }
  auto get = [&](StringRef name, size_t count, int64_t value) {
    return node.intsAttr(name).value_or(SmallVector<int64_t>(count, value));
  };
  window.strides = get("strides", axes, 1);
  window.dilations = get("dilations", axes, 1);
  window.pads = get("pads", 2 * axes, 0);
  window.autoPad = node.stringAttr("auto_pad", "NOTSET");
  window.ceil = node.intAttr("ceil_mode", 0) != 0;
  auto tooLarge = [](ArrayRef<int64_t> list, int64_t lowest) {
    return llvm::any_of(list, [&](int64_t value) {
      return value < lowest || value > (1 << 30);
    });
  };
  if (window.kernel.size() != axes || window.strides.size() != axes ||
      window.dilations.size() != axes || window.pads.size() != 2 * axes ||
      tooLarge(window.kernel, 1) || tooLarge(window.strides, 1) ||
      tooLarge(window.dilations, 1) || tooLarge(window.pads, -(1 << 30)))
    return node.error() << "expects a window over " << axes << " axes";
  return std::optional<Window>(std::move(window));
}

/// The size of a spatial axis after a window has passed over it.
static SymExpr windowedSize(const Window &window, unsigned axis, SymExpr size) {
  SymContext &symbols = size.context();
  unsigned axes = window.kernel.size();
  SymExpr stride = symbols.constant(window.strides[axis]);
  if (window.autoPad.starts_with("SAME"))
    return ceilDiv(size, stride);
  int64_t reach = window.dilations[axis] * (window.kernel[axis] - 1) + 1;
  int64_t padding = window.autoPad == "VALID"
                        ? 0
                        : window.pads[axis] + window.pads[axis + axes];
  SymExpr positions = size + (padding - reach);
  if (!window.ceil)
    return floorDiv(positions, stride) + 1;
  // A last window that would start beyond the padded input is dropped.
  SymExpr count = ceilDiv(positions, stride) + 1;
  SymExpr fits =
      less((count - 1) * window.strides[axis], size + window.pads[axis]);
  return select(fits, count, count - 1);
}

/// Sets result 0 to batch, channels and the sizes a window leaves.
static LogicalResult setWindowed(RuleContext &node, const SymShape *weight,
                                 std::optional<SymExpr> channels, Type type) {
  const SymShape *source = node.shape(0);
  if (!source || !channels)
    return node.setTypeOnly(type);
  if (source->size() < 2)
    return node.error() << "expects an input of rank 3 or more, got rank "
                        << source->size();
  unsigned axes = source->size() - 2;
  auto window = readWindow(node, weight, axes);
  if (failed(window))
    return failure();
  if (!*window)
    return node.setTypeOnly(type);
  SymShape shape = {(*source)[0], *channels};
  for (unsigned axis = 0; axis < axes; ++axis)
    shape.push_back(windowedSize(**window, axis, (*source)[axis + 2]));
  node.setResult(0, type, std::move(shape));
  return success();
}

/// The output channels of a convolution whose weight is input `index`.
static std::optional<SymExpr> outputChannels(RuleContext &node,
                                             unsigned index) {
  const SymShape *weight = node.shape(index);
  if (!weight || weight->empty())
    return std::nullopt;
  return weight->front();
}

LogicalResult heddle::inferConv(RuleContext &node) {
  return setWindowed(node, node.shape(1), outputChannels(node, 1),
                     node.elementType(0));
}

LogicalResult heddle::inferConvInteger(RuleContext &node) {
  return setWindowed(node, node.shape(1), outputChannels(node, 1),
                     IntegerType::get(node.mlirContext(), 32));
}

LogicalResult heddle::inferQLinearConv(RuleContext &node) {
  return setWindowed(node, node.shape(3), outputChannels(node, 3),
                     node.elementType(7));
}

LogicalResult heddle::inferPool(RuleContext &node) {
  const SymShape *source = node.shape(0);
  std::optional<SymExpr> channels;
  if (source && source->size() >= 2)
    channels = (*source)[1];
  return setWindowed(node, nullptr, channels, node.elementType(0));
}

LogicalResult heddle::inferGlobalPool(RuleContext &node) {
  AbstractTensor result;
  result.elementType = node.elementType(0);
  if (const SymShape *source = node.shape(0)) {
    result.shape = *source;
    for (unsigned axis = 2; axis < source->size(); ++axis)
      (*result.shape)[axis] = node.constant(1);
  }
  node.setResult(0, std::move(result));
  return success();
}
