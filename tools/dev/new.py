#!/usr/bin/env python3
"""Writes the beginnings of a pass or an op, with a test that fails until it is
filled in.

usage: new.py pass AREA NAME     new.py pass fusion FuseNormLinear
       new.py op NAME            new.py op rms_norm

AREA is a folder of passes/. docs/how-to says what to fill in.
"""
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import re
import sys

import sources

PASS_RECORD = '''def {name} : Pass<"heddle-{kebab}", "::mlir::func::FuncOp"> {{
  let summary = "{words}";
  let description = [{{
    Before:
    ```mlir
    ```
    After:
    ```mlir
    ```
  }}];
}}

'''

PASS_SOURCE = '''\
//===- {name}.cpp - {words} {rule}===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "passes/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace heddle {{
#define GEN_PASS_DEF_{upper}
#include "passes/Passes.h.inc"
}} // namespace heddle

using namespace heddle;

namespace {{
struct {name} final : heddle::impl::{name}Base<{name}> {{
  using Base::Base;
  void runOnOperation() override;
}};
}} // namespace

void {name}::runOnOperation() {{}}
'''

PASS_TEST = '''\
// RUN: heddle-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(heddle-{kebab}))' | FileCheck %s

// One sentence that says what this case shows.

// CHECK-LABEL: func @changes(
// CHECK: what {name} makes of it
func.func @changes() {{
  return
}}

// -----

// Nothing changes here, and why.

// CHECK-LABEL: func @stays(
// CHECK-NEXT: return
func.func @stays() {{
  return
}}
'''

OP_RECORD = '''def Heddle_{camel}Op : Heddle_TensorOp<"{name}"> {{
  let summary = "{words}";
  let description = [{{
    Constraints:
      - (C1)

    Example:

    ```mlir
    ```
  }}];
  let arguments = (ins AnyRankedTensor:$input, AnyRankedTensor:$init);
  let assemblyFormat = [{{
    `ins` `(` $input `:` type($input) `)` `outs` `(` $init `:` type($init) `)`
    attr-dict `->` type($result)
  }}];
}}

'''

OP_TEST = '''
// CHECK-LABEL: func @{name}(
// CHECK: what heddle.{name} prints
func.func @{name}() {{
  return
}}
'''


def fail(message):
    sys.exit(f"new.py: {message}")


def write_new(path, text):
    if (sources.ROOT / path).exists():
        fail(f"{path} exists already")
    (sources.ROOT / path).parent.mkdir(parents=True, exist_ok=True)
    (sources.ROOT / path).write_text(text)
    print(f"new      {path}")


def edit(path, change):
    (sources.ROOT / path).write_text(change(sources.read(path)))
    print(f"changed  {path}")


def before_last_endif(record):
    def change(text):
        head, endif, tail = text.rpartition("#endif")
        return head + record + endif + tail
    return change


def add_source(entry):
    """Adds `entry` to the sorted SOURCES of a CMakeLists.txt."""
    def change(text):
        match = re.search(r"SOURCES\n((?:    \S+\n)+)", text)
        lines = sorted(match.group(1).splitlines(True) + [f"    {entry}\n"])
        return text[:match.start(1)] + "".join(lines) + text[match.end(1):]
    return change


def new_pass(area, name):
    if not re.fullmatch(r"([A-Z][a-z0-9]*)+", name):
        fail(f"expected a name such as FuseNormLinear, got '{name}'")
    kebab = "-".join(word.lower() for word in re.findall(r"[A-Z][a-z0-9]*", name))
    words = kebab.replace("-", " ")
    title = f"//===- {name}.cpp - {words} "
    fields = {"name": name, "kebab": kebab, "words": words, "upper": name.upper(),
              "rule": "-" * max(80 - len(title) - len("===//"), 1)}
    if not (sources.ROOT / "passes" / area).is_dir():
        fail(f"no folder passes/{area}")
    write_new(f"passes/{area}/{name}.cpp", PASS_SOURCE.format(**fields))
    write_new(f"test/passes/{area}/{kebab}.mlir", PASS_TEST.format(**fields))
    edit("passes/Passes.td", before_last_endif(PASS_RECORD.format(**fields)))
    edit("passes/CMakeLists.txt", add_source(f"{area}/{name}.cpp"))


def new_op(name):
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name):
        fail(f"expected a name such as rms_norm, got '{name}'")
    fields = {"name": name, "words": name.replace("_", " "),
              "camel": "".join(word.capitalize() for word in name.split("_"))}
    edit("dialects/heddle/HeddleOps.td", before_last_endif(OP_RECORD.format(**fields)))
    edit("test/dialects/heddle/ops.mlir", lambda text: text + OP_TEST.format(**fields))


def main():
    match sys.argv[1:]:
        case ["pass", area, name]:
            new_pass(area, name)
        case ["op", name]:
            new_op(name)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
