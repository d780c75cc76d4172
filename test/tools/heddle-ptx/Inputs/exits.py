#!/usr/bin/env python3
"""Runs a command and fails unless it ends with the exit code that is expected.

usage: exits.py CODE COMMAND...

Both streams of the command go to standard output, for FileCheck.
"""
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import subprocess
import sys

process = subprocess.run(sys.argv[2:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                         errors="replace")
print(process.stdout, end="")
if process.returncode != int(sys.argv[1]):
    print(f"exits.py: expected exit code {sys.argv[1]}, got {process.returncode}")
    sys.exit(1)
