//===- SymParse.cpp - expressions as exporters write them -----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
//   sum     := product (("+" | "-") product)*
//   product := unary (("*" | "//" | "%") unary)*
//   unary   := "-" unary | primary
//   primary := integer | name | name "(" sum ("," sum)* ")" | "(" sum ")"
//
//===----------------------------------------------------------------------===//

#include "dialects/symbolic/SymContext.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"

using namespace heddle;
using llvm::StringRef;

/// Longer texts are names, not expressions. This also bounds the recursion.
static constexpr size_t maxLength = 256;

namespace {
class Parser {
public:
  Parser(SymContext &context, StringRef text) : context(context), rest(text) {}

  std::optional<SymExpr> parseAll() {
    std::optional<SymExpr> expr = parseSum();
    skipSpace();
    return rest.empty() ? expr : std::nullopt;
  }

private:
  void skipSpace() { rest = rest.ltrim(" \t"); }

  bool consume(StringRef token) {
    skipSpace();
    return rest.consume_front(token);
  }

  std::optional<SymExpr> parseSum() {
    std::optional<SymExpr> sum = parseProduct();
    while (sum) {
      bool add = consume("+");
      if (!add && !consume("-"))
        return sum;
      std::optional<SymExpr> operand = parseProduct();
      if (!operand)
        return std::nullopt;
      sum = add ? *sum + *operand : *sum - *operand;
    }
    return sum;
  }

  std::optional<SymExpr> parseProduct() {
    std::optional<SymExpr> result = parseUnary();
    while (result) {
      enum { Multiply, Divide, Remainder } operation;
      if (consume("//"))
        operation = Divide;
      else if (consume("*"))
        operation = Multiply;
      else if (consume("%"))
        operation = Remainder;
      else
        return result;
      std::optional<SymExpr> operand = parseUnary();
      if (!operand)
        return std::nullopt;
      result = operation == Multiply ? *result * *operand
               : operation == Divide ? floorDiv(*result, *operand)
                                     : mod(*result, *operand);
    }
    return result;
  }

  std::optional<SymExpr> parseUnary() {
    if (!consume("-"))
      return parsePrimary();
    std::optional<SymExpr> operand = parseUnary();
    if (!operand)
      return std::nullopt;
    return -*operand;
  }

  std::optional<SymExpr> parsePrimary() {
    if (consume("(")) {
      std::optional<SymExpr> inner = parseSum();
      return inner && consume(")") ? inner : std::nullopt;
    }
    skipSpace();
    if (!rest.empty() && llvm::isDigit(rest.front())) {
      int64_t value;
      if (rest.consumeInteger(10, value))
        return std::nullopt;
      return context.constant(value);
    }
    StringRef name = takeName();
    if (name.empty())
      return std::nullopt;
    return consume("(") ? parseCall(name) : context.symbol(name);
  }

  /// Takes an identifier; dots, and hyphens between two of its characters, are
  /// part of it.
  StringRef takeName() {
    auto isNameChar = [](char c) {
      return llvm::isAlnum(c) || c == '_' || c == '.';
    };
    if (rest.empty() || !isNameChar(rest.front()))
      return {};
    size_t length = 1;
    while (length < rest.size() &&
           (isNameChar(rest[length]) ||
            (rest[length] == '-' && length + 1 < rest.size() &&
             llvm::isAlpha(rest[length + 1]))))
      ++length;
    StringRef name = rest.take_front(length);
    rest = rest.drop_front(length);
    return name;
  }

  std::optional<SymExpr> parseCall(StringRef name) {
    llvm::SmallVector<SymExpr, 4> operands;
    do {
      std::optional<SymExpr> operand = parseSum();
      if (!operand)
        return std::nullopt;
      operands.push_back(*operand);
    } while (consume(","));
    if (!consume(")") || operands.size() < 2)
      return std::nullopt;

    using Function = SymExpr (*)(SymExpr, SymExpr);
    auto function = llvm::StringSwitch<Function>(name.lower())
                        .Case("min", heddle::min)
                        .Case("max", heddle::max)
                        .Case("mod", heddle::mod)
                        .Case("floordiv", heddle::floorDiv)
                        .Default(nullptr);
    bool folds = function == static_cast<Function>(heddle::min) ||
                 function == static_cast<Function>(heddle::max);
    if (!function || (operands.size() > 2 && !folds))
      return std::nullopt;
    SymExpr result = function(operands[0], operands[1]);
    for (SymExpr operand : llvm::ArrayRef<SymExpr>(operands).drop_front(2))
      result = function(result, operand);
    return result;
  }

  SymContext &context;
  StringRef rest;
};
} // namespace

std::optional<SymExpr> heddle::parseSymExpr(SymContext &context,
                                            StringRef text) {
  text = text.trim();
  if (text.empty() || text.size() > maxLength || text.contains('?'))
    return std::nullopt;
  return Parser(context, text).parseAll();
}
