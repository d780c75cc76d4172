# Answers find_package(Protobuf CONFIG) with CMake's own find module.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

set(Protobuf_USE_STATIC_LIBS ON)
include(FindProtobuf)
set(Protobuf_FOUND ${PROTOBUF_FOUND})
