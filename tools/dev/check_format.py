#!/usr/bin/env python3
"""Checks the C and C++ files against .clang-format.

usage: check_format.py [--fix]
"""
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import subprocess
import sys

import sources


def main():
    fix = sys.argv[1:] == ["--fix"]
    if sys.argv[1:] and not fix:
        sys.exit(__doc__)
    paths = [str(path) for path in sources.tracked(".h", ".c", ".cpp")]
    if fix:
        return subprocess.run(["clang-format-22", "-i", *paths], cwd=sources.ROOT).returncode
    check = subprocess.run(["clang-format-22", "--dry-run", *paths], cwd=sources.ROOT,
                           capture_output=True, text=True)
    wrong = sorted({line.split(":")[0] for line in check.stderr.splitlines()
                    if "-Wclang-format-violations" in line})
    findings = [f"{path}: not formatted; tools/dev/check_format.py --fix does it" for path in wrong]
    return sources.report(findings, f"format: {len(paths)} files as clang-format writes them")


if __name__ == "__main__":
    sys.exit(main())
