// ReportText.cpp - the text form of a report
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/heddle-ptx/KernelReport.h"

#include <cstdio>

using namespace heddle::ptx;

/// A value as one word: a string without its quotes, a list as `8,8,1`.
static std::string word(const KernelFacts &value) {
  if (value.is_string())
    return value.get<std::string>();
  if (!value.is_array())
    return value.dump(-1, ' ', false, KernelFacts::error_handler_t::replace);
  std::string text;
  for (const KernelFacts &item : value)
    text += (text.empty() ? "" : ",") + word(item);
  return text;
}

/// A number of bytes with its unit.
static std::string bytesWord(const KernelFacts &value) {
  return value.is_number() ? word(value) + " bytes" : word(value);
}

/// `  name             value`.
static void addLine(std::string &text, const std::string &name,
                    const std::string &value) {
  std::string padded = "  " + name;
  padded.resize(std::max<size_t>(padded.size() + 1, 20), ' ');
  text += padded + value + "\n";
}

static void formatParameters(std::string &text, const KernelFacts &list) {
  for (size_t i = 0; i < list.size(); ++i) {
    const KernelFacts &param = list[i];
    std::string value;
    if (param.contains("type"))
      value = word(param["type"]) + " " + word(param["name"]) + ", align " +
              word(param["align"]) + ", ";
    value += word(param["bytes"]) + " bytes at " + word(param["offset"]);
    if (param.contains("pointer") && param["pointer"] == true)
      value += ", pointer";
    addLine(text, i == 0 ? "parameters" : "", value);
  }
  if (list.empty())
    addLine(text, "parameters", "none");
}

static void formatMix(std::string &text, const std::string &name,
                      const KernelFacts &mix) {
  if (mix.is_string()) {
    addLine(text, name, word(mix));
    return;
  }
  addLine(text, name, word(mix["total"]));
  for (const char *group : {"tensor_core", "memory", "synchronisation"})
    for (const auto &[instruction, count] : mix[group].items())
      addLine(text, "", word(count) + " " + instruction);
}

static void formatOccupancy(std::string &text, const KernelFacts &facts) {
  if (facts.is_string()) {
    addLine(text, "occupancy", word(facts));
    return;
  }
  std::string value = word(facts["blocks"]) + " blocks";
  if (facts.contains("refused"))
    value += " on sm_" + word(facts["sm"]) + ": " + word(facts["refused"]);
  else
    value += ", " + word(facts["warps"]) + " of " + word(facts["of_warps"]) +
             " warps on sm_" + word(facts["sm"]) + ", limited by " +
             word(facts["limited_by"]);
  addLine(text, "occupancy", value);
  addLine(text, "",
          "for a block of " + word(facts["block"]) + " threads and " +
              word(facts["dynamic_shared_bytes"]) +
              " bytes of dynamic shared memory");
}

static void formatKernel(std::string &text, const KernelFacts &kernel) {
  text += "\nkernel " + word(kernel["name"]);
  if (kernel.contains("line"))
    text += " (line " + word(kernel["line"]) + ")";
  text += "\n";
  formatParameters(text, kernel["parameters"]);
  for (const auto &[name, value] : kernel["directives"].items())
    addLine(text, "." + name, word(value));
  std::string shared = word(kernel["static_shared_bytes"]) + " bytes static";
  if (kernel.contains("dynamic_shared") && kernel["dynamic_shared"] == true)
    shared += ", and dynamic";
  addLine(text, "shared memory", shared);
  addLine(text, "registers", word(kernel["registers"]));
  addLine(text, "barriers", word(kernel["barriers"]));
  addLine(text, "stack", bytesWord(kernel["stack_bytes"]));
  addLine(text, "spills",
          kernel["spill_store_bytes"].is_string()
              ? word(kernel["spill_store_bytes"])
              : bytesWord(kernel["spill_store_bytes"]) + " stored, " +
                    bytesWord(kernel["spill_load_bytes"]) + " loaded");
  formatOccupancy(text, kernel["occupancy"]);
  if (kernel.contains("ptx_instructions"))
    formatMix(text, "PTX instructions", kernel["ptx_instructions"]);
  formatMix(text, "machine code", kernel["machine_instructions"]);
}

static void formatTriton(std::string &text, const KernelFacts &triton) {
  addLine(text, "Triton",
          word(triton["version"]) + ", kernel " + word(triton["kernel"]));
  addLine(text, "launch",
          "block " + word(triton["block"]) + ", " + word(triton["num_ctas"]) +
              " blocks per cluster, " + word(triton["shared_bytes"]) +
              " bytes of dynamic shared memory");
  addLine(text, "scratch per block",
          word(triton["global_scratch_bytes"]) + " bytes global, " +
              word(triton["profile_scratch_bytes"]) + " bytes profile");
  if (triton["arguments"].is_string()) {
    addLine(text, "arguments", word(triton["arguments"]));
    return;
  }
  for (size_t i = 0; i < triton["arguments"].size(); ++i) {
    const KernelFacts &argument = triton["arguments"][i];
    std::string value = word(argument["name"]) + " " + word(argument["type"]);
    if (argument["divisibility"] != 0)
      value += ", a multiple of " + word(argument["divisibility"]);
    addLine(text, i == 0 ? "arguments" : "", value);
  }
}

/// The toolkit, and the driver where its branch is known.
static std::string formatNeeds(const KernelFacts &needs) {
  if (needs.is_string())
    return word(needs);
  std::string text = "CUDA " + word(needs["cuda"]) + " or newer";
  if (needs["driver"].is_number())
    text += ", Linux driver branch " + word(needs["driver"]) + " or newer";
  return text;
}

static void formatFile(std::string &text, const KernelFacts &file) {
  text += word(file["file"]) + "\n";
  if (file.contains("triton"))
    formatTriton(text, file["triton"]);
  if (file.contains("module")) {
    const KernelFacts &module = file["module"];
    addLine(text, "PTX",
            word(module["ptx_version"]) + " for " + word(module["targets"]));
    addLine(text, "needs", formatNeeds(module["needs"]));
  }
  if (file.contains("cubin")) {
    addLine(text, "cubin",
            "for sm_" + word(file["cubin"]["sm"]) + ", target " +
                word(file["cubin"]["target"]));
    addLine(text, "assembler", word(file["cubin"]["assembler"]));
  }
  addLine(text, "resources from", word(file["resources_from"]));
  for (const KernelFacts &kernel : file["kernels"])
    formatKernel(text, kernel);
}

std::string heddle::ptx::formatReport(const KernelFacts &report) {
  std::string text;
  for (const KernelFacts &file : report["files"]) {
    if (!text.empty())
      text += "\n";
    formatFile(text, file);
  }
  return text;
}
