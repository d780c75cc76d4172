//===- WireFormat.h - a model without its weights ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_FRONTENDS_ONNX_LOAD_WIREFORMAT_H
#define HEDDLE_FRONTENDS_ONNX_LOAD_WIREFORMAT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>

namespace heddle {

/// The `location` by which a skeleton refers to the model file itself. No
/// tensor of a model may use it: `makeSkeleton` refuses locations that start
/// with '#'.
inline constexpr llvm::StringLiteral modelLocation = "#model";

/// Copies a serialised ModelProto without the payloads of its large tensors. A
/// tensor with 1 KiB or more of raw data (or of packed floats, whose encoding
/// is that of raw data) gets external data instead: `modelLocation`, and the
/// offset and length of the payload in `model`. Smaller tensors stay as they
/// are, and training information is left out.
///
/// Unlike protobuf it handles models of more than 2 GiB, and it touches no page
/// of a payload. Fails on what protobuf would refuse as malformed, and where
/// the result would be of more than `maxBytes`. Encoding:
/// https://protobuf.dev/programming-guides/encoding.
llvm::Expected<std::string> makeSkeleton(llvm::ArrayRef<char> model,
                                         uint64_t maxBytes);

} // namespace heddle

#endif // HEDDLE_FRONTENDS_ONNX_LOAD_WIREFORMAT_H
