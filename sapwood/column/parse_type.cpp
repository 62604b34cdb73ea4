#include "sapwood/column/parse_type.h"

#include <charconv>
#include <vector>

#include "sapwood/base/error.h"

namespace sapwood {
namespace {

constexpr int kMaxDepth = 32;
constexpr uint64_t kMaxFixedSize = uint64_t{1} << 30;

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), rest_(text) {}

  Type whole() {
    Type type = next(0);
    if (!rest_.empty()) fail();
    return type;
  }

 private:
  [[noreturn]] void fail() const { throw ConfigError(concat("'", text_, "' is not the type of a column")); }

  bool take(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  // A type and the sizes of fixed lists behind it, from outside in.
  Type next(int depth) {
    if (depth > kMaxDepth) fail();
    Type type = without_sizes(depth);
    std::vector<int64_t> sizes;
    uint64_t product = 1;
    while (take("[")) {
      int64_t size = -1;
      const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), size);
      rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
      if (error != std::errc{} || size < 0 || !take("]") || sizes.size() == kMaxDepth) fail();
      if (static_cast<uint64_t>(size) > kMaxFixedSize ||
          (product *= static_cast<uint64_t>(size)) > kMaxFixedSize)
        fail();
      sizes.push_back(size);
    }
    for (; !sizes.empty(); sizes.pop_back()) type = Type::fixed_list(std::move(type), sizes.back());
    return type;
  }

  Type without_sizes(int depth) {
    if (take("list<")) {
      Type item = next(depth + 1);
      if (!take(">")) fail();
      return Type::list(std::move(item));
    }
    if (take("struct<")) return structure(depth);
    // None of these names starts with another.
    for (int kind = 0; kind <= static_cast<int>(TypeKind::kString); ++kind) {
      if (take(Type(static_cast<TypeKind>(kind)).to_string())) return {static_cast<TypeKind>(kind)};
    }
    fail();
  }

  Type structure(int depth) {
    std::vector<Field> members;
    while (!take(">")) {
      if (!members.empty() && !take(", ")) fail();
      const size_t end = rest_.find(": ");
      if (end == std::string_view::npos) fail();
      std::string name(rest_.substr(0, end));
      rest_.remove_prefix(end + 2);
      members.push_back({std::move(name), next(depth + 1)});
    }
    return Type::structure(std::move(members));
  }

  std::string_view text_;
  std::string_view rest_;
};

}  // namespace

Type parse_type(std::string_view text) { return Parser(text).whole(); }

}  // namespace sapwood
