// CommandLine.cpp - options of the sub-commands
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/heddle-ptx/CommandLine.h"

#include "codegen/nvidia/ptx/Arguments.h"

#include <cstdio>

using namespace heddle::ptx;

static const OptionSpec *findSpec(std::span<const OptionSpec> known,
                                  const std::string &name) {
  for (const OptionSpec &spec : known)
    if (name == spec.name)
      return &spec;
  return nullptr;
}

Result<CommandLine> CommandLine::parse(std::span<const OptionSpec> known,
                                       std::span<const std::string> words) {
  CommandLine line;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string &word = words[i];
    if (word == "--") {
      line.words.insert(line.words.end(), words.begin() + i + 1, words.end());
      break;
    }
    if (!word.starts_with('-') || word == "-") {
      line.words.push_back(word);
      continue;
    }
    size_t equals = word.starts_with("--") ? word.find('=') : word.npos;
    std::string name = word.substr(0, equals);
    const OptionSpec *spec = findSpec(known, name);
    if (!spec)
      return refuse("unknown option '", name, "'; --help lists them all");
    std::string value;
    if (spec->takesValue && equals != word.npos)
      value = word.substr(equals + 1);
    else if (spec->takesValue && i + 1 < words.size())
      value = words[++i];
    else if (spec->takesValue)
      return refuse("expected a value after '", name, "', got the end");
    else if (equals != word.npos)
      return refuse("'", name, "' takes no value, got '",
                    word.substr(equals + 1), "'");
    std::vector<std::string> &values = line.options[name];
    if (!values.empty() && !spec->isRepeatable)
      return refuse("'", name, "' is given twice");
    values.push_back(std::move(value));
  }
  return line;
}

Result<std::string> CommandLine::onlyPositional(const char *what) const {
  if (words.size() == 1)
    return words.front();
  return refuse("expected ", what, ", got ",
                words.empty() ? "none" : "also '" + words[1] + "'");
}

std::string CommandLine::value(const std::string &name,
                               const std::string &fallback) const {
  auto found = options.find(name);
  return found == options.end() ? fallback : found->second.front();
}

std::vector<std::string> CommandLine::values(const std::string &name) const {
  auto found = options.find(name);
  return found == options.end() ? std::vector<std::string>() : found->second;
}

Result<std::optional<uint64_t>> CommandLine::number(const std::string &name,
                                                    uint64_t most) const {
  if (!has(name))
    return std::optional<uint64_t>();
  std::optional<uint64_t> number = parseUnsigned(value(name));
  if (!number || *number > most)
    return refuse(name, ": expected an integer from 0 to ", most, ", got '",
                  value(name), "'");
  return number;
}

Result<std::optional<std::array<uint32_t, 3>>>
CommandLine::extents(const std::string &name) const {
  if (!has(name))
    return std::optional<std::array<uint32_t, 3>>();
  std::array<uint32_t, 3> extents = {1, 1, 1};
  std::istringstream list(value(name));
  size_t count = 0;
  bool isFine = !value(name).ends_with(',');
  for (std::string item; isFine && std::getline(list, item, ',');) {
    std::optional<uint64_t> number = parseUnsigned(item);
    isFine = count < 3 && number && *number >= 1 && *number <= 0x7fffffff;
    if (isFine)
      extents[count++] = static_cast<uint32_t>(*number);
  }
  if (!isFine || count == 0)
    return refuse(name, ": expected X, X,Y or X,Y,Z with numbers from 1 to ",
                  0x7fffffff, ", got '", value(name), "'");
  return std::optional(extents);
}

int heddle::ptx::reportFailure(const char *command, const Failure &failure) {
  if (failure.hasLocation)
    std::fprintf(stderr, "%s\n", failure.message.c_str());
  else
    std::fprintf(stderr, "heddle-ptx %s: error: %s\n", command,
                 failure.message.c_str());
  return exitRefused;
}
