// InstructionMix.cpp - what kinds of instructions a kernel has
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/InstructionMix.h"

#include "codegen/nvidia/ptx/Subprocess.h"

#include <algorithm>
#include <cctype>

using namespace heddle::ptx;

//===----------------------------------------------------------------------===//
// PTX
//===----------------------------------------------------------------------===//

static const char *spaceName(Space space) {
  switch (space) {
  case Space::Const:
    return "const";
  case Space::Global:
    return "global";
  case Space::Local:
    return "local";
  case Space::Param:
    return "param";
  case Space::Shared:
    return "shared";
  default:
    return "generic";
  }
}

/// `ld.global.128`: the operation, the space and the bits of one thread.
static std::string accessName(const Instruction &instruction,
                              const char *operation) {
  const Mnemonic &mnemonic = *instruction.mnemonic;
  std::string name = std::string(operation) + "." + spaceName(mnemonic.space);
  const std::vector<Type> &types = mnemonic.types;
  if (!types.empty())
    name += "." + std::to_string(bitWidth(types.back()) * mnemonic.vectorWidth);
  return name;
}

/// The first `count` words of a mnemonic.
static std::string leadingWords(const Instruction &instruction, size_t count) {
  const std::vector<std::string> &modifiers = instruction.mnemonic->modifiers;
  std::string name(spelling(instruction.opcode()));
  for (size_t i = 0; i + 1 < count && i < modifiers.size(); ++i)
    name += "." + modifiers[i];
  return name;
}

/// Whether a `cp` instruction only commits or waits.
static bool isCopyControl(const Instruction &instruction) {
  return instruction.has("commit_group") || instruction.has("wait_group") ||
         instruction.has("wait_all") || instruction.has("mbarrier") ||
         (instruction.has("mbarrier::complete_tx::bytes") &&
          !instruction.has("bulk"));
}

static void countCopy(const Instruction &instruction, InstructionMix &mix) {
  if (isCopyControl(instruction)) {
    ++mix.synchronisation[leadingWords(instruction, 4)];
    return;
  }
  if (instruction.has("bulk")) {
    ++mix.memory[leadingWords(instruction, 6)];
    return;
  }
  // cp.async states its bytes as the third operand.
  std::string name = "cp.async";
  if (instruction.operands.size() >= 3 &&
      instruction.operands[2].kind == Operand::Kind::Immediate)
    name += "." + std::to_string(8 * instruction.operands[2].value);
  ++mix.memory[name];
}

static void countMatrix(const Instruction &instruction, InstructionMix &mix) {
  bool isProduct = instruction.opcode() == Opcode::Mma ||
                   instruction.has("mma") || instruction.has("mma_async");
  if (isProduct)
    ++mix.tensorCore[instruction.mnemonic->text];
  else if (instruction.has("load") || instruction.has("store") ||
           instruction.has("ld") || instruction.has("st"))
    ++mix.memory[leadingWords(instruction, 2)];
  else
    ++mix.synchronisation[leadingWords(instruction, 2)];
}

static void countInstruction(const Instruction &instruction,
                             InstructionMix &mix) {
  switch (instruction.opcode()) {
  case Opcode::Mma:
  case Opcode::Wmma:
  case Opcode::Wgmma:
  case Opcode::Tcgen05:
    countMatrix(instruction, mix);
    break;
  case Opcode::Ld:
  case Opcode::Ldu:
    ++mix.memory[accessName(instruction, "ld")];
    break;
  case Opcode::St:
    ++mix.memory[accessName(instruction, "st")];
    break;
  case Opcode::Atom:
    ++mix.memory[accessName(instruction, "atom")];
    break;
  case Opcode::Red:
    ++mix.memory[accessName(instruction, "red")];
    break;
  case Opcode::Ldmatrix:
  case Opcode::Stmatrix:
  case Opcode::Prefetch:
  case Opcode::Prefetchu:
    ++mix.memory[std::string(spelling(instruction.opcode()))];
    break;
  case Opcode::Cp:
    countCopy(instruction, mix);
    break;
  case Opcode::Bar:
  case Opcode::Barrier:
  case Opcode::Mbarrier:
  case Opcode::Fence:
  case Opcode::Membar:
  case Opcode::Griddepcontrol:
    ++mix.synchronisation[leadingWords(instruction, 2)];
    break;
  default:
    break;
  }
}

InstructionMix heddle::ptx::countInstructions(const Function &function) {
  InstructionMix mix;
  mix.total = function.code.size();
  for (const Instruction &instruction : function.code)
    countInstruction(instruction, mix);
  return mix;
}

//===----------------------------------------------------------------------===//
// Machine code
//===----------------------------------------------------------------------===//

/// Whether the first word of `opcode` is one of `words`.
template <size_t N>
static bool startsWithWord(std::string_view opcode,
                           const std::string_view (&words)[N]) {
  std::string_view word = opcode.substr(0, opcode.find('.'));
  return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

static void countMachineInstruction(std::string_view opcode,
                                    InstructionMix &mix) {
  constexpr std::string_view matrixWords[] = {
      "HMMA",  "IMMA",  "DMMA",  "BMMA",    "QMMA",    "OMMA",    "HGMMA",
      "IGMMA", "QGMMA", "BGMMA", "UTCHMMA", "UTCQMMA", "UTCIMMA", "UTCOMMA"};
  constexpr std::string_view memoryWords[] = {
      "LD",   "ST",   "LDG",    "STG",     "LDS",     "STS",      "LDL",
      "STL",  "LDSM", "STSM",   "LDGSTS",  "ATOM",    "ATOMG",    "ATOMS",
      "RED",  "REDG", "UBLKCP", "UTMALDG", "UTMASTG", "UTMAREDG", "UBLKRED",
      "LDTM", "STTM", "UTCCP",  "UBLKPF",  "UTMAPF",  "STAS",     "REDAS"};
  constexpr std::string_view syncWords[] = {
      "BAR",          "UCGABAR_ARV",  "UCGABAR_WAIT", "SYNCS",  "MEMBAR",
      "DEPBAR",       "LDGDEPBAR",    "WARPSYNC",     "FENCE",  "WARPGROUP",
      "WARPGROUPSET", "UTMACMDFLUSH", "UTMACCTL",     "ERRBAR", "CCTL",
      "CGAERRBAR",    "ARRIVES",      "ACQBULK",      "PREEXIT"};
  ++mix.total;
  std::string name(opcode);
  if (startsWithWord(opcode, matrixWords))
    ++mix.tensorCore[name];
  else if (startsWithWord(opcode, memoryWords))
    ++mix.memory[name];
  else if (startsWithWord(opcode, syncWords))
    ++mix.synchronisation[name];
}

/// The opcode of `/*01a0*/ @!P0 LDG.E.128 R16, ...`, or nothing for another
/// line.
static std::string_view machineOpcode(std::string_view line) {
  size_t start = line.find_first_not_of(" \t");
  if (start == std::string_view::npos || line.substr(start, 2) != "/*")
    return {};
  size_t end = line.find("*/", start);
  if (end == std::string_view::npos)
    return {};
  line.remove_prefix(end + 2);
  std::string_view word;
  do {
    size_t skip = std::min(line.find_first_not_of(" \t{"), line.size());
    line.remove_prefix(skip);
    word = line.substr(0, line.find_first_of(" \t;,"));
    line.remove_prefix(word.size());
  } while (word.starts_with('@'));
  bool isOpcode =
      !word.empty() && std::isupper(static_cast<unsigned char>(word.front()));
  return isOpcode ? word : std::string_view();
}

std::map<std::string, InstructionMix>
heddle::ptx::countMachineInstructions(const std::string &disassembly) {
  std::map<std::string, InstructionMix> mixes;
  InstructionMix *current = nullptr;
  std::istringstream lines(disassembly);
  constexpr std::string_view label = ".text.";
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(label) && line.ends_with(':'))
      current =
          &mixes[line.substr(label.size(), line.size() - label.size() - 1)];
    else if (std::string_view opcode = machineOpcode(line);
             current && !opcode.empty())
      countMachineInstruction(opcode, *current);
  }
  return mixes;
}

Result<std::map<std::string, InstructionMix>>
heddle::ptx::disassembleAndCount(const std::string &nvdisasm,
                                 const std::string &cubin) {
  constexpr std::chrono::seconds limit(300);
  Result<ProcessOutput> output = runProgram(nvdisasm, {"-c", cubin}, limit);
  if (!output)
    return output.failure();
  if (output->status != 0)
    return refuse("'", nvdisasm, "' ", output->describeEnd());
  auto mixes = countMachineInstructions(output->text);
  if (mixes.empty())
    return refuse("'", nvdisasm, "' printed no machine code");
  return mixes;
}
