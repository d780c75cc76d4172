// DeviceCalls.cpp - functions that CUDA's driver brings: vprintf and
// __assertfail (CUDA Programming Guide, formatted output and assertion).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Their arguments are in `.param` variables. Addresses, the format and what it
// asks for come from the kernel: every byte is read as a load would read it.

#include "codegen/nvidia/ptx/Flattener.h"
#include "codegen/nvidia/ptx/Machine.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace heddle::ptx {

namespace {

/// The size of CUDA's buffer for printf.
constexpr size_t maxOutput = size_t(1) << 20;
constexpr size_t maxStringBytes = size_t(64) << 10;
/// Characters of one conversion, and of a string in a finding.
constexpr int maxWidth = 4096;
constexpr size_t maxQuotedBytes = 256;

/// Reads the memory of one lane on behalf of an op that calls such a function.
class LaneReader {
public:
  LaneReader(Warp &warp, const Op &op, unsigned lane)
      : machine(*warp.machine), warp(warp), op(op), lane(lane) {}

  /// `bytes` bytes at an address that must be a multiple of them; false, with a
  /// finding, if they are not there.
  bool read(uint64_t address, uint32_t bytes, uint64_t &value) {
    Target target;
    ++machine.budgetUsed; // one call may read many strings
    if (!machine.resolve(warp, op, lane, address,
                         {Space::Generic, bytes, bytes, false}, target))
      return false;
    if (machine.checks)
      note(target, bytes);
    value = 0;
    std::memcpy(&value, target.data(), bytes);
    return true;
  }

  /// The bytes up to a zero, at most `most`.
  bool readString(uint64_t address, size_t most, std::string &text) {
    for (uint64_t byte = 0; text.size() < most; ++address) {
      if (!read(address, 1, byte))
        return false;
      if (byte == 0)
        return true;
      text += char(byte);
    }
    return true;
  }

  /// Argument `index` of the call.
  bool argument(unsigned index, uint32_t bytes, uint64_t &value) {
    return read(addressOf(index), bytes, value);
  }

  void setResult(unsigned index, uint32_t value) {
    Target target;
    uint64_t address = addressOf(index);
    if (!machine.resolve(warp, op, lane, address,
                         {Space::Generic, sizeof(value), sizeof(value), true},
                         target))
      return;
    if (machine.checks)
      machine.noteWrite(warp, op, lane, target, sizeof(value));
    std::memcpy(target.data(), &value, sizeof(value));
  }

private:
  uint64_t addressOf(unsigned index) const {
    return warp.row<uint64_t>(machine.program.rows[op.detail + index])[lane];
  }

  void note(const Target &target, uint32_t bytes) {
    machine.noteRead(warp, op, lane, target, bytes);
    if (target.memory->kind != Memory::Kind::Global &&
        target.memory->kind != Memory::Kind::Shared)
      return;
    uint32_t access =
        machine.accessOf(warp, op, warp.agent, warp.clock.of(warp.agent), 0);
    machine.raceRead(warp, op, lane, target, bytes, access);
  }

  Machine &machine;
  Warp &warp;
  const Op &op;
  unsigned lane;
};

//===----------------------------------------------------------------------===//
// vprintf
//===----------------------------------------------------------------------===//

/// One `%...` of a format.
struct Conversion {
  std::string flags;
  int width = 0;      ///< 0 for none, negative to the left
  int precision = -1; ///< negative for none
  std::string size;   ///< "", "h", "hh", "l" or "ll"
  char kind = 0;
};

/// Turns a format and the buffer of its arguments into text.
class Formatter {
public:
  Formatter(LaneReader &reader, std::string format, uint64_t buffer)
      : reader(reader), format(std::move(format)), next(buffer) {}

  /// Makes `text`, up to an argument that cannot be read, or a little more than
  /// the whole output holds.
  void run() {
    while (at < format.size() && text.size() <= maxOutput) {
      if (format[at] != '%') {
        text += format[at++];
        continue;
      }
      size_t begin = at++;
      Conversion conversion;
      if (!parse(conversion) || !convert(conversion, begin))
        return;
    }
  }

  std::string text;
  uint32_t arguments = 0; ///< read so far

private:
  bool take(uint32_t bytes, uint64_t &value) {
    next = (next + bytes - 1) / bytes * bytes;
    if (!reader.read(next, bytes, value))
      return false;
    next += bytes;
    ++arguments;
    return true;
  }

  /// A number of digits, or `*`; what is too wide is cut.
  bool parseNumber(int &number) {
    if (at < format.size() && format[at] == '*') {
      ++at;
      uint64_t value;
      if (!take(4, value))
        return false;
      number = std::clamp(int32_t(value), -maxWidth, maxWidth);
      return true;
    }
    number = 0;
    for (; at < format.size() && format[at] >= '0' && format[at] <= '9'; ++at)
      number = std::min(10 * number + (format[at] - '0'), maxWidth);
    return true;
  }

  bool parse(Conversion &c) {
    auto is = [&](const char *set) {
      return at < format.size() && std::strchr(set, format[at]) != nullptr &&
             format[at] != 0;
    };
    for (; is("#0- +"); ++at)
      if (c.flags.find(format[at]) == std::string::npos)
        c.flags += format[at];
    if (is("*0123456789") && !parseNumber(c.width))
      return false;
    if (is(".")) {
      ++at;
      if (!parseNumber(c.precision))
        return false;
    }
    for (; is("hl") && c.size.size() < 2; ++at)
      c.size += format[at];
    if (at < format.size())
      c.kind = format[at++];
    return true;
  }

  /// The host's conversion, whose parts are checked; `length` is C's.
  template <class Value>
  void add(const Conversion &c, const char *length, Value value) {
    std::string form = "%" + c.flags;
    if (c.width < 0)
      form += "-";
    if (c.width != 0)
      form += std::to_string(std::abs(c.width));
    if (c.precision >= 0)
      form += "." + std::to_string(c.precision);
    form += std::string(length) + c.kind;
    int size = std::snprintf(nullptr, 0, form.c_str(), value);
    std::string made(size_t(std::max(size, 0)) + 1, '\0');
    std::snprintf(made.data(), made.size(), form.c_str(), value);
    made.pop_back();
    text += made;
  }

  bool addInteger(const Conversion &c) {
    bool isSigned = c.kind == 'd' || c.kind == 'i';
    bool isLong = c.size[0] == 'l';
    uint64_t value;
    if (!take(isLong ? 8 : 4, value))
      return false;
    if (c.size == "hh")
      value = isSigned ? uint64_t(int8_t(value)) : uint8_t(value);
    else if (c.size == "h")
      value = isSigned ? uint64_t(int16_t(value)) : uint16_t(value);
    else if (!isLong)
      value = isSigned ? uint64_t(int32_t(value)) : uint32_t(value);
    add(c, "ll", static_cast<unsigned long long>(value));
    return true;
  }

  bool addString(const Conversion &c) {
    uint64_t address;
    std::string string;
    size_t most = c.precision >= 0 ? size_t(c.precision) : maxStringBytes;
    if (!take(8, address) || !reader.readString(address, most, string))
      return false;
    add(c, "", string.c_str());
    return true;
  }

  bool convert(const Conversion &c, size_t begin) {
    uint64_t value;
    switch (c.kind) {
    case '%':
      text += '%';
      return true;
    case 'd':
    case 'i':
    case 'o':
    case 'u':
    case 'x':
    case 'X':
      return addInteger(c);
    case 'c':
      if (!take(4, value))
        return false;
      add(c, "", int(uint8_t(value)));
      return true;
    case 'p':
      if (!take(8, value))
        return false;
      add(c, "", reinterpret_cast<void *>(value));
      return true;
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
    case 'a':
    case 'A':
      if (!take(8, value))
        return false;
      add(c, "", std::bit_cast<double>(value));
      return true;
    case 's':
      return addString(c);
    default: // no conversion: as it stands
      text += format.substr(begin, at - begin);
      return true;
    }
  }

  LaneReader &reader;
  std::string format;
  size_t at = 0;
  uint64_t next; ///< address of the next argument
};

/// int vprintf(format, buffer): the number of arguments, as CUDA's gives.
void callPrintf(Warp &warp, const Op &op, Lanes lanes) {
  for (Lanes left = lanes; left != 0; left &= left - 1) {
    LaneReader reader(warp, op, unsigned(std::countr_zero(left)));
    uint64_t format = 0, buffer = 0;
    std::string text;
    if (!reader.argument(0, 8, format) || !reader.argument(1, 8, buffer) ||
        !reader.readString(format, maxStringBytes, text))
      continue;
    Formatter formatter(reader, std::move(text), buffer);
    formatter.run();
    warp.machine->print(formatter.text);
    reader.setResult(2, formatter.arguments);
  }
  ++warp.machine->epoch;
}

//===----------------------------------------------------------------------===//
// __assertfail
//===----------------------------------------------------------------------===//

/// Text of the kernel in a finding: what a terminal might obey is replaced.
std::string quoted(LaneReader &reader, unsigned index) {
  uint64_t address = 0;
  std::string text;
  if (!reader.argument(index, 8, address) ||
      !reader.readString(address, maxQuotedBytes, text))
    return "?";
  for (char &c : text)
    if (uint8_t(c) < 0x20 || c == 0x7F)
      c = '?';
  return text;
}

/// __assertfail(message, file, line, function, size of a character).
void callAssertFail(Warp &warp, const Op &op, Lanes lanes) {
  for (Lanes left = lanes; left != 0; left &= left - 1) {
    unsigned lane = unsigned(std::countr_zero(left));
    LaneReader reader(warp, op, lane);
    uint64_t line = 0;
    std::string message = quoted(reader, 0), file = quoted(reader, 1),
                function = quoted(reader, 3);
    reader.argument(2, 4, line);
    warp.machine->find(FindingKind::Trap, warp, op, lane, 0,
                       "fails the assertion '" + message + "' at " + file +
                           ":" + std::to_string(line) + " in '" + function +
                           "'");
  }
  throw Stop{Status::Stopped};
}

} // namespace

void Machine::print(const std::string &text) {
  if (report.output.size() + text.size() <= maxOutput) {
    report.output += text;
    return;
  }
  if (!isOutputFull)
    report.notes.push_back("the kernel printed more than " +
                           std::to_string(maxOutput) +
                           " bytes; some lines are left out");
  isOutputFull = true;
}

const DeviceFunction *findDeviceFunction(std::string_view name) {
  static constexpr DeviceFunction known[] = {
      {"vprintf", 2, 1, callPrintf}, {"__assertfail", 5, 0, callAssertFail}};
  auto found = std::find_if(
      std::begin(known), std::end(known),
      [&](const DeviceFunction &function) { return function.name == name; });
  return found == std::end(known) ? nullptr : found;
}

static Row paramRow(Builder &b, const Operand &operand) {
  std::optional<Frame::Place> place;
  if (operand.kind == Operand::Kind::Symbol)
    place = b.symbolPlace(operand.name);
  if (!place || place->space != Space::Param)
    b.refuse("expected '.param' variables in a call of a function of CUDA's");
  return place->row != noRow ? place->row
                             : b.writer.constant(place->address, 64);
}

void buildDeviceCall(Builder &b, const DeviceFunction &function,
                     const CallParts &parts) {
  auto count = [](const Operand *list) {
    return list ? list->elements.size() : 0;
  };
  if (count(parts.arguments) != function.arguments ||
      count(parts.results) != function.results)
    b.refuse("expected " + std::to_string(function.arguments) +
             " arguments and " + std::to_string(function.results) +
             " results of '" + std::string(function.name) + "'");
  std::vector<Row> rows;
  for (const Operand *list : {parts.arguments, parts.results})
    if (list)
      for (const Operand &operand : list->elements)
        rows.push_back(paramRow(b, operand));
  b.op.detail = b.addRows(rows);
  b.op.run = function.run;
}

} // namespace heddle::ptx
