// Result.h - a value, or the reason why there is none
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_RESULT_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_RESULT_H

#include <sstream>
#include <string>
#include <utility>
#include <variant>

namespace heddle::ptx {

/// Why an input was refused: lower-case, no full stop; what was expected, what
/// was got, and where.
struct Failure {
  std::string message;
  /// Whether every line of the message starts with `FILE:LINE:COLUMN: error: `.
  bool hasLocation = false;
};

/// Builds a `Failure` from parts that can be written to a stream.
template <typename... Parts>
Failure refuse(const Parts &...parts) {
  std::ostringstream text;
  (text << ... << parts);
  return Failure{text.str()};
}

/// A `T`, or the reason why there is none. Test it before reading the value.
template <typename T>
class [[nodiscard]] Result {
public:
  Result(T value) : state(std::move(value)) {}
  Result(Failure failure) : state(std::move(failure)) {}

  explicit operator bool() const { return std::holds_alternative<T>(state); }
  T &operator*() { return std::get<T>(state); }
  const T &operator*() const { return std::get<T>(state); }
  T *operator->() { return &std::get<T>(state); }
  const T *operator->() const { return &std::get<T>(state); }
  const Failure &failure() const { return std::get<Failure>(state); }

private:
  std::variant<T, Failure> state;
};

/// The value of an operation that only succeeds or fails.
struct Done {};

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_RESULT_H
