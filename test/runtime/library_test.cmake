# library_test.cmake - the built library, as a host gets it.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# What hosts get: a small library that exports its public functions alone.
# usage: cmake -DLIBRARY=... -DSTRIP=... -DNM=... -DWORK=... -P library_test.cmake
set(limit 150000)

execute_process(COMMAND ${STRIP} -o ${WORK}/stripped.so ${LIBRARY} COMMAND_ERROR_IS_FATAL ANY)
file(SIZE ${WORK}/stripped.so size)
file(REMOVE ${WORK}/stripped.so)
message("libheddle_rt.so: ${size} bytes stripped, at most ${limit} allowed")
if(size GREATER limit)
  message(FATAL_ERROR "the library is too large")
endif()

execute_process(COMMAND ${NM} -D --defined-only --format=posix ${LIBRARY}
  OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
string(REGEX REPLACE "\n$" "" symbols "${symbols}")
string(REPLACE "\n" ";" symbols "${symbols}")
list(FILTER symbols EXCLUDE REGEX "^heddle_(last_error|dtype|model|context)")
if(symbols)
  message(FATAL_ERROR "exported beside the public functions: ${symbols}")
endif()
