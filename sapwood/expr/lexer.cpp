#include "sapwood/expr/lexer.h"

#include <array>

#include "sapwood/base/error.h"
#include "sapwood/expr/point_at.h"

namespace sapwood::expr {
namespace {

// A symbol stands behind those that begin with it.
constexpr std::array<std::string_view, 29> kSymbols = {
    "**", "//", "<=", ">=", "==", "!=", "&&", "||", "+", "-", "*", "/", "%", "<", ">",
    "&",  "|",  "^",  "!",  "~",  "?",  ":",  ",",  "(", ")", "[", "]", "=", ";"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex_digit(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool starts_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool continues_name(char c) { return starts_name(c) || is_digit(c); }

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  std::vector<Token> tokenize() {
    std::vector<Token> tokens;
    for (skip_spaces(); offset_ < text_.size(); skip_spaces()) tokens.push_back(next());
    tokens.push_back({TokenKind::kEnd, {}, text_.size(), text_.size()});
    return tokens;
  }

 private:
  // The character `ahead` of the place; 0 past the end.
  char peek(size_t ahead = 0) const { return offset_ + ahead < text_.size() ? text_[offset_ + ahead] : '\0'; }

  void skip_spaces() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r') ++offset_;
  }

  Token next() {
    const size_t begin = offset_;
    if (is_digit(peek()) || (peek() == '.' && is_digit(peek(1)))) {
      const TokenKind kind = skip_number();
      return {kind, text_.substr(begin, offset_ - begin), begin, offset_};
    }
    if (starts_name(peek())) {
      skip_name();
      return {TokenKind::kName, text_.substr(begin, offset_ - begin), begin, offset_};
    }
    if (peek() == '`') return quoted(TokenKind::kQuotedName, "a backquote");
    if (peek() == '"' || peek() == '\'') return quoted(TokenKind::kString, "a quotation mark");
    for (const std::string_view symbol : kSymbols) {
      if (text_.substr(offset_).starts_with(symbol)) {
        offset_ += symbol.size();
        return {TokenKind::kSymbol, symbol, begin, offset_};
      }
    }
    throw ConfigError(
        point_at(text_, begin, "a character that means nothing here; odd names stand between backquotes"));
  }

  TokenKind skip_number() {
    const size_t begin = offset_;
    TokenKind kind = TokenKind::kInteger;
    if (peek() == '0' && (peek(1) == 'x' || peek(1) == 'X') && is_hex_digit(peek(2))) {
      offset_ += 2;
      while (is_hex_digit(peek())) ++offset_;
    } else {
      skip_digits();
      if (peek() == '.') {
        kind = TokenKind::kDecimal;
        ++offset_;
        skip_digits();
      }
      const size_t sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
      if ((peek() == 'e' || peek() == 'E') && is_digit(peek(1 + sign))) {
        kind = TokenKind::kDecimal;
        offset_ += 1 + sign;
        skip_digits();
      }
    }
    if (continues_name(peek()) || peek() == '.') {
      throw ConfigError(point_at(
          text_, offset_,
          concat("the number ", text_.substr(begin, offset_ - begin), " is followed by a '", peek(), "'")));
    }
    return kind;
  }

  void skip_digits() {
    while (is_digit(peek())) ++offset_;
  }

  void skip_name() {
    while (true) {
      while (continues_name(peek())) ++offset_;
      const size_t separator = peek() == '.' ? 1 : peek() == ':' && peek(1) == ':' ? 2 : 0;
      if (separator == 0 || !starts_name(peek(separator))) return;
      offset_ += separator;
    }
  }

  Token quoted(TokenKind kind, std::string_view mark) {
    const size_t begin = offset_++;
    const size_t close = text_.find(text_[begin], offset_);
    if (close == std::string_view::npos) {
      throw ConfigError(point_at(text_, begin, concat(mark, " without the one that closes it")));
    }
    offset_ = close + 1;
    return {kind, text_.substr(begin + 1, close - begin - 1), begin, offset_};
  }

  std::string_view text_;
  size_t offset_ = 0;
};

}  // namespace

std::vector<Token> tokenize(std::string_view text) { return Lexer(text).tokenize(); }

}  // namespace sapwood::expr
