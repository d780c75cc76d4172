// TritonSignature.cpp - a kernel's arguments from its .ttir
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/TritonFolder.h"

#include <algorithm>
#include <charconv>
#include <string_view>

using namespace heddle::ptx;

namespace {

/// Splits the text of a parameter list at its top-level commas.
class ParameterList {
public:
  explicit ParameterList(std::string_view text) : text(text) {}

  /// The next parameter, without space around it; nothing at the closing
  /// parenthesis. `isBroken` is set if the text ends before it.
  std::optional<std::string_view> next();
  bool isBroken = false;

private:
  std::string_view text;
  bool isAtEnd = false;
};

} // namespace

static std::string_view trim(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n";
  size_t start = text.find_first_not_of(blank);
  if (start == std::string_view::npos)
    return {};
  return text.substr(start, text.find_last_not_of(blank) - start + 1);
}

/// The length of the quoted string that `text` starts with, or of all of it.
static size_t quotedLength(std::string_view text) {
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\')
      ++i;
    else if (text[i] == '"')
      return i + 1;
  }
  return text.size();
}

std::optional<std::string_view> ParameterList::next() {
  if (isAtEnd)
    return std::nullopt;
  unsigned depth = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '"') {
      i += quotedLength(text.substr(i)) - 1;
    } else if (c == '(' || c == '<' || c == '{' || c == '[') {
      ++depth;
    } else if (depth > 0 && (c == ')' || c == '>' || c == '}' || c == ']')) {
      --depth;
    } else if (depth == 0 && (c == ',' || c == ')')) {
      isAtEnd = c == ')';
      std::string_view parameter = trim(text.substr(0, i));
      text.remove_prefix(i + 1);
      if (parameter.empty() && isAtEnd)
        return std::nullopt;
      return parameter;
    }
  }
  isBroken = true;
  return std::nullopt;
}

/// The type that `text` starts with: up to a space or brace outside of angle
/// brackets.
static std::string_view leadingType(std::string_view text) {
  unsigned depth = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '<')
      ++depth;
    else if (text[i] == '>' && depth > 0)
      --depth;
    else if (depth == 0 && (text[i] == ' ' || text[i] == '{'))
      return text.substr(0, i);
  }
  return text;
}

/// The number of dimensions of `!tt.tensordesc<128x64xbf16>`, also in the form
/// `!tt.tensordesc<tensor<128x64xbf16>>` of older versions.
static size_t descriptorRank(std::string_view type) {
  type.remove_prefix(type.rfind('<') + 1);
  size_t rank = 0;
  for (;;) {
    size_t digits = std::min(type.find_first_not_of("0123456789"), type.size());
    if (digits == 0 || digits == type.size() || type[digits] != 'x')
      return rank;
    ++rank;
    type.remove_prefix(digits + 1);
  }
}

/// The number in `{tt.divisibility = 16 : i32}`, or 0.
static uint64_t readDivisibility(std::string_view parameter) {
  constexpr std::string_view key = "tt.divisibility = ";
  size_t at = parameter.find(key);
  uint64_t value = 0;
  if (at != std::string_view::npos) {
    parameter.remove_prefix(at + key.size());
    std::from_chars(parameter.data(), parameter.data() + parameter.size(),
                    value);
  }
  return value;
}

/// Bytes of a scalar of an MLIR type, or 0.
static unsigned scalarSize(std::string_view type) {
  constexpr std::pair<std::string_view, unsigned> sizes[] = {
      {"i1", 1},  {"i8", 1},   {"i16", 2}, {"i32", 4}, {"i64", 8},
      {"f16", 2}, {"bf16", 2}, {"f32", 4}, {"f64", 8}};
  for (auto [name, size] : sizes)
    if (type == name)
      return size;
  return type.starts_with("f8E") ? 1 : 0;
}

unsigned TritonArgument::size() const {
  return isPointer() ? 8 : scalarSize(type);
}

unsigned TritonArgument::pointeeSize() const {
  if (!isPointer())
    return 0;
  size_t start = type.find('<') + 1;
  return scalarSize(std::string_view(type).substr(
      start, type.find_first_of(",>", start) - start));
}

/// Whether the arguments from `at` on are a pointer and the rest of a
/// descriptor of `rank` dimensions with `flags` flags, named after it.
static bool isFlatDescriptor(const std::vector<TritonArgument> &all, size_t at,
                             size_t rank, size_t flags) {
  std::vector<std::string_view> types(2 * rank, "i64");
  types.insert(types.end(), flags, "i1");
  types.insert(types.end(), rank, "i32");
  types.insert(types.end(), rank, "i64");
  if (!all[at].isPointer() || all.size() - at - 1 < types.size())
    return false;
  for (size_t i = 0; i < types.size(); ++i) {
    const TritonArgument &part = all[at + 1 + i];
    std::string_view rest = part.name;
    if (part.type != types[i] || !rest.starts_with(all[at].name))
      return false;
    rest.remove_prefix(all[at].name.size());
    if (!rest.starts_with('_') && !rest.starts_with('.'))
      return false;
  }
  return true;
}

/// Makes one argument of each descriptor that was taken apart: with one flag
/// (padding) by Triton 3.6, with two by 3.9 (rounding to tf32 as well).
static std::vector<TritonArgument>
gatherFlatDescriptors(std::vector<TritonArgument> all) {
  std::vector<TritonArgument> gathered;
  for (size_t at = 0; at < all.size(); ++at) {
    TritonArgument argument = all[at];
    for (size_t rank = 1; rank <= 5; ++rank)
      for (size_t flags : {1, 2})
        if (isFlatDescriptor(all, at, rank, flags)) {
          argument.flatRank = rank;
          argument.flatFlags = flags;
        }
    at += argument.flatParameters();
    gathered.push_back(std::move(argument));
  }
  return gathered;
}

Result<std::vector<TritonArgument>>
heddle::ptx::parseTritonSignature(const std::string &ttir,
                                  const std::string &name) {
  size_t at = ttir.find("tt.func public @" + name + "(");
  if (at == std::string::npos)
    return refuse("expected a public function @", name, ", got none");
  size_t open = ttir.find('(', at);
  ParameterList list(std::string_view(ttir).substr(open + 1));
  std::vector<TritonArgument> arguments;
  size_t derived = 0;
  while (std::optional<std::string_view> parameter = list.next()) {
    size_t colon = parameter->find(':');
    if (!parameter->starts_with('%') || colon == std::string_view::npos)
      return refuse("expected '%name: type' in the arguments of @", name,
                    ", got '", parameter->substr(0, 60), "'");
    if (derived > 0) {
      --derived;
      continue;
    }
    TritonArgument argument;
    argument.name = trim(parameter->substr(1, colon - 1));
    argument.type = leadingType(trim(parameter->substr(colon + 1)));
    argument.divisibility = readDivisibility(*parameter);
    if (argument.isDescriptor())
      derived = 2 * descriptorRank(argument.type);
    else if (argument.size() == 0)
      return refuse("argument %", argument.name, " of @", name,
                    " has the type '", argument.type,
                    "', expected a pointer, a scalar or a tensor descriptor");
    arguments.push_back(std::move(argument));
  }
  if (list.isBroken || derived > 0)
    return refuse("the argument list of @", name, " is cut off");
  return gatherFlatDescriptors(std::move(arguments));
}
