//===- Manifest.h - the facts in a compiled module --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_TOOLS_HEDDLE_MANIFEST_H
#define HEDDLE_TOOLS_HEDDLE_MANIFEST_H

#include "heddle/module_abi.h"
#include "heddle/runtime.h"

#include "llvm/ADT/StringRef.h"

namespace heddle::cli {

/// Reads the manifest of a loaded model, whose offsets the runtime has checked.
class Manifest {
public:
  /// `model` outlives this reader.
  explicit Manifest(const heddle_model_t *model) {
    size_t size;
    base = static_cast<const char *>(heddle_model_manifest(model, &size));
  }

  const heddle_abi_manifest_t &getHeader() const {
    return *reinterpret_cast<const heddle_abi_manifest_t *>(base);
  }
  llvm::StringRef getString(heddle_abi_string_t string) const {
    return llvm::StringRef(base + string.offset, string.length);
  }
  /// Record `index` of a table of `Record`s.
  template <typename Record>
  const Record &getRecord(const heddle_abi_table_t &table,
                          uint32_t index) const {
    return *reinterpret_cast<const Record *>(base + table.offset +
                                             uint64_t(index) * table.stride);
  }

private:
  const char *base;
};

} // namespace heddle::cli

#endif // HEDDLE_TOOLS_HEDDLE_MANIFEST_H
