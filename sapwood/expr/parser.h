#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sapwood/expr/constant.h"

namespace sapwood::expr {

/// A part of a formula. Operators are calls of functions with the operator's name: "+", "?:", "[]",
/// "[:]" (of a list and the bounds of the slice).
struct Node {
  enum class Kind : uint8_t { kConstant, kString, kName, kCall };
  Kind kind = Kind::kConstant;
  Constant constant{};              ///< of kConstant: bool, int64 or float64
  std::string name{};               ///< of kName and kCall; of kString: what is between the quotation marks
  bool quoted = false;              ///< of kName: written between backquotes
  std::vector<size_t> arguments{};  ///< of kCall: their places among the nodes
  size_t place = 0;                 ///< the byte of the formula that errors point at
  size_t begin = 0;                 ///< the bytes that it is written with
  size_t end = 0;
  bool is_comparison = false;  ///< one without parentheses around it
};

/// The longest formula, in bytes, and the deepest nesting that are accepted.
inline constexpr size_t kMaxTextSize = 16384;
inline constexpr size_t kMaxDepth = 200;

/// The parts of a formula, each behind its arguments; the last one is the whole. Throws ConfigError that
/// points at what is wrong.
std::vector<Node> parse(std::string_view text);

}  // namespace sapwood::expr
