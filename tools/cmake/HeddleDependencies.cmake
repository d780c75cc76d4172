# The packaged LLVM and MLIR, the ONNX library of tools/setup, GoogleTest.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# MLIR's version file wants major and minor number.
find_package(MLIR 22.1 REQUIRED CONFIG HINTS /usr/lib/llvm-22/lib/cmake/mlir)
list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
include(TableGen)
include(AddLLVM)
include(AddMLIR)

# The cache of tools/setup: HEDDLE_CACHE, or heddle/ in the user's cache folder.
if(DEFINED ENV{HEDDLE_CACHE})
  set(default_cache $ENV{HEDDLE_CACHE})
elseif(DEFINED ENV{XDG_CACHE_HOME})
  set(default_cache $ENV{XDG_CACHE_HOME}/heddle)
else()
  set(default_cache $ENV{HOME}/.cache/heddle)
endif()
set(HEDDLE_CACHE ${default_cache} CACHE PATH "what tools/setup built and fetched")

# ONNX asks for protobuf's CMake package, which Debian does not ship.
set(Protobuf_DIR ${PROJECT_SOURCE_DIR}/tools/cmake/protobuf)
find_package(ONNX 1.23.2 CONFIG PATHS ${HEDDLE_CACHE}/onnx-1.23.2 NO_DEFAULT_PATH)
if(NOT ONNX_FOUND)
  message(FATAL_ERROR "no ONNX library in ${HEDDLE_CACHE}: run tools/setup first")
endif()

find_package(GTest REQUIRED)
