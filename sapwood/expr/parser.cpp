#include "sapwood/expr/parser.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "sapwood/base/error.h"
#include "sapwood/expr/lexer.h"
#include "sapwood/expr/point_at.h"

namespace sapwood::expr {
namespace {

struct BinaryOperator {
  std::string_view symbol;
  int precedence;  // the higher, the tighter
  bool compares = false;
};

// C++'s order. `**` is not among them: it binds tighter than the signs on its left.
constexpr std::array<BinaryOperator, 17> kBinaryOperators = {{
    {"||", 1},
    {"&&", 2},
    {"|", 3},
    {"^", 4},
    {"&", 5},
    {"==", 6, true},
    {"!=", 6, true},
    {"<", 7, true},
    {"<=", 7, true},
    {">", 7, true},
    {">=", 7, true},
    {"+", 8},
    {"-", 8},
    {"*", 9},
    {"/", 9},
    {"//", 9},
    {"%", 9},
}};
constexpr std::array<std::string_view, 4> kUnaryOperators = {"-", "+", "!", "~"};

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), tokens_(tokenize(text)) {}

  std::vector<Node> parse() {
    if (token().kind == TokenKind::kEnd) throw ConfigError("an empty formula");
    expression();
    if (token().kind != TokenKind::kEnd) fail_at_token("expected an operator or the end");
    return std::move(nodes_);
  }

 private:
  class Nesting {
   public:
    explicit Nesting(Parser& parser) : parser_(parser) {
      if (++parser_.depth_ > kMaxDepth) {
        parser_.fail(parser_.token().begin, concat("nested more than ", kMaxDepth, " deep"));
      }
    }
    ~Nesting() { --parser_.depth_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;

   private:
    Parser& parser_;
  };

  [[noreturn]] void fail(size_t offset, std::string_view message) const {
    throw ConfigError(point_at(text_, offset, message));
  }

  [[noreturn]] void fail_at_token(std::string_view message) const {
    if (token().kind == TokenKind::kEnd) fail(token().begin, concat(message, ", not the end"));
    std::string hint;
    if (token().text == "and") hint = " (write && for and)";
    if (token().text == "or") hint = " (write || for or)";
    if (token().text == "=") hint = " (equality is ==)";
    fail(token().begin, concat(message, ", not '", printable(source(token().begin, token().end)), "'", hint));
  }

  const Token& token() const { return tokens_[next_]; }
  bool at_symbol(std::string_view symbol) const {
    return token().kind == TokenKind::kSymbol && token().text == symbol;
  }
  const Token& take() { return tokens_[next_++]; }

  std::string_view source(size_t begin, size_t end) const { return text_.substr(begin, end - begin); }
  std::string_view source(const Node& node) const { return source(node.begin, node.end); }

  size_t add(Node node) {
    nodes_.push_back(std::move(node));
    return nodes_.size() - 1;
  }

  size_t add_call(std::string_view name, size_t place, size_t begin, std::vector<size_t> arguments) {
    return add({.kind = Node::Kind::kCall,
                .name = std::string(name),
                .arguments = std::move(arguments),
                .place = place,
                .begin = begin,
                .end = tokens_[next_ - 1].end});
  }

  // Each of these reads its part of the formula and returns the part's place among the nodes.

  size_t expression() {
    const Nesting nesting(*this);
    const size_t condition = binary(1);
    if (!at_symbol("?")) return condition;
    const Token& question = take();
    const size_t if_true = expression();
    if (!at_symbol(":")) fail_at_token("expected ':' and what holds otherwise");
    take();
    const size_t if_false = expression();
    return add_call("?:", question.begin, nodes_[condition].begin, {condition, if_true, if_false});
  }

  const BinaryOperator* binary_operator() const {
    if (token().kind != TokenKind::kSymbol) return nullptr;
    const auto* found = std::find_if(kBinaryOperators.begin(), kBinaryOperators.end(),
                                     [&](const BinaryOperator& o) { return o.symbol == token().text; });
    return found == kBinaryOperators.end() ? nullptr : found;
  }

  size_t binary(int least_precedence) {
    size_t left = unary();
    for (const BinaryOperator* found = binary_operator();
         found != nullptr && found->precedence >= least_precedence; found = binary_operator()) {
      const Token& symbol = take();
      const size_t right = binary(found->precedence + 1);
      if (found->compares) require_unchained(left, symbol, right);
      left = add_call(found->symbol, symbol.begin, nodes_[left].begin, {left, right});
      nodes_[left].is_comparison = found->compares;
    }
    return left;
  }

  void require_unchained(size_t left, const Token& symbol, size_t right) const {
    const Node& a = nodes_[left];
    const Node& b = nodes_[right];
    if (!a.is_comparison && !b.is_comparison) return;
    const std::string_view first = a.is_comparison ? source(nodes_[a.arguments[1]]) : source(a);
    const std::string_view second = b.is_comparison ? source(nodes_[b.arguments[0]]) : source(b);
    const std::string middle = concat(first, ' ', symbol.text, ' ', second);
    const std::string left_part = a.is_comparison ? concat(source(a), " && ") : "";
    const std::string right_part = b.is_comparison ? concat(" && ", source(b)) : "";
    fail(symbol.begin, concat("comparisons don't chain; write ", printable(left_part + middle + right_part)));
  }

  size_t unary() {
    const bool is_sign =
        token().kind == TokenKind::kSymbol &&
        std::find(kUnaryOperators.begin(), kUnaryOperators.end(), token().text) != kUnaryOperators.end();
    if (!is_sign) return power();
    const Nesting nesting(*this);
    const Token& symbol = take();
    const size_t operand = unary();
    return add_call(symbol.text, symbol.begin, symbol.begin, {operand});
  }

  size_t power() {
    const size_t base = postfix();
    if (!at_symbol("**")) return base;
    const Nesting nesting(*this);
    const Token& symbol = take();
    const size_t exponent = unary();
    return add_call("**", symbol.begin, nodes_[base].begin, {base, exponent});
  }

  size_t postfix() {
    size_t value = primary();
    while (at_symbol("[")) value = subscript(value);
    return value;
  }

  // An index, and a value for what is not there, or the bounds of a slice.
  size_t subscript(size_t value) {
    const Token& bracket = take();
    std::vector<size_t> arguments{value, at_symbol(":") ? open_bound(0) : expression()};
    const bool is_slice = at_symbol(":");
    if (is_slice) {
      take();
      arguments.push_back(at_symbol("]") || at_symbol(":") ? open_bound(INT64_MAX) : expression());
      if (at_symbol(":")) fail_at_token("a slice has no step; expected ']'");
    }
    while (!is_slice && at_symbol(",")) {
      take();
      arguments.push_back(expression());
    }
    close_bracket(bracket, "]");
    return add_call(is_slice ? "[:]" : "[]", bracket.begin, nodes_[value].begin, std::move(arguments));
  }

  // What a slice goes to where it does not say.
  size_t open_bound(int64_t value) {
    return add({.constant = Constant::of(value),
                .place = token().begin,
                .begin = token().begin,
                .end = token().begin});
  }

  // What stands in parentheses, with commas in between; at least one.
  std::vector<size_t> read_arguments(const Token& open) {
    std::vector<size_t> arguments;
    do {
      arguments.push_back(expression());
    } while (at_symbol(",") && (take(), true));
    close_bracket(open, ")");
    return arguments;
  }

  void close_bracket(const Token& open, std::string_view close) {
    if (!at_symbol(close)) fail_at_token(concat("expected '", close, "' to close '", open.text, "'"));
    take();
  }

  size_t primary() {
    switch (token().kind) {
      case TokenKind::kInteger:
      case TokenKind::kDecimal: {
        const Token& number = take();
        const Constant value = number.kind == TokenKind::kInteger ? integer(number) : decimal(number);
        return add({.constant = value, .place = number.begin, .begin = number.begin, .end = number.end});
      }
      case TokenKind::kString: {
        const Token& string = take();
        return add({.kind = Node::Kind::kString,
                    .name = std::string(string.text),
                    .place = string.begin,
                    .begin = string.begin,
                    .end = string.end});
      }
      case TokenKind::kName:
      case TokenKind::kQuotedName:
        return name();
      case TokenKind::kSymbol:
        if (at_symbol("(")) return parenthesised();
        break;
      case TokenKind::kEnd:
        break;
    }
    fail_at_token("expected a value");
  }

  size_t parenthesised() {
    const Token& open = take();
    const size_t inner = expression();
    close_bracket(open, ")");
    nodes_[inner].begin = open.begin;
    nodes_[inner].end = tokens_[next_ - 1].end;
    nodes_[inner].is_comparison = false;
    return inner;
  }

  size_t name() {
    const Token& name = take();
    const bool quoted = name.kind == TokenKind::kQuotedName;
    if (!quoted && at_symbol("(")) {
      const Token& open = take();
      std::vector<size_t> arguments;
      if (at_symbol(")")) {
        take();
      } else {
        arguments = read_arguments(open);
      }
      return add_call(name.text, name.begin, name.begin, std::move(arguments));
    }
    if (!quoted && (name.text == "true" || name.text == "false")) {
      return add({.constant = Constant::of(name.text == "true"),
                  .place = name.begin,
                  .begin = name.begin,
                  .end = name.end});
    }
    return add({.kind = Node::Kind::kName,
                .name = std::string(name.text),
                .quoted = quoted,
                .place = name.begin,
                .begin = name.begin,
                .end = name.end});
  }

  Constant integer(const Token& number) const {
    const bool is_hexadecimal = number.text.starts_with("0x") || number.text.starts_with("0X");
    const std::string_view digits = number.text.substr(is_hexadecimal ? 2 : 0);
    uint64_t value = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value, is_hexadecimal ? 16 : 10);
    // Hexadecimal numbers are patterns of bits, and may use all 64.
    if (error != std::errc() || (!is_hexadecimal && value > INT64_MAX)) {
      fail(number.begin, "an integer that does not fit in 64 bits");
    }
    return Constant::of(static_cast<int64_t>(value));
  }

  Constant decimal(const Token& number) const {
    double value = 0;
    const auto [end, error] =
        std::from_chars(number.text.data(), number.text.data() + number.text.size(), value);
    if (error != std::errc()) fail(number.begin, "a number outside the range of float64");
    return Constant::of(value);
  }

  std::string_view text_;
  std::vector<Token> tokens_;
  size_t next_ = 0;
  size_t depth_ = 0;
  std::vector<Node> nodes_;
};

}  // namespace

std::vector<Node> parse(std::string_view text) {
  if (text.size() > kMaxTextSize) {
    throw ConfigError(
        concat("a formula of ", text.size(), " bytes; at most ", kMaxTextSize, " are accepted"));
  }
  return Parser(text).parse();
}

}  // namespace sapwood::expr
