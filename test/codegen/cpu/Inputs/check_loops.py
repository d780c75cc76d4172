"""Checks the inner loops of a product in assembly on standard input: no vector
register may be saved to the stack between two steps.

usage: check_loops.py MULTIPLY_ADDS

The largest loop must have MULTIPLY_ADDS or more: a smaller tile is no proof.
"""
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import re
import sys

STACK = re.compile(r"[xyz]mm.*\(%r[sb]p|\(%r[sb]p.*[xyz]mm")


def inner_loops(lines):
    """The instructions between a label and the next jump back to it."""
    for start, line in enumerate(lines):
        label = re.match(r"(\.LBB\w+):", line)
        if not label:
            continue
        for end in range(start + 1, len(lines)):
            if re.match(r"\.LBB\w+:", lines[end]):
                break
            if re.match(r"\s+j\w+\s+" + re.escape(label.group(1)) + r"\s*$", lines[end]):
                yield lines[start + 1:end]
                break


def main():
    largest = 0
    for loop in inner_loops(sys.stdin.read().split("\n")):
        count = sum("vfmadd" in line for line in loop)
        if count == 0:
            continue
        largest = max(largest, count)
        for line in loop:
            if STACK.search(line):
                sys.exit(f"check_loops.py: a loop of {count} multiply-adds has '{line.strip()}'")
    if largest < int(sys.argv[1]):
        sys.exit(f"check_loops.py: expects a loop of {sys.argv[1]} multiply-adds, got {largest}")


if __name__ == "__main__":
    main()
