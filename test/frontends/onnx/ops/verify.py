#!/usr/bin/env python3
"""Compiles and runs every model that make_models.py wrote.

usage: verify.py HEDDLE FOLDER [OPTION...]

Prints what `heddle verify` says of each model that does not match, with the node
that the output belongs to. Exit code 3 if there is one.
"""
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import pathlib
import re
import subprocess
import sys

import onnx

OUTPUT = re.compile(r"/(c\d+_\w+) ")


def failures(folder, result):
    """The lines of a run that are not about a match, each after its node."""
    nodes = {name: node.name for node in onnx.load(folder / "model.onnx").graph.node
             for name in node.output}
    for line in (result.stdout + result.stderr).splitlines():
        if line.startswith("ok "):
            continue
        output = OUTPUT.search(line)
        if output:
            yield nodes[output.group(1)]
        yield line


def main(arguments):
    heddle, root, *options = arguments
    broken = 0
    folders = sorted(path for path in pathlib.Path(root).iterdir() if path.is_dir())
    for folder in folders:
        result = subprocess.run([heddle, "verify", str(folder), *options],
                                capture_output=True, text=True, check=False)
        if result.returncode:
            broken += 1
            print(f"{folder.name}: exit code {result.returncode}")
            for line in failures(folder, result):
                print(f"  {line}")
    print(f"{len(folders)} models, {broken} do not match")
    return 3 if broken or not folders else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
