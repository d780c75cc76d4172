#!/usr/bin/env python3
"""Runs a command and checks how it ends.

usage: exits.py CODE COMMAND...

Standard error goes to standard output, so that FileCheck sees both. A crash is
no exit code: it never matches.
"""
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import subprocess
import sys

expected, command = int(sys.argv[1]), sys.argv[2:]
finished = subprocess.run(command, stderr=subprocess.STDOUT)
if finished.returncode != expected:
    print(f"exits.py: expected exit code {expected}, got {finished.returncode}", file=sys.stderr)
    sys.exit(1)
