#!/usr/bin/env python3
"""Names the files that are long enough to look at twice. Warns only: a file
that is better long stays long.

usage: check_sizes.py
"""
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import sources

# Kind of file -> the number of lines from which it should be split by topic.
LIMITS = [
    (lambda path: path.name == "CMakeLists.txt", 100),
    (lambda path: path.suffix in (".cpp", ".c", ".td", ".py"), 600),
    (lambda path: path.suffix == ".h", 300),
    (lambda path: path.suffix == ".mlir", 300),
]


def limit_of(path):
    return next((limit for matches, limit in LIMITS if matches(path)), None)


def main():
    for path in sources.tracked(".cpp", ".c", ".h", ".td", ".py", ".mlir", ".txt"):
        limit = limit_of(path)
        lines = sources.read(path).count("\n")
        if limit and lines > limit:
            print(f"{path}: {lines} lines, look twice from {limit} on")


if __name__ == "__main__":
    main()
