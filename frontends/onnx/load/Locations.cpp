//===- Locations.cpp - where a diagnostic about a model points ------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/load/Locations.h"
#include "frontends/onnx/Onnx.h"
#include "frontends/onnx/load/ModelWalk.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace heddle;

Location ModelLocations::file() const {
  return FileLineColLoc::get(context, path, /*line=*/0, /*column=*/0);
}

Location ModelLocations::node(const pb::NodeProto &node) const {
  return NameLoc::get(StringAttr::get(context, node.name()));
}

static void printEscaped(raw_ostream &os, StringRef text) {
  for (unsigned char c : text) {
    if (llvm::isPrint(c))
      os << c;
    else
      os << "\\x" << llvm::hexdigit(c >> 4) << llvm::hexdigit(c & 15);
  }
}

std::string heddle::inQuotes(StringRef text) {
  constexpr size_t longest = 200;
  std::string result;
  llvm::raw_string_ostream os(result);
  os << '\'';
  printEscaped(os, text.take_front(longest));
  os << (text.size() > longest ? "...'" : "'");
  return result;
}

void heddle::nameNodes(pb::ModelProto &model) {
  auto name = [](NodeList &nodes, const OperatorSets &) {
    for (int i = 0; i < nodes.size(); ++i)
      if (nodes[i].name().empty())
        nodes[i].set_name(nodes[i].op_type() + "_" + std::to_string(i));
    return success();
  };
  (void)walkNodeLists(model, name); // fails only where `name` does
}

static StringRef severityName(DiagnosticSeverity severity) {
  switch (severity) {
  case DiagnosticSeverity::Note:
    return "note";
  case DiagnosticSeverity::Warning:
    return "warning";
  case DiagnosticSeverity::Error:
    return "error";
  case DiagnosticSeverity::Remark:
    return "remark";
  }
  llvm_unreachable("all severities are handled");
}

/// The name of the node that a location stands for; empty if for none. Passes
/// fuse locations of several nodes: the first is named.
static StringRef nodeName(Location location) {
  StringRef name;
  location->walk([&](Location nested) {
    auto named = dyn_cast<NameLoc>(nested);
    if (!named)
      return WalkResult::advance();
    name = named.getName();
    return WalkResult::interrupt();
  });
  return name;
}

void heddle::printDiagnostic(raw_ostream &os, StringRef path,
                             Diagnostic &diagnostic) {
  os << path << ": ";
  StringRef name = nodeName(diagnostic.getLocation());
  if (!name.empty())
    os << "node " << inQuotes(name) << ": ";
  os << severityName(diagnostic.getSeverity()) << ": ";
  printEscaped(os, diagnostic.str());
  os << '\n';
  for (Diagnostic &note : diagnostic.getNotes())
    printDiagnostic(os, path, note);
}
