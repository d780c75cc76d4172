// PtxVersion.cpp - which toolkit and driver a PTX version needs
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/PtxVersion.h"

#include <cctype>

using namespace heddle::ptx;

namespace {

struct Release {
  VersionNumber ptx;
  VersionNumber toolkit;
  /// Linux driver branch; 0 where not known.
  unsigned driver;
};

constexpr Release releases[] = {
    {{6, 0}, {9, 0}, 384},  {{6, 1}, {9, 1}, 390},  {{6, 2}, {9, 2}, 396},
    {{6, 3}, {10, 0}, 410}, {{6, 4}, {10, 1}, 418}, {{6, 5}, {10, 2}, 440},
    {{7, 0}, {11, 0}, 450}, {{7, 1}, {11, 1}, 455}, {{7, 2}, {11, 2}, 460},
    {{7, 3}, {11, 3}, 465}, {{7, 4}, {11, 4}, 470}, {{7, 5}, {11, 5}, 495},
    {{7, 6}, {11, 6}, 510}, {{7, 7}, {11, 7}, 515}, {{7, 8}, {11, 8}, 520},
    {{8, 0}, {12, 0}, 525}, {{8, 1}, {12, 1}, 530}, {{8, 2}, {12, 2}, 535},
    {{8, 3}, {12, 3}, 545}, {{8, 4}, {12, 4}, 550}, {{8, 5}, {12, 5}, 555},
    {{8, 6}, {12, 7}, 565}, {{8, 7}, {12, 8}, 570}, {{8, 8}, {12, 9}, 575},
    {{9, 0}, {13, 0}, 580}, {{9, 1}, {13, 1}, 590}, {{9, 2}, {13, 2}, 595},
    {{9, 3}, {13, 3}, 0},   {{9, 4}, {13, 4}, 0},
};

/// Walks over PTX text from token to token, past white space and comments.
class Scanner {
public:
  explicit Scanner(std::string_view text) : text(text) {}

  /// The next run of characters without space, comment, comma or semicolon.
  std::string_view next();

private:
  void skipBlank();
  std::string_view text;
};

} // namespace

void Scanner::skipBlank() {
  while (!text.empty()) {
    if (std::isspace(static_cast<unsigned char>(text.front())) ||
        text.front() == ',' || text.front() == ';') {
      text.remove_prefix(1);
      continue;
    }
    std::string_view end;
    if (text.starts_with("//"))
      end = "\n";
    else if (text.starts_with("/*"))
      end = "*/";
    else
      return;
    size_t at = text.find(end, 2);
    text.remove_prefix(at == text.npos ? text.size() : at + end.size());
  }
}

std::string_view Scanner::next() {
  skipBlank();
  size_t length = 0;
  while (length < text.size() &&
         !std::isspace(static_cast<unsigned char>(text[length])) &&
         text[length] != ',' && text[length] != ';' &&
         !text.substr(length).starts_with("//") &&
         !text.substr(length).starts_with("/*"))
    ++length;
  std::string_view token = text.substr(0, length);
  text.remove_prefix(length);
  return token;
}

/// The token after the first `directive`. Both directives that are asked for
/// stand before the first function, so the search ends at a brace.
static std::string_view findAfter(std::string_view ptx,
                                  std::string_view directive) {
  Scanner scanner(ptx);
  for (std::string_view token = scanner.next(); !token.empty();
       token = scanner.next()) {
    if (token == directive)
      return scanner.next();
    if (token.find('{') != token.npos)
      break;
  }
  return {};
}

static std::optional<unsigned> parseNumber(std::string_view digits) {
  if (digits.empty() || digits.size() > 4)
    return std::nullopt;
  unsigned value = 0;
  for (char c : digits) {
    if (c < '0' || c > '9')
      return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  return value;
}

std::optional<VersionNumber> heddle::ptx::findPtxVersion(std::string_view ptx) {
  std::string_view text = findAfter(ptx, ".version");
  size_t dot = text.find('.');
  if (dot == text.npos)
    return std::nullopt;
  auto major = parseNumber(text.substr(0, dot));
  auto minor = parseNumber(text.substr(dot + 1));
  if (!major || !minor)
    return std::nullopt;
  return VersionNumber{*major, *minor};
}

std::optional<std::string> heddle::ptx::findPtxTarget(std::string_view ptx) {
  std::string_view text = findAfter(ptx, ".target");
  if (!text.starts_with("sm_"))
    return std::nullopt;
  return std::string(text);
}

std::optional<VersionNumber> heddle::ptx::toolkitForPtx(VersionNumber version) {
  for (const Release &release : releases)
    if (release.ptx >= version && version >= oldestPtx)
      return release.toolkit;
  return std::nullopt;
}

VersionNumber heddle::ptx::ptxOfToolkit(VersionNumber toolkit) {
  VersionNumber newest = releases[0].ptx;
  for (const Release &release : releases)
    if (release.toolkit <= toolkit)
      newest = release.ptx;
  return newest;
}

std::optional<unsigned> heddle::ptx::driverOfToolkit(VersionNumber toolkit) {
  for (const Release &release : releases)
    if (release.toolkit == toolkit && release.driver != 0)
      return release.driver;
  return std::nullopt;
}
