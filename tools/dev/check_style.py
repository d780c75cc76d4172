#!/usr/bin/env python3
"""Checks the rules of the house style that a machine can check.

usage: check_style.py
"""
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import re
import sys

import sources

SOURCE = (".h", ".c", ".cpp", ".td", ".py", ".cmake", ".def")
CODE = (".h", ".c", ".cpp")

BANNED_NAME = re.compile(r"(Utils?|Utility|Utilities|Common|Helpers?|Misc)\.(h|c|cpp|td)$")

# Pattern, suffixes it is looked for in, why it is not wanted.
BANNED_TEXT = [
    (re.compile(r"\bTODO\b|\bFIXME\b|\bXXX\b"), SOURCE, "unfinished work does not land"),
    (re.compile(r"\bStatistic<"), (".h", ".cpp", ".td"),
     "a pass statistic is undefined behaviour against the packaged LLVM: use a remark"),
    (re.compile(r"^using namespace ", re.MULTILINE), (".h",),
     "a header opens no namespace for its readers"),
    (re.compile(r"\b(rewriter|builder|b)\.create<"), CODE, "write OpType::create(rewriter, ...)"),
    (re.compile(r"\(void\)\s*applyPatternsGreedily"), CODE, "a dropped result is a bug"),
    (re.compile(r"emit(?:Op)?Error\(\s*\"[A-Z][a-z]"), CODE, "an error text starts lower-case"),
    (re.compile(r"emit(?:Op)?Error\(\s*\"[^\"]*[.!]\"\s*\)"), CODE,
     "an error text ends without a full stop"),
]


def findings_in(path):
    text = sources.read(path)
    if path.suffix in SOURCE and "SPDX-License-Identifier" not in text[:1500]:
        yield f"{path}:1: has no SPDX line in its banner"
    if BANNED_NAME.search(path.name):
        yield f"{path}:1: a file is named after what it holds"
    rules = list(BANNED_TEXT)
    if path.parts[0] not in ("tools", "test"):
        rules.append((re.compile(r"\bcl::(opt|list)<"), CODE,
                      "options of passes are declared in Passes.td, of programs in tools/"))
    for pattern, suffixes, why in rules:
        if path.suffix not in suffixes:
            continue
        for match in pattern.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            yield f"{path}:{line}: '{match.group(0).strip()}': {why}"


def main():
    findings = []
    for path in sources.tracked(*SOURCE):
        if path.name != "check_style.py":
            findings += findings_in(path)
    return sources.report(findings, "style: nothing found")


if __name__ == "__main__":
    sys.exit(main())
