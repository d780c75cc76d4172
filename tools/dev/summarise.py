#!/usr/bin/env python3
"""Adds up the JUnit files of a test run: every skip with its reason, every
failure by name, and last the line 'N passed, N failed, N skipped'.

usage: summarise.py FOLDER
"""
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import collections
import pathlib
import sys
import xml.etree.ElementTree as ElementTree

# What a lit feature that is missing means to the reader.
FEATURES = {
    "shared-models": "HEDDLE_SHARED names no folder with models/",
    "minilm": "the weights of all-MiniLM-L6-v2 are not in the cache: run tools/setup",
    "avx512": "this machine has no AVX-512",
    "ptxas": "ptxas is not installed",
    "!root": "the tests run as root, whom no file permission stops",
}


def skip_reason(skipped, case):
    """The sentence behind a <skipped> element of lit or CTest."""
    message = skipped.get("message", "")
    if message.startswith("Missing required feature(s): "):
        names = message.split(": ", 1)[1].split(", ")
        return "; ".join(FEATURES.get(name, f"needs {name}") for name in names)
    # CTest knows only the return code; the test itself said why.
    output = (case.findtext("system-out") or "").strip().splitlines()
    return output[-1] if output else message or "no reason given"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    passed = 0
    failed = []
    skipped = collections.Counter()
    for path in sorted(folder.glob("*.xml")):
        cases = ElementTree.parse(path).getroot().iter("testcase")
        for case in cases:
            skip = case.find("skipped")
            if skip is not None:
                skipped[skip_reason(skip, case)] += 1
            elif case.find("failure") is not None or case.find("error") is not None:
                failed.append(f"{path.stem}: {case.get('classname')}/{case.get('name')}")
            else:
                passed += 1

    for reason, count in sorted(skipped.items()):
        print(f"skipped {count}: {reason}")
    for name in failed:
        print(f"failed  {name}")
    print(f"{passed} passed, {len(failed)} failed, {skipped.total()} skipped")
    sys.exit(1 if failed or passed == 0 else 0)


if __name__ == "__main__":
    main()
