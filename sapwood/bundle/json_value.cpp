#include "sapwood/bundle/json_value.h"

#include <set>

#include "sapwood/base/error.h"

namespace sapwood {

JsonDocument::JsonDocument(Bytes text) {
  const void* data = text.data();
  const auto error = parser_.parse(static_cast<const char*>(data), text.size()).get(root_);
  if (error != simdjson::SUCCESS) throw FormatError(concat("not JSON: ", simdjson::error_message(error)));
}

void JsonValue::fail(const std::string& what) const {
  throw FormatError(place_.empty() ? what : concat(place_, ": ", what));
}

std::optional<JsonValue> JsonValue::find(std::string_view key) const {
  simdjson::dom::object object;
  if (value_.get(object) != simdjson::SUCCESS) fail("an object is wanted");
  simdjson::dom::element member;
  if (object.at_key(key).get(member) != simdjson::SUCCESS) return std::nullopt;
  return JsonValue(member, concat(place_, place_.empty() ? "" : ".", key));
}

JsonValue JsonValue::at(std::string_view key) const {
  if (std::optional<JsonValue> value = find(key)) return *std::move(value);
  fail(concat("there is no '", key, "'"));
}

std::vector<JsonValue> JsonValue::items() const {
  simdjson::dom::array array;
  if (value_.get(array) != simdjson::SUCCESS) fail("a list is wanted");
  std::vector<JsonValue> items;
  for (const simdjson::dom::element item : array)
    items.emplace_back(item, concat(place_, "[", items.size(), "]"));
  return items;
}

std::vector<std::pair<std::string, JsonValue>> JsonValue::members() const {
  simdjson::dom::object object;
  if (value_.get(object) != simdjson::SUCCESS) fail("an object is wanted");
  std::vector<std::pair<std::string, JsonValue>> members;
  std::set<std::string_view> keys;
  for (const auto& [key, value] : object) {
    if (!keys.insert(key).second) fail(concat("'", key, "' is there twice"));
    members.emplace_back(key, JsonValue(value, concat(place_, place_.empty() ? "" : ".", key)));
  }
  return members;
}

std::string JsonValue::text() const {
  std::string_view text;
  if (value_.get(text) != simdjson::SUCCESS) fail("a string is wanted");
  return std::string(text);
}

int64_t JsonValue::integer(int64_t least) const {
  int64_t number = 0;
  if (value_.get(number) != simdjson::SUCCESS || number < least)
    fail(concat("an integer of at least ", least, " is wanted"));
  return number;
}

double JsonValue::number(double least) const {
  double number = 0;
  if (value_.get(number) != simdjson::SUCCESS || !(number >= least))
    fail(concat("a number of at least ", least, " is wanted"));
  return number;
}

}  // namespace sapwood
