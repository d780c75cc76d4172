# The functions that a folder's CMakeLists.txt is made of.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# heddle_use_mlir(<target>)
#
# Lets a target see the source root, the generated root and MLIR's headers, and
# link the packaged shared libMLIR and libLLVM.
function(heddle_use_mlir target)
  target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR})
  target_include_directories(${target} SYSTEM PUBLIC ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
  target_link_libraries(${target} PUBLIC MLIR LLVM)
  if(HEDDLE_PRECOMPILED_HEADER)
    # A time stamp in the header would defeat the compiler cache.
    target_compile_options(${target} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
    if(NOT target STREQUAL HeddleMLIRHeaders)
      target_precompile_headers(${target} REUSE_FROM HeddleMLIRHeaders)
    endif()
  endif()
endfunction()

# The owner of the one precompiled header: a file that includes the usual MLIR
# headers compiles in 8 to 11 s without it and in under 2 s with it.
if(HEDDLE_PRECOMPILED_HEADER)
  set(owner ${PROJECT_BINARY_DIR}/HeddleMLIRHeaders.cpp)
  if(NOT EXISTS ${owner})
    file(WRITE ${owner} "")
  endif()
  add_library(HeddleMLIRHeaders OBJECT ${owner})
  heddle_use_mlir(HeddleMLIRHeaders)
  target_precompile_headers(HeddleMLIRHeaders PRIVATE ${PROJECT_SOURCE_DIR}/tools/cmake/MLIRHeaders.h)
endif()

# heddle_add_library(<name> SOURCES ... [TD_TARGETS ...] [LINKS ...])
#
# One static library of compiler code. TD_TARGETS are the heddle_add_tablegen
# targets whose output it includes.
function(heddle_add_library name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "SOURCES;TD_TARGETS;LINKS")
  add_library(${name} STATIC ${ARG_SOURCES})
  heddle_use_mlir(${name})
  target_link_libraries(${name} PUBLIC ${ARG_LINKS})
  if(ARG_TD_TARGETS)
    add_dependencies(${name} ${ARG_TD_TARGETS})
  endif()
endfunction()

# heddle_add_program(<name> SOURCES ... [LINKS ...])
#
# One program in build/bin.
function(heddle_add_program name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "SOURCES;LINKS")
  add_executable(${name} ${ARG_SOURCES})
  heddle_use_mlir(${name})
  target_link_libraries(${name} PRIVATE ${ARG_LINKS})
endfunction()

# heddle_add_tablegen(<target> <file.td> <out> <flags> [<out> <flags>]...)
#
# Runs mlir-tblgen on one file, once per output.
function(heddle_add_tablegen target td)
  # mlir_tablegen takes its -I from this directory property.
  include_directories(${PROJECT_SOURCE_DIR} ${MLIR_INCLUDE_DIRS})
  set(LLVM_TARGET_DEFINITIONS ${td})
  set(rest ${ARGN})
  while(rest)
    list(POP_FRONT rest out flags)
    separate_arguments(flags)
    mlir_tablegen(${out} ${flags})
  endwhile()
  add_public_tablegen_target(${target})
endfunction()
