// Arguments.cpp - the language of --arg and --buffer
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Arguments.h"

#include <algorithm>
#include <bit>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>

using namespace heddle::ptx;

namespace {

struct ElementName {
  std::string_view name;
  TensorElement element;
};

constexpr ElementName elementNames[] = {
    {"u8", TensorElement::U8},
    {"u16", TensorElement::U16},
    {"u32", TensorElement::U32},
    {"i32", TensorElement::S32},
    {"u64", TensorElement::U64},
    {"i64", TensorElement::S64},
    {"f16", TensorElement::F16},
    {"f32", TensorElement::F32},
    {"f64", TensorElement::F64},
    {"bf16", TensorElement::BF16},
    {"tf32", TensorElement::TF32},
    {"f32.ftz", TensorElement::F32Ftz},
    {"tf32.ftz", TensorElement::TF32Ftz},
};

constexpr std::string_view argumentForms =
    "in:FILE, out:FILE, NAME=in:FILE, NAME=out:FILE, VALUE:TYPE, hex:BYTES, "
    "ptr:NAME or map:NAME,...";

} // namespace

std::optional<uint64_t> heddle::ptx::parseUnsigned(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    text.remove_prefix(2);
    base = 16;
  }
  uint64_t value = 0;
  auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size() || text.empty())
    return std::nullopt;
  return value;
}

/// Whether `text` can name a buffer: a letter or underscore, then those and
/// digits, dots.
static bool isName(std::string_view text) {
  if (text.empty() || std::isdigit(static_cast<unsigned char>(text[0])))
    return false;
  for (char c : text)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '.')
      return false;
  return true;
}

static void appendLittleEndian(Bytes &bytes, uint64_t value, unsigned size) {
  for (unsigned i = 0; i < size; ++i)
    bytes.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

uint32_t heddle::ptx::encodeFloat(double value, unsigned exponentBits,
                                  unsigned mantissaBits) {
  uint32_t sign = std::signbit(value) ? 1u << (exponentBits + mantissaBits) : 0;
  uint32_t infinity = ((1u << exponentBits) - 1) << mantissaBits;
  if (std::isnan(value))
    return sign | infinity | 1u << (mantissaBits - 1);
  if (std::isinf(value))
    return sign | infinity;
  double magnitude = std::fabs(value);
  int bias = (1 << (exponentBits - 1)) - 1;
  int exponent = magnitude == 0 ? -bias : std::ilogb(magnitude);
  // Below the smallest normal number the spacing stays that of the smallest.
  int smallest = 1 - bias;
  int spacing = std::max(exponent, smallest) - static_cast<int>(mantissaBits);
  // Exact in double: a power of two. nearbyint rounds to even by default.
  double units = std::nearbyint(std::ldexp(magnitude, -spacing));
  // Counting units from the exponent's start makes a carry into the exponent
  // come out right by itself, up to infinity.
  auto count = static_cast<uint64_t>(units);
  uint64_t bits = exponent < smallest
                      ? count
                      : count + (static_cast<uint64_t>(exponent - smallest)
                                 << mantissaBits);
  return sign | static_cast<uint32_t>(std::min<uint64_t>(bits, infinity));
}

static Failure scalarRangeFailure(const std::string &text) {
  return refuse("'", text, "': the value does not fit its type");
}

static Result<ScalarArgument> parseInteger(const std::string &text,
                                           std::string_view value,
                                           bool isSigned, unsigned bits) {
  bool isNegative = value.starts_with("-");
  std::string_view digits = isNegative ? value.substr(1) : value;
  auto magnitude = parseUnsigned(digits);
  bool isLong = digits.size() > 19 && digits.find_first_not_of("0123456789") ==
                                          std::string_view::npos;
  if (!magnitude && isLong)
    return scalarRangeFailure(text);
  if (!magnitude)
    return refuse("'", text, "': expected an integer before the colon, got '",
                  value, "'");
  uint64_t limit =
      isSigned ? (uint64_t(1) << (bits - 1)) - 1 : ~uint64_t(0) >> (64 - bits);
  if (isNegative)
    limit = isSigned ? limit + 1 : 0;
  if (*magnitude > limit)
    return scalarRangeFailure(text);
  ScalarArgument scalar{ScalarArgument::Kind::Integer, {}};
  appendLittleEndian(scalar.bytes, isNegative ? 0 - *magnitude : *magnitude,
                     bits / 8);
  return scalar;
}

static Result<ScalarArgument> parseFloat(const std::string &text,
                                         std::string_view value,
                                         std::string_view type) {
  std::string digits(value);
  char *end = nullptr;
  double number = std::strtod(digits.c_str(), &end);
  // A text of digits that gives infinity is out of range, one of letters is
  // not.
  bool overflows = std::isinf(number) &&
                   digits.find_first_of("0123456789") != std::string::npos;
  if (digits.empty() || std::isspace(static_cast<unsigned char>(digits[0])) ||
      *end != '\0')
    return refuse("'", text, "': expected a number before the colon, got '",
                  value, "'");
  ScalarArgument scalar{ScalarArgument::Kind::Float, {}};
  if (type == "f64") {
    appendLittleEndian(scalar.bytes, std::bit_cast<uint64_t>(number), 8);
  } else if (type == "f32") {
    auto narrow = static_cast<float>(number);
    overflows |= std::isinf(narrow) && !std::isinf(number);
    appendLittleEndian(scalar.bytes, std::bit_cast<uint32_t>(narrow), 4);
  } else {
    bool isHalf = type == "f16";
    uint32_t bits = encodeFloat(number, isHalf ? 5 : 8, isHalf ? 10 : 7);
    overflows |=
        (bits & 0x7fff) == (isHalf ? 0x7c00 : 0x7f80) && !std::isinf(number);
    appendLittleEndian(scalar.bytes, bits, 2);
  }
  if (overflows)
    return scalarRangeFailure(text);
  return scalar;
}

Result<ScalarArgument> heddle::ptx::parseScalar(const std::string &text) {
  size_t colon = text.rfind(':');
  if (colon == std::string::npos)
    return refuse("expected ", argumentForms, ", got '", text, "'");
  std::string_view value = std::string_view(text).substr(0, colon);
  std::string_view type = std::string_view(text).substr(colon + 1);
  if (type == "f16" || type == "bf16" || type == "f32" || type == "f64")
    return parseFloat(text, value, type);
  for (unsigned bits : {8u, 16u, 32u, 64u})
    for (char sign : {'i', 'u'})
      if (type == sign + std::to_string(bits))
        return parseInteger(text, value, sign == 'i', bits);
  return refuse("'", text, "': expected a type i8 to i64, u8 to u64, f16, ",
                "bf16, f32 or f64 after the colon, got '", type, "'");
}

static Result<ScalarArgument> parseHex(const std::string &text) {
  std::string_view digits = std::string_view(text).substr(4);
  ScalarArgument scalar{ScalarArgument::Kind::Raw, {}};
  bool isHex = !digits.empty() && digits.size() % 2 == 0;
  for (size_t i = 0; isHex && i < digits.size(); i += 2) {
    uint8_t byte = 0;
    auto [end, error] =
        std::from_chars(&digits[i], digits.data() + i + 2, byte, 16);
    isHex = error == std::errc() && end == digits.data() + i + 2;
    scalar.bytes.push_back(byte);
  }
  if (!isHex)
    return refuse("'", text, "': expected an even number of hexadecimal ",
                  "digits after 'hex:'");
  return scalar;
}

//===----------------------------------------------------------------------===//
// Pointers and tensor maps
//===----------------------------------------------------------------------===//

static Result<PointerArgument> parsePointer(const std::string &text) {
  std::string_view rest = std::string_view(text).substr(4);
  size_t plus = rest.find('+');
  PointerArgument pointer{std::string(rest.substr(0, plus)), 0};
  std::optional<uint64_t> offset = 0;
  if (plus != std::string_view::npos)
    offset = parseUnsigned(rest.substr(plus + 1));
  if (!isName(pointer.name) || !offset)
    return refuse("'", text, "': expected ptr:NAME or ptr:NAME+BYTES");
  pointer.offset = *offset;
  return pointer;
}

Result<std::vector<uint64_t>>
heddle::ptx::parseExtents(const std::string &text) {
  std::vector<uint64_t> extents;
  std::istringstream list(text);
  for (std::string item; std::getline(list, item, 'x');) {
    auto value = parseUnsigned(item);
    if (!value || *value == 0)
      return refuse("expected positive numbers such as 64x128, got '", text,
                    "'");
    extents.push_back(*value);
  }
  if (extents.empty() || text.back() == 'x')
    return refuse("expected positive numbers such as 64x128, got '", text, "'");
  return extents;
}

static std::optional<TensorSwizzle> parseSwizzle(std::string_view value) {
  if (value == "none" || value == "0")
    return TensorSwizzle::None;
  if (value == "32")
    return TensorSwizzle::Bytes32;
  if (value == "64")
    return TensorSwizzle::Bytes64;
  if (value == "128")
    return TensorSwizzle::Bytes128;
  return std::nullopt;
}

static Result<Done> setMapElement(MapArgument &map, const std::string &value) {
  for (const ElementName &entry : elementNames)
    if (entry.name == value)
      map.element = entry.element;
  if (map.element)
    return Done{};
  std::string known;
  for (const ElementName &entry : elementNames)
    known += (known.empty() ? "" : ", ") + std::string(entry.name);
  return refuse("expected type= to be one of ", known, ", got '", value, "'");
}

static Result<Done> setMapKey(MapArgument &map, const std::string &key,
                              const std::string &value) {
  if (key == "type")
    return setMapElement(map, value);
  if (key == "swizzle") {
    auto swizzle = parseSwizzle(value);
    if (!swizzle)
      return refuse("expected swizzle= to be none, 32, 64 or 128, got '", value,
                    "'");
    map.swizzle = *swizzle;
    return Done{};
  }
  if (key == "oob") {
    if (value != "nan" && value != "zero")
      return refuse("expected oob= to be zero or nan, got '", value, "'");
    map.fillNan = value == "nan";
    return Done{};
  }
  std::vector<uint64_t> *list = key == "box"      ? &map.box
                                : key == "shape"  ? &map.shape
                                : key == "stride" ? &map.strides
                                                  : nullptr;
  if (!list)
    return refuse("unknown key '", key,
                  "'; expected type, box, swizzle, shape, stride or oob");
  Result<std::vector<uint64_t>> extents = parseExtents(value);
  if (!extents)
    return refuse(key, "=: ", extents.failure().message);
  *list = std::move(*extents);
  return Done{};
}

static Result<MapArgument> parseMap(const std::string &text) {
  std::istringstream items(text.substr(4));
  MapArgument map;
  std::getline(items, map.name, ',');
  if (!isName(map.name))
    return refuse("'", text, "': expected the name of a buffer after 'map:'");
  std::vector<std::string> seen;
  for (std::string item; std::getline(items, item, ',');) {
    size_t equals = item.find('=');
    if (equals == std::string::npos)
      return refuse("'", text, "': expected KEY=VALUE, got '", item, "'");
    std::string key = item.substr(0, equals);
    if (std::find(seen.begin(), seen.end(), key) != seen.end())
      return refuse("'", text, "': the key '", key, "' is given twice");
    seen.push_back(key);
    Result<Done> set = setMapKey(map, key, item.substr(equals + 1));
    if (!set)
      return refuse("'", text, "': ", set.failure().message);
  }
  if (text.ends_with(','))
    return refuse("'", text, "': expected KEY=VALUE after the last comma");
  if (map.box.empty())
    return refuse("'", text, "': expected a box=, got none");
  return map;
}

//===----------------------------------------------------------------------===//
// Arguments
//===----------------------------------------------------------------------===//

/// Reads `[NAME=]in:FILE` or `[NAME=]out:FILE`; nothing for another form. A
/// name ends before the first colon, so that a path may hold an equals sign.
static std::optional<BufferArgument> splitBuffer(std::string_view text) {
  BufferArgument buffer;
  size_t equals = text.find('=');
  if (equals != std::string_view::npos && equals < text.find(':')) {
    buffer.name = text.substr(0, equals);
    text.remove_prefix(equals + 1);
  }
  buffer.isOutput = text.starts_with("out:");
  if (!buffer.isOutput && !text.starts_with("in:"))
    return std::nullopt;
  buffer.path = text.substr(buffer.isOutput ? 4 : 3);
  return buffer;
}

static Result<Done> checkBuffer(const std::string &text,
                                const BufferArgument &buffer) {
  if (!buffer.name.empty() && !isName(buffer.name))
    return refuse("'", text, "': expected a name of letters, digits, dots and ",
                  "underscores before '=', got '", buffer.name, "'");
  if (buffer.path.empty())
    return refuse("'", text, "': expected a .npy file after '",
                  buffer.isOutput ? "out" : "in", ":'");
  return Done{};
}

/// Makes an `Argument` of a parsed form, or passes its failure on.
template <typename Form>
static Result<Argument> wrap(const std::string &text, Result<Form> form) {
  if (!form)
    return form.failure();
  return Argument{text, std::move(*form)};
}

Result<Argument> heddle::ptx::parseArgument(const std::string &text) {
  if (text.starts_with("ptr:"))
    return wrap(text, parsePointer(text));
  if (text.starts_with("map:"))
    return wrap(text, parseMap(text));
  if (text.starts_with("hex:"))
    return wrap(text, parseHex(text));
  if (std::optional<BufferArgument> buffer = splitBuffer(text)) {
    if (Result<Done> checked = checkBuffer(text, *buffer); !checked)
      return checked.failure();
    return Argument{text, std::move(*buffer)};
  }
  return wrap(text, parseScalar(text));
}

Result<BufferArgument>
heddle::ptx::parseBufferArgument(const std::string &text) {
  std::optional<BufferArgument> buffer = splitBuffer(text);
  if (!buffer || buffer->name.empty())
    return refuse("expected NAME=in:FILE or NAME=out:FILE, got '", text, "'");
  if (Result<Done> checked = checkBuffer(text, *buffer); !checked)
    return checked.failure();
  return std::move(*buffer);
}
