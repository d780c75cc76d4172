// Arguments.h - the language of --arg and --buffer
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//   [NAME=]in:FILE.npy     a buffer with the file's contents, passed by address
//   [NAME=]out:FILE.npy    the same; its contents are written back afterwards
//   VALUE:TYPE             a scalar: i8..i64, u8..u64, f16, bf16, f32, f64
//   hex:BYTES              raw bytes in memory order, for structs
//   ptr:NAME[+BYTES]       the address of a named buffer
//   map:NAME,KEY=VALUE,... a tensor map of a named buffer; the keys are
//     type=    u8 u16 u32 i32 u64 i64 f16 f32 f64 bf16 tf32 f32.ftz tf32.ftz
//     box=     AxBx.. elements, outermost first; required
//     swizzle= none 32 64 128 (none)
//     shape=   AxBx.. elements, outermost first (the buffer's own)
//     stride=  AxBx.. elements, one per dimension, the last one 1 (dense)
//     oob=     zero nan (zero): what elements outside of the shape read as
//
// `run`, `launch` and the tests share this parser; nothing here opens a file.
//
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_ARGUMENTS_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_ARGUMENTS_H

#include "codegen/nvidia/ptx/FileAccess.h"
#include "codegen/nvidia/ptx/TensorMap.h"

#include <optional>
#include <variant>

namespace heddle::ptx {

/// `in:` or `out:`.
struct BufferArgument {
  /// Empty unless the user gave one.
  std::string name;
  std::string path;
  bool isOutput = false;
};

/// `VALUE:TYPE` or `hex:BYTES`.
struct ScalarArgument {
  /// Whether the value is an integer, a float, or raw bytes.
  enum class Kind { Integer, Float, Raw };
  Kind kind = Kind::Raw;
  /// Little-endian.
  Bytes bytes;
};

/// `ptr:NAME[+BYTES]`.
struct PointerArgument {
  std::string name;
  uint64_t offset = 0;
};

/// `map:NAME,...`. Lists are outermost first, as the user wrote them.
struct MapArgument {
  std::string name;
  std::optional<TensorElement> element;
  std::vector<uint64_t> box;
  std::vector<uint64_t> shape;
  std::vector<uint64_t> strides;
  TensorSwizzle swizzle = TensorSwizzle::None;
  bool fillNan = false;
};

/// One argument with the text it was read from, for messages.
struct Argument {
  std::string text;
  std::variant<BufferArgument, ScalarArgument, PointerArgument, MapArgument>
      value;
};

/// Parses the value of one `--arg`.
Result<Argument> parseArgument(const std::string &text);

/// Parses the value of one `--buffer`, which is `NAME=in:FILE` or
/// `NAME=out:FILE`.
Result<BufferArgument> parseBufferArgument(const std::string &text);

/// Parses `VALUE:TYPE`.
Result<ScalarArgument> parseScalar(const std::string &text);

/// Parses `AxBxC`, each at least 1.
Result<std::vector<uint64_t>> parseExtents(const std::string &text);

/// Parses an unsigned decimal or 0x number that fills all of `text`.
std::optional<uint64_t> parseUnsigned(std::string_view text);

/// The bits of `value` rounded to nearest even in a format with the given
/// widths, such as 5 and 10 for f16, 8 and 7 for bf16.
uint32_t encodeFloat(double value, unsigned exponentBits,
                     unsigned mantissaBits);

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_ARGUMENTS_H
