#include "sapwood/root/object.h"

#include <cmath>

namespace sapwood::root {

const Value* Object::find(std::string_view name) const {
  for (const auto& [member, value] : members) {
    if (member == name) return &value;
  }
  return nullptr;
}

void Object::fail(std::string_view name) const {
  throw FormatError(
      concat("corrupt or of an unknown version: a ", class_name, " without a usable member ", name));
}

int64_t Object::integer(std::string_view name) const {
  const Value* value = find(name);
  if (value == nullptr) fail(name);
  if (const auto* integer = std::get_if<int64_t>(value)) return *integer;
  // Counts of entries were doubles before 64-bit integers were portable.
  const auto* real = std::get_if<double>(value);
  if (real == nullptr || !(std::abs(*real) < 9e15)) fail(name);
  return static_cast<int64_t>(*real);
}

int64_t Object::integer_or(std::string_view name, int64_t otherwise) const {
  const Value* value = find(name);
  return value == nullptr || std::holds_alternative<std::monostate>(*value) ? otherwise : integer(name);
}

std::string_view Object::text(std::string_view name) const {
  const Value* value = find(name);
  const auto* text = value == nullptr ? nullptr : std::get_if<std::string_view>(value);
  if (text == nullptr) fail(name);
  return *text;
}

std::string_view Object::text_or(std::string_view name, std::string_view otherwise) const {
  const Value* value = find(name);
  const auto* text = value == nullptr ? nullptr : std::get_if<std::string_view>(value);
  return text == nullptr ? otherwise : *text;
}

std::span<const int64_t> Object::integers(std::string_view name) const {
  const Value* value = find(name);
  const auto* values = value == nullptr ? nullptr : std::get_if<std::span<const int64_t>>(value);
  if (values == nullptr) fail(name);
  return *values;
}

const Object* Object::object_or_null(std::string_view name) const {
  const Value* value = find(name);
  const auto* object = value == nullptr ? nullptr : std::get_if<const Object*>(value);
  return object == nullptr ? nullptr : *object;
}

const Object& Object::object(std::string_view name) const {
  const Object* object = object_or_null(name);
  if (object == nullptr) fail(name);
  return *object;
}

}  // namespace sapwood::root
