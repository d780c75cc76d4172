// Npy.cpp - NumPy array files
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Npy.h"

#include <cctype>
#include <optional>
#include <string_view>

using namespace heddle::ptx;

namespace {

constexpr std::string_view magic = "\x93NUMPY";
constexpr uint64_t maxFileSize = uint64_t(1) << 34;
/// NumPy itself refuses longer headers unless told otherwise.
constexpr size_t maxHeaderSize = 1 << 16;
/// NumPy's own limit on dimensions (NPY_MAXDIMS).
constexpr size_t maxRank = 64;

/// The three keys of a .npy header.
struct Header {
  std::optional<std::string> descr;
  std::optional<bool> isFortranOrder;
  std::optional<std::vector<int64_t>> shape;
};

/// Reads the header, which is the text of a Python dict literal. Only the
/// literals that NumPy writes are understood; nothing is evaluated.
class HeaderParser {
public:
  explicit HeaderParser(std::string_view text) : text(text) {}
  Result<Header> parse();

private:
  void skipSpace();
  bool consume(char c);
  bool consumeWord(std::string_view word);
  std::optional<std::string> parseString();
  std::optional<int64_t> parseInteger();
  std::optional<std::vector<int64_t>> parseShape();
  Result<Done> parseEntry(Header &header);

  std::string_view text;
  size_t position = 0;
};

} // namespace

void HeaderParser::skipSpace() {
  while (position < text.size() &&
         std::isspace(static_cast<unsigned char>(text[position])))
    ++position;
}

bool HeaderParser::consume(char c) {
  skipSpace();
  if (position >= text.size() || text[position] != c)
    return false;
  ++position;
  return true;
}

bool HeaderParser::consumeWord(std::string_view word) {
  skipSpace();
  if (text.substr(position, word.size()) != word)
    return false;
  position += word.size();
  return true;
}

std::optional<std::string> HeaderParser::parseString() {
  skipSpace();
  if (position >= text.size() ||
      (text[position] != '\'' && text[position] != '"'))
    return std::nullopt;
  char quote = text[position++];
  size_t end = text.find(quote, position);
  if (end == std::string_view::npos)
    return std::nullopt;
  std::string value(text.substr(position, end - position));
  position = end + 1;
  return value;
}

std::optional<int64_t> HeaderParser::parseInteger() {
  skipSpace();
  size_t start = position;
  int64_t value = 0;
  while (position < text.size() && text[position] >= '0' &&
         text[position] <= '9') {
    if (__builtin_mul_overflow(value, 10, &value) ||
        __builtin_add_overflow(value, text[position] - '0', &value))
      return std::nullopt;
    ++position;
  }
  if (position == start)
    return std::nullopt;
  consume('L'); // Python 2 wrote long integers as 3L.
  return value;
}

std::optional<std::vector<int64_t>> HeaderParser::parseShape() {
  if (!consume('('))
    return std::nullopt;
  std::vector<int64_t> shape;
  while (!consume(')')) {
    std::optional<int64_t> dimension = parseInteger();
    if (!dimension || shape.size() == maxRank)
      return std::nullopt;
    shape.push_back(*dimension);
    if (!consume(',')) {
      // Without a comma, (4) is a number and no tuple.
      if (shape.size() == 1 || !consume(')'))
        return std::nullopt;
      break;
    }
  }
  return shape;
}

Result<Done> HeaderParser::parseEntry(Header &header) {
  std::optional<std::string> key = parseString();
  if (!key || !consume(':'))
    return refuse("the header is not a dict of the three keys 'descr', ",
                  "'fortran_order' and 'shape'");
  if (*key == "descr") {
    header.descr = parseString();
    if (!header.descr)
      return refuse("expected a simple element type, got a structured one");
  } else if (*key == "fortran_order") {
    if (consumeWord("True"))
      header.isFortranOrder = true;
    else if (consumeWord("False"))
      header.isFortranOrder = false;
    else
      return refuse("expected 'fortran_order' to be True or False");
  } else if (*key == "shape") {
    header.shape = parseShape();
    if (!header.shape)
      return refuse("expected 'shape' to be a tuple of at most ", maxRank,
                    " non-negative integers");
  } else {
    return refuse("unknown key '", *key, "' in the header");
  }
  return Done{};
}

Result<Header> HeaderParser::parse() {
  Header header;
  if (!consume('{'))
    return refuse("the header is not a dict");
  while (!consume('}')) {
    Result<Done> entry = parseEntry(header);
    if (!entry)
      return entry.failure();
    if (!consume(',')) {
      if (!consume('}'))
        return refuse("the header's dict is not closed");
      break;
    }
  }
  skipSpace();
  if (position != text.size())
    return refuse("unexpected text after the header's dict");
  if (!header.descr || !header.isFortranOrder || !header.shape)
    return refuse("the header lacks one of 'descr', 'fortran_order', 'shape'");
  return header;
}

static Result<NpyType> parseType(const std::string &descr) {
  if (descr == "|O" || descr == "O")
    return refuse("the array holds pickled Python objects, which are not read");
  if (descr.size() != 3)
    return refuse("unsupported element type '", descr, "'");
  char order = descr[0], kind = descr[1];
  unsigned size = static_cast<unsigned>(descr[2] - '0');
  bool isKnown = (kind == 'f' && (size == 2 || size == 4 || size == 8)) ||
                 ((kind == 'i' || kind == 'u') &&
                  (size == 1 || size == 2 || size == 4 || size == 8)) ||
                 (kind == 'b' && size == 1);
  if (!isKnown)
    return refuse("unsupported element type '", descr,
                  "'; store bf16 as uint16 and fp8 as uint8 bit patterns");
  if (order == '>')
    return refuse("expected little-endian elements, got big-endian '", descr,
                  "'");
  if (order != '<' && order != '|' && order != '=')
    return refuse("unsupported byte order in element type '", descr, "'");
  return NpyType{kind, size};
}

std::string NpyType::name() const {
  if (kind == 'b')
    return "bool";
  const char *base = kind == 'f' ? "float" : kind == 'i' ? "int" : "uint";
  return base + std::to_string(size * 8);
}

std::string heddle::ptx::formatShape(std::span<const int64_t> shape) {
  if (shape.empty())
    return "scalar";
  std::string text;
  for (int64_t dimension : shape)
    text += (text.empty() ? "" : "x") + std::to_string(dimension);
  return text;
}

/// Bytes of an array, or nothing if they do not fit in 63 bits.
static std::optional<uint64_t> byteCount(NpyType type,
                                         std::span<const int64_t> shape) {
  // A zero anywhere makes the array empty whatever the other dimensions are.
  for (int64_t dimension : shape)
    if (dimension == 0)
      return 0;
  int64_t size = type.size;
  for (int64_t dimension : shape)
    if (__builtin_mul_overflow(size, dimension, &size))
      return std::nullopt;
  return static_cast<uint64_t>(size);
}

Result<NpyArray> heddle::ptx::parseNpy(std::span<const uint8_t> file) {
  std::string_view text(reinterpret_cast<const char *>(file.data()),
                        file.size());
  if (text.substr(0, magic.size()) != magic || text.size() < 10)
    return refuse("not a .npy file: its first bytes are not NumPy's magic");
  unsigned version = file[6];
  if (version < 1 || version > 3)
    return refuse("unsupported .npy version ", version, ", expected 1, 2 or 3");
  size_t lengthSize = version == 1 ? 2 : 4;
  size_t headerStart = 8 + lengthSize;
  if (text.size() < headerStart)
    return refuse("truncated .npy header");
  size_t headerSize = 0;
  for (size_t i = 0; i < lengthSize; ++i)
    headerSize |= size_t(file[8 + i]) << (8 * i);
  if (headerSize > maxHeaderSize)
    return refuse("the .npy header has ", headerSize,
                  " bytes, expected at most ", maxHeaderSize);
  if (headerSize > text.size() - headerStart)
    return refuse("the .npy header states ", headerSize,
                  " bytes, the file has ", text.size() - headerStart,
                  " after it");

  Result<Header> header =
      HeaderParser(text.substr(headerStart, headerSize)).parse();
  if (!header)
    return header.failure();
  Result<NpyType> type = parseType(*header->descr);
  if (!type)
    return type.failure();
  if (*header->isFortranOrder)
    return refuse("expected C order, got Fortran order; save it with ",
                  "numpy.ascontiguousarray");
  std::optional<uint64_t> expected = byteCount(*type, *header->shape);
  uint64_t got = text.size() - headerStart - headerSize;
  if (!expected || *expected != got)
    return refuse("an array of ", type->name(), " ",
                  formatShape(*header->shape), " has ",
                  expected ? std::to_string(*expected) : "too many",
                  " bytes, the file has ", got);
  auto data = file.subspan(headerStart + headerSize);
  return NpyArray{*type, *header->shape, Bytes(data.begin(), data.end())};
}

Result<NpyArray> heddle::ptx::readNpy(const std::string &path) {
  Result<Bytes> file = readFile(path, maxFileSize);
  if (!file)
    return file.failure();
  Result<NpyArray> array = parseNpy(*file);
  if (!array)
    return refuse("'", path, "': ", array.failure().message);
  return array;
}

Bytes heddle::ptx::formatNpy(const NpyArray &array) {
  std::string descr;
  descr += array.type.size == 1 ? '|' : '<';
  descr += array.type.kind;
  descr += std::to_string(array.type.size);
  std::string header =
      "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (";
  for (size_t i = 0; i < array.shape.size(); ++i)
    header += (i ? ", " : "") + std::to_string(array.shape[i]);
  header += array.shape.size() == 1 ? ",), }" : "), }";
  // The data starts at a multiple of 64 and the header ends in a newline.
  constexpr size_t prefixSize = 10;
  header.append(63 - (prefixSize + header.size()) % 64, ' ');
  header += '\n';

  header.insert(0, {1, 0, static_cast<char>(header.size() & 0xff),
                    static_cast<char>(header.size() >> 8)});
  header.insert(0, magic);
  Bytes file(header.begin(), header.end());
  file.insert(file.end(), array.data.begin(), array.data.end());
  return file;
}

Result<Done> heddle::ptx::writeNpy(const std::string &path,
                                   const NpyArray &array) {
  return writeFile(path, formatNpy(array));
}
