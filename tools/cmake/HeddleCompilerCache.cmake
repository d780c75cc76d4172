# ccache in front of the compilers, where it is installed.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# Paths below the source tree are made relative, so several checkouts share
# their results. A precompiled header is part of what is hashed; clang can only
# be cached with one if the header carries no time stamp (HeddleLibrary.cmake).
find_program(HEDDLE_CCACHE ccache)
if(HEDDLE_CCACHE)
  set(launcher env
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
    CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}
    CCACHE_NOHASHDIR=1
    ${HEDDLE_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()
