#!/usr/bin/env python3
"""Writes .npy files with NumPy.

usage: npy.py FILE EXPRESSION...    where an expression may use numpy as np
"""
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import sys

import numpy as np

for path, expression in zip(sys.argv[1::2], sys.argv[2::2], strict=True):
    np.save(path, eval(expression, {"np": np}))
