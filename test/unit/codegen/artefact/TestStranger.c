// TestStranger.c - code that calls what no system library has.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

void not_in_any_library(void);

void test_stranger(void) { not_in_any_library(); }
