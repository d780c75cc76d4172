#!/usr/bin/env python3
"""Compiles a kernel with Triton, without a GPU, into Triton's cache.

usage: compile_triton.py CACHE_FOLDER

The kernel doubles what lies in even places of a row, so that it has a mask, a
scalar that is no multiple of anything, and a constexpr that is no parameter.
"""
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import os
import sys

os.environ["TRITON_CACHE_DIR"] = sys.argv[1]

import triton  # noqa: E402
import triton.language as tl  # noqa: E402
from triton.backends.compiler import GPUTarget  # noqa: E402
from triton.compiler import ASTSource  # noqa: E402


@triton.jit
def double_even(x, y, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = i < n
    value = tl.load(x + i, mask=inside)
    tl.store(y + i, tl.where(i % 2 == 0, value * 2, value), mask=inside)


signature = {"x": "*fp32", "y": "*fp32", "n": "i32", "BLOCK": "constexpr"}
source = ASTSource(fn=double_even, signature=signature, constexprs={(3,): 256})
triton.compile(source, target=GPUTarget("cuda", 90, 32), options={"num_warps": 4})
print("compiled by Triton", triton.__version__)
