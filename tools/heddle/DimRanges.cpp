//===- DimRanges.cpp - the option --dim -----------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "tools/heddle/DimRanges.h"

#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;
using namespace heddle;
using namespace heddle::cli;

/// The names of the symbolic dimensions of the inputs, in order.
static SetVector<StringRef> getSymbolNames(mlir::func::FuncOp main) {
  SetVector<StringRef> names;
  for (unsigned i = 0, e = main.getNumArguments(); i < e; ++i) {
    auto dims = main.getArgAttrOfType<mlir::ArrayAttr>(i, "onnx.dims");
    if (!dims)
      continue;
    for (auto dim : dims.getAsRange<mlir::StringAttr>())
      if (dim.getValue() != "?" && !isDigit(dim.getValue().front()))
        names.insert(dim.getValue());
  }
  return names;
}

/// Reads RANGE; none if it is not one.
static std::optional<SymRange> parseRange(StringRef text) {
  SymRange range;
  auto [bounds, divisor] = text.split('%');
  if (text.contains('%') &&
      (divisor.getAsInteger(10, range.divisor) || range.divisor < 1))
    return std::nullopt;
  auto [first, last] = bounds.split("..");
  if (first.getAsInteger(10, range.lower) || range.lower < 0)
    return std::nullopt;
  range.upper = range.lower;
  if (bounds.contains("..")) {
    range.upper.reset();
    int64_t upper;
    if (!last.empty()) {
      if (last.getAsInteger(10, upper) || upper < range.lower)
        return std::nullopt;
      range.upper = upper;
    }
  }
  return range;
}

Expected<ShapeAnalysis::DimRanges>
heddle::cli::parseDimRanges(ArrayRef<std::string> texts,
                            mlir::func::FuncOp main) {
  SetVector<StringRef> names = getSymbolNames(main);
  ShapeAnalysis::DimRanges ranges;
  for (StringRef text : texts) {
    auto [name, rangeText] = text.split('=');
    std::optional<SymRange> range = parseRange(rangeText);
    if (!range)
      return createStringError(
          "expected --dim NAME=SIZE or NAME=FIRST..LAST[%N], got '" + text +
          "'");
    if (!names.contains(name))
      return createStringError("no input has a dimension '" + name +
                               "'; the model has " + join(names, ", "));
    if (!ranges.try_emplace(name, *range).second)
      return createStringError("--dim gives '" + name + "' twice");
  }
  return ranges;
}
