//===- Progress.h - what is being done, on a terminal -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_TOOLS_HEDDLE_PROGRESS_H
#define HEDDLE_TOOLS_HEDDLE_PROGRESS_H

#include "llvm/ADT/Twine.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/raw_ostream.h"

namespace heddle::cli {

/// One line on standard error that is overwritten as work goes on, and gone at
/// the end. Nothing at all where standard error is not a terminal.
class Progress {
public:
  Progress() = default;
  ~Progress() { clear(); }
  Progress(const Progress &) = delete;
  Progress &operator=(const Progress &) = delete;

  void show(const llvm::Twine &what) {
    if (isTerminal)
      llvm::errs() << "\r\x1b[K" << what;
  }

  /// To be called before anything else is printed.
  void clear() { show(""); }

private:
  bool isTerminal = llvm::sys::Process::StandardErrIsDisplayed();
};

} // namespace heddle::cli

#endif // HEDDLE_TOOLS_HEDDLE_PROGRESS_H
