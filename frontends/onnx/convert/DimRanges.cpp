//===- DimRanges.cpp - sizes of inputs as options say them ----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/convert/DimRanges.h"

using namespace heddle;

/// `SIZE`, `MIN..MAX` or `MIN..MAX%DIVISOR`; nothing on any other form.
static std::optional<SymRange> parseRange(llvm::StringRef text) {
  auto [bounds, divisor] = text.split('%');
  size_t dots = bounds.find("..");
  llvm::StringRef lower = bounds.take_front(dots);
  llvm::StringRef upper =
      dots == llvm::StringRef::npos ? bounds : bounds.drop_front(dots + 2);
  SymRange range;
  int64_t largest = 0;
  if (lower.getAsInteger(10, range.lower) || upper.getAsInteger(10, largest))
    return std::nullopt;
  range.upper = largest;
  if (text.contains('%') && divisor.getAsInteger(10, range.divisor))
    return std::nullopt;
  if (range.lower < 0 || largest < range.lower || range.divisor < 1)
    return std::nullopt;
  return range;
}

llvm::Expected<ShapeAnalysis::DimRanges>
heddle::parseDimRanges(llvm::ArrayRef<std::string> texts) {
  ShapeAnalysis::DimRanges ranges;
  for (llvm::StringRef text : texts) {
    auto [name, rangeText] = text.rsplit('=');
    std::optional<SymRange> range = parseRange(rangeText);
    if (name.empty() || !range)
      return llvm::createStringError(
          "expects a dim as NAME=SIZE, NAME=MIN..MAX or "
          "NAME=MIN..MAX%%DIVISOR, got '" +
          text + "'");
    if (!ranges.try_emplace(name, *range).second)
      return llvm::createStringError("expects one range for the dim '" + name +
                                     "', got another: '" + text + "'");
  }
  return ranges;
}
