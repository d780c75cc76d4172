#!/usr/bin/env python3
"""Checks that tests exist: every pass argument is named in a test, and every
text of emitError and emitOpError occurs in an expectation.

usage: check_tests.py

An error that no input reaches carries the comment '// unreachable: why' on its
line or the line before.
"""
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import re
import sys

import sources

PASS = re.compile(r'^def\s+\w+\s*:\s*(?:Interface)?Pass<\s*"([^"]+)"', re.MULTILINE)
ERROR = re.compile(r'\bemit(?:Op)?Error\([^";{}]*?(?:\)\s*<<\s*)?((?:"(?:[^"\\]|\\.)*"\s*)+)')
LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')
EXPECTATION = re.compile(r"expected-(error|remark|warning|note)|CHECK|EXPECT|ASSERT")
# A shorter text says too little to be looked for.
SHORTEST = 12


def unescape(literal):
    return literal.replace('\\"', '"').replace("\\\\", "\\")


def untested_passes(tests):
    for path in sources.tracked(".td"):
        text = sources.read(path)
        for match in PASS.finditer(text):
            argument = match.group(1)
            if not re.search(re.escape(argument) + r"(?![\w-])", tests):
                line = text.count("\n", 0, match.start()) + 1
                yield f"{path}:{line}: no test names the pass {argument}"


def untested_errors(expectations):
    for path in sources.tracked(".cpp", ".h"):
        if path.parts[0] not in ("dialects", "passes", "codegen", "frontends"):
            continue
        text = sources.read(path)
        lines = text.split("\n")
        for match in ERROR.finditer(text):
            message = unescape("".join(LITERAL.findall(match.group(1)))).strip()
            number = text.count("\n", 0, match.start())
            marked = "// unreachable:" in "\n".join(lines[max(number - 1, 0):number + 1])
            if len(message) < SHORTEST or marked or message in expectations:
                continue
            yield f"{path}:{number + 1}: no test expects '{message}'"


def main():
    tests = ""
    expectations = ""
    for path in sources.tracked(".mlir", ".test", ".onnxtxt", ".cpp", ".c", ".py"):
        if path.parts[0] != "test":
            continue
        text = sources.read(path)
        if path.suffix in (".mlir", ".test", ".onnxtxt"):
            tests += text
            text = "\n".join(line for line in text.split("\n") if EXPECTATION.search(line))
        expectations += text
    findings = [*untested_passes(tests), *untested_errors(expectations)]
    return sources.report(findings, "tests: every pass and every error text is named in one")


if __name__ == "__main__":
    sys.exit(main())
