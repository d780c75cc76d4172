#!/usr/bin/env python3
"""Runs the sample kernels in the interpreter and compares with NumPy.

usage: run_samples.py own|triton FOLDER [--seed=N]

FOLDER takes inputs and outputs. `triton` needs HEDDLE_SHARED.
"""
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import os
import subprocess
import sys
from pathlib import Path

import numpy

sys.path.insert(0, str(Path(__file__).parent / "kernels"))
import cases  # noqa: E402


def run(case, folder, options):
    """Runs one case and returns what is wrong with it, or None."""
    case.save_inputs(folder)
    process = subprocess.run(["heddle-ptx", "run", *case.command(folder), *options],
                             capture_output=True, text=True)
    if process.returncode != 0:
        return f"exit code {process.returncode}: {process.stderr.strip()[:2000]}"
    expected = case.reference(numpy, case.arrays)
    for name in case.outputs:
        got = case.arrays[name].load(folder / f"{name}.npy")
        worst = cases.worst_error(case, name, got.values, expected[name].ravel().tolist())
        if worst > 1:
            return f"{name} is wrong: the largest error is {worst:.3g} times its bound"
        print(f"{case.name}: right, the largest error is {worst:.3g} of its bound")
    return None


def main():
    kind, folder = sys.argv[1], Path(sys.argv[2])
    if kind == "own":
        selected = cases.own_cases()
    else:
        selected = cases.triton_cases(Path(os.environ["HEDDLE_SHARED"]) / "gpu/triton_samples")
    failed = 0
    for case in selected:
        wrong = run(case, folder / case.name, sys.argv[3:])
        if wrong:
            failed += 1
            print(f"{case.name}: {wrong}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
