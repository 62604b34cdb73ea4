#pragma once

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sapwood/base/cursor.h"

namespace sapwood {

/// A value of a JSON document of a bundle, with its place in it, such as `columns[2].type`. What is not as
/// expected throws a FormatError that names the place. Valid as long as its `JsonDocument`.
class JsonValue {
 public:
  JsonValue(simdjson::dom::element value, std::string place) : value_(value), place_(std::move(place)) {}

  const simdjson::dom::element& element() const { return value_; }
  [[noreturn]] void fail(const std::string& what) const;

  std::optional<JsonValue> find(std::string_view key) const;  ///< of an object
  JsonValue at(std::string_view key) const;
  std::vector<JsonValue> items() const;                            ///< of a list
  std::vector<std::pair<std::string, JsonValue>> members() const;  ///< of an object; no key twice

  std::string text() const;
  int64_t integer(int64_t least) const;
  double number(double least) const;  ///< finite

 private:
  simdjson::dom::element value_;
  std::string place_;
};

/// A parsed document.
class JsonDocument {
 public:
  /// Throws FormatError: not JSON.
  explicit JsonDocument(Bytes text);
  JsonValue root() const { return {root_, ""}; }

 private:
  simdjson::dom::parser parser_;
  simdjson::dom::element root_;
};

}  // namespace sapwood
