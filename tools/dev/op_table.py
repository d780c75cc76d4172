#!/usr/bin/env python3
"""Writes docs/ops.md, the table of supported ONNX operators, from the rows of
frontends/onnx/convert/OpTable.cpp.

usage: op_table.py          writes the page
       op_table.py --check  exit code 3 if the page is not up to date
"""
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import re
import sys

import sources

TABLE = "frontends/onnx/convert/OpTable.cpp"
HEADER = "frontends/onnx/convert/OpTable.h"
PAGE = "docs/ops.md"
ROW = re.compile(r'\{"([^"]*)",\s*"([^"]+)",\s*(\w+),\s*(\w+),')
LIMIT = re.compile(r"constexpr int64_t (\w+) = (\d+);")


def page():
    limits = dict(LIMIT.findall(sources.read(HEADER)))
    lines = [
        "# Supported ONNX operators",
        "",
        f"Made by `tools/dev/op_table.py` from {TABLE}. Versions are those of the operator set",
        "that the model imports. Any other operator is refused by name.",
        "",
        "| domain | operator | from | to |",
        "|---|---|---|---|",
    ]
    for domain, op, first, last in ROW.findall(sources.read(TABLE)):
        first, last = limits.get(first, first), limits.get(last, last)
        lines.append(f"| {domain or 'ai.onnx'} | {op} | {first} | {last} |")
    return "\n".join(lines) + "\n"


def main(arguments):
    path = sources.ROOT / PAGE
    if arguments != ["--check"]:
        path.write_text(page(), encoding="utf-8")
        return 0
    good = path.is_file() and path.read_text(encoding="utf-8") == page()
    findings = [] if good else [f"{PAGE}:1: not up to date; tools/dev/op_table.py writes it"]
    return sources.report(findings, f"{PAGE}: up to date")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
