#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sapwood/base/error.h"

namespace sapwood {

/// A value of a JSON document with its place in it, such as `inputs[0].variables[2]`. Reading is strict: what
/// is not expected throws a ConfigError that names the place.
class JsonReader {
 public:
  using Json = nlohmann::ordered_json;

  /// Parses text. Throws ConfigError: not JSON, nested deeply, a key twice in one object.
  static Json parse(const std::string& text);

  explicit JsonReader(const Json& value, std::string place = {}) : value_(&value), place_(std::move(place)) {}

  const Json& value() const { return *value_; }
  [[noreturn]] void fail(const std::string& what) const;

  /// Throws unless this is an object with none but these keys.
  void expect_keys(std::initializer_list<const char*> keys) const;
  bool has(const char* key) const { return value_->contains(key); }
  JsonReader at(const char* key) const;
  std::vector<JsonReader> items() const;  ///< of an array

  std::string text() const;
  std::string line() const;  ///< text without control characters, such as breaks of lines
  bool boolean() const;
  double number() const;                               ///< finite
  int64_t integer(int64_t least, int64_t most) const;  ///< also a whole number that is written with a point
  /// The value of the name that this is; otherwise throws with the nearest or all names.
  template <class T>
  T one_of(std::initializer_list<std::pair<const char*, T>> choices) const {
    const std::string name = text();
    std::vector<std::string> names;
    for (const auto& [choice, result] : choices) {
      if (name == choice) return result;
      names.emplace_back(choice);
    }
    fail_unknown("value", name, names);
  }
  [[noreturn]] void fail_unknown(const char* what, const std::string& name,
                                 const std::vector<std::string>& known) const;

 private:
  const Json* value_;
  std::string place_;
};

}  // namespace sapwood
