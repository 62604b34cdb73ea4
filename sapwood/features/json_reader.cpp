#include "sapwood/features/json_reader.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "sapwood/base/names.h"

namespace sapwood {
namespace {

constexpr int kDeepest = 32;

// Text for a message: its two ends, when it is long.
std::string cut(std::string_view text) {
  constexpr size_t kEnd = 80;
  if (text.size() <= 2 * kEnd) return std::string(text);
  return concat(text.substr(0, kEnd), "...", text.substr(text.size() - kEnd));
}

// A value's text for a message, short and of one line.
std::string shown(const JsonReader::Json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  return cut(value.dump(-1, ' ', true));
}

}  // namespace

JsonReader::Json JsonReader::parse(const std::string& text) {
  std::vector<std::set<std::string>> keys;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > kDeepest) throw ConfigError("the JSON is nested too deeply");
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second)
      throw ConfigError("the JSON has the key " + shown(parsed) + " twice in one object");
    return true;
  };
  try {
    return Json::parse(text, watch);
  } catch (const Json::exception& error) {
    const std::string_view message = error.what();
    const size_t code = message.find("] ");
    throw ConfigError(
        concat("not JSON: ", cut(code == std::string_view::npos ? message : message.substr(code + 2))));
  }
}

void JsonReader::fail(const std::string& what) const {
  throw ConfigError(place_.empty() ? what : place_ + ": " + what);
}

void JsonReader::fail_unknown(const char* what, const std::string& name,
                              const std::vector<std::string>& known) const {
  std::string hint = nearest_names_hint(name, known);
  if (hint.empty()) {
    for (const std::string& other : known) hint += concat(hint.empty() ? ": one of " : ", ", other);
  }
  fail(concat("unknown ", what, ' ', shown(name), hint));
}

void JsonReader::expect_keys(std::initializer_list<const char*> keys) const {
  if (!value_->is_object()) fail("must be an object, is " + shown(*value_));
  for (const auto& item : value_->items()) {
    if (std::ranges::find(keys, std::string_view(item.key())) == keys.end())
      fail_unknown("key", item.key(), {keys.begin(), keys.end()});
  }
}

JsonReader JsonReader::at(const char* key) const {
  const auto found = value_->find(key);
  if (found == value_->end()) fail(concat("has no '", key, "'"));
  return JsonReader(*found, place_.empty() ? key : place_ + "." + key);
}

std::vector<JsonReader> JsonReader::items() const {
  if (!value_->is_array()) fail("must be a list, is " + shown(*value_));
  std::vector<JsonReader> items;
  for (const Json& item : *value_) items.emplace_back(item, concat(place_, '[', items.size(), ']'));
  return items;
}

std::string JsonReader::text() const {
  if (!value_->is_string()) fail("must be text, is " + shown(*value_));
  return value_->get<std::string>();
}

std::string JsonReader::line() const {
  std::string name = text();
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::ranges::any_of(name, is_control)) fail("must not have control characters, is " + shown(*value_));
  return name;
}

bool JsonReader::boolean() const {
  if (!value_->is_boolean()) fail("must be true or false, is " + shown(*value_));
  return value_->get<bool>();
}

double JsonReader::number() const {
  if (!value_->is_number()) fail("must be a number, is " + shown(*value_));
  return value_->get<double>();
}

int64_t JsonReader::integer(int64_t least, int64_t most) const {
  const double value = value_->is_number() ? value_->get<double>() : std::nan("");
  // The limits are small enough to be exact as doubles.
  if (!(value >= static_cast<double>(least) && value <= static_cast<double>(most)) ||
      value != std::trunc(value))
    fail(concat("must be a whole number in ", least, "..", most, ", is ", shown(*value_)));
  return static_cast<int64_t>(value);
}

}  // namespace sapwood
