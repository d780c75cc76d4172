// Layout.h - addresses of a kernel's variables; private to the library.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_LAYOUT_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_LAYOUT_H

#include "codegen/nvidia/ptx/Builder.h"

#include <set>

namespace heddle::ptx {

/// Functions with a body, by name.
class FunctionIndex {
public:
  explicit FunctionIndex(const Module &module);
  const Function *find(std::string_view name) const;
  /// Functions whose address stands in the initialiser of a variable.
  const std::set<std::string_view> &namedByVariables() const { return named; }

private:
  std::set<std::string_view> named;
  std::unordered_map<std::string_view, const Function *> functions;
};

/// The entry and all functions it can reach by calls, those whose address is
/// taken among them, the entry first.
std::vector<const Function *> reachable(const FunctionIndex &index,
                                        const Function &entry);

/// Where shared variables lie in a block: in the order of declaration, file
/// scope first; those that nothing reachable names take no room, as with ptxas.
struct SharedLayout {
  std::map<std::pair<const Function *, std::string_view>, uint64_t> offsets;
  uint64_t staticBytes = 0;
  uint64_t dynamicOffset = 0;
};
SharedLayout layoutShared(const Module &module,
                          const std::vector<const Function *> &functions);

/// Gives file-scope variables their addresses, and functions whose address is
/// taken.
void placeVariables(const std::vector<const Function *> &functions,
                    const FunctionIndex &index, const SharedLayout &shared,
                    ProgramWriter &writer);

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_LAYOUT_H
