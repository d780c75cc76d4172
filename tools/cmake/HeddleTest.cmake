# Unit tests.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# heddle_add_unit_test(<name> SOURCES ... [LINKS ...])
#
# One GoogleTest program in build/bin/unit, and a CTest test of the same name.
function(heddle_add_unit_test name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "SOURCES;LINKS")
  heddle_add_program(${name} SOURCES ${ARG_SOURCES} LINKS ${ARG_LINKS} GTest::gtest GTest::gtest_main)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin/unit)
  add_test(NAME ${name} COMMAND ${name})
endfunction()
