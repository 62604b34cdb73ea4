#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace sapwood::expr {

enum class TokenKind : uint8_t {
  kInteger,     ///< 12, 0x1f
  kDecimal,     ///< 1.5, 2e-3
  kName,        ///< part_pt, jet.pt, ROOT::VecOps::Sum
  kQuotedName,  ///< between backquotes, which `text` leaves out
  kString,      ///< between quotation marks, which `text` leaves out
  kSymbol,      ///< an operator, a parenthesis, a comma
  kEnd,
};

/// A piece of a formula; `text` refers to it.
struct Token {
  TokenKind kind{};
  std::string_view text;
  size_t begin = 0;  ///< in the formula, in bytes
  size_t end = 0;
};

/// Splits a formula; the last token is kEnd. Throws ConfigError for what can't be a token.
std::vector<Token> tokenize(std::string_view text);

}  // namespace sapwood::expr
