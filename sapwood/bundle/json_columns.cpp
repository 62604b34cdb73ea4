#include "sapwood/bundle/json_columns.h"

#include <simdjson.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

#include "sapwood/base/error.h"

namespace sapwood {
namespace {

namespace dom = simdjson::dom;

const char* kind_of(const dom::element& json) {
  switch (json.type()) {
    case dom::element_type::ARRAY:
      return "a list";
    case dom::element_type::OBJECT:
      return "an object";
    case dom::element_type::STRING:
      return "a string";
    case dom::element_type::BOOL:
      return "a bool";
    case dom::element_type::NULL_VALUE:
      return "null";
    default:
      return "a number";
  }
}

[[noreturn]] void refuse(const Type& type, const dom::element& json) {
  throw SchemaError(concat(type.to_string(), " is wanted, not ", kind_of(json)));
}

[[noreturn]] void does_not_fit(const Type& type, const dom::element& json) {
  throw SchemaError(concat(simdjson::minify(json), " is not a ", type.to_string()));
}

// In the spelling of JSON's relatives: JSON itself has no such numbers.
std::optional<double> special_number(std::string_view text) {
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  return std::nullopt;
}

template <class T>
T number_of(const Type& type, const dom::element& json) {
  if constexpr (std::is_same_v<T, bool>) {
    bool value = false;
    if (json.get(value) != simdjson::SUCCESS) refuse(type, json);
    return value;
  } else if constexpr (std::is_floating_point_v<T>) {
    double value = 0;
    if (json.get(value) == simdjson::SUCCESS) {
      if (std::abs(value) > std::numeric_limits<T>::max()) does_not_fit(type, json);
      return static_cast<T>(value);
    }
    std::string_view text;
    if (json.get(text) != simdjson::SUCCESS) refuse(type, json);
    const std::optional<double> special = special_number(text);
    if (!special) does_not_fit(type, json);
    return static_cast<T>(*special);
  } else {
    if (int64_t value = 0; json.get(value) == simdjson::SUCCESS) {
      if (!std::in_range<T>(value)) does_not_fit(type, json);
      return static_cast<T>(value);
    }
    uint64_t value = 0;
    if (json.get(value) == simdjson::SUCCESS && std::in_range<T>(value)) return static_cast<T>(value);
    if (json.is_number()) does_not_fit(type, json);
    refuse(type, json);
  }
}

/// A column that grows item by item.
class Builder {
 public:
  explicit Builder(const Type& type) : type_(type), append_(append_of(type.kind)) {
    for (const Field& child : type.children) children_.emplace_back(child.type);
  }

  int64_t length() const { return length_; }

  void append(const dom::element& item) {
    (this->*append_)(item);
    ++length_;
  }

  Column finish(const std::shared_ptr<MemoryPool>& pool) const {
    Column column{type_, length_};
    column.values = to_buffer(values_.data(), values_.size(), pool);
    if (type_.kind == TypeKind::kString || type_.kind == TypeKind::kList)
      column.offsets = to_buffer(offsets_.data(), offsets_.size() * sizeof(int64_t), pool);
    for (const Builder& child : children_) column.children.push_back(child.finish(pool));
    return column;
  }

 private:
  using Append = void (Builder::*)(const dom::element&);

  static Append append_of(TypeKind kind) {
    switch (kind) {
      case TypeKind::kBool:
        return &Builder::append_number<bool>;
      case TypeKind::kInt8:
        return &Builder::append_number<int8_t>;
      case TypeKind::kInt16:
        return &Builder::append_number<int16_t>;
      case TypeKind::kInt32:
        return &Builder::append_number<int32_t>;
      case TypeKind::kInt64:
        return &Builder::append_number<int64_t>;
      case TypeKind::kUInt8:
        return &Builder::append_number<uint8_t>;
      case TypeKind::kUInt16:
        return &Builder::append_number<uint16_t>;
      case TypeKind::kUInt32:
        return &Builder::append_number<uint32_t>;
      case TypeKind::kUInt64:
        return &Builder::append_number<uint64_t>;
      case TypeKind::kFloat32:
        return &Builder::append_number<float>;
      case TypeKind::kFloat64:
        return &Builder::append_number<double>;
      case TypeKind::kString:
        return &Builder::append_text;
      case TypeKind::kList:
      case TypeKind::kFixedList:
        return &Builder::append_list;
      case TypeKind::kStruct:
        return &Builder::append_record;
    }
    return nullptr;
  }

  static Buffer to_buffer(const void* data, size_t size, const std::shared_ptr<MemoryPool>& pool) {
    Buffer buffer(size, pool);
    if (size != 0) std::memcpy(buffer.data(), data, size);
    return buffer;
  }

  void append_bytes(const void* data, size_t size) {
    const size_t end = values_.size();
    values_.resize(end + size);
    if (size != 0) std::memcpy(values_.data() + end, data, size);
  }

  template <class T>
  void append_number(const dom::element& item) {
    const T value = number_of<T>(type_, item);
    append_bytes(&value, sizeof(T));
  }

  void append_text(const dom::element& item) {
    std::string_view text;
    if (item.get(text) != simdjson::SUCCESS) refuse(type_, item);
    append_bytes(text.data(), text.size());
    offsets_.push_back(static_cast<int64_t>(values_.size()));
  }

  void append_list(const dom::element& item) {
    dom::array items;
    if (item.get(items) != simdjson::SUCCESS) refuse(type_, item);
    Builder& child = children_.front();
    const int64_t before = child.length_;
    for (const dom::element element : items) child.append(element);
    if (type_.kind == TypeKind::kList) {
      offsets_.push_back(child.length_);
    } else if (child.length_ - before != type_.fixed_size) {
      throw SchemaError(
          concat(type_.to_string(), " wants ", type_.fixed_size, " items, not ", child.length_ - before));
    }
  }

  void append_record(const dom::element& item) {
    dom::object members;
    if (item.get(members) != simdjson::SUCCESS) refuse(type_, item);
    for (size_t i = 0; i < children_.size(); ++i) {
      const std::string& name = type_.children[i].name;
      dom::element member;
      if (members.at_key(name).get(member) != simdjson::SUCCESS)
        throw SchemaError(concat("the record has no '", name, "'"));
      children_[i].append(member);
    }
    if (members.size() != children_.size())
      throw SchemaError(concat("the record has ", members.size(), " members, not ", children_.size()));
  }

  const Type& type_;
  Append append_;
  int64_t length_ = 0;
  std::vector<std::byte> values_;
  std::vector<int64_t> offsets_{0};
  std::vector<Builder> children_;
};

}  // namespace

Column column_from_json(const std::string& name, const Type& type, const dom::element& json,
                        const std::shared_ptr<MemoryPool>& pool) {
  dom::array entries;
  if (json.get(entries) != simdjson::SUCCESS) {
    throw SchemaError(concat("a list of ", type.to_string(), " is wanted, not ", kind_of(json)),
                      {.column = name});
  }
  Builder builder(type);
  try {
    for (const dom::element entry : entries) builder.append(entry);
  } catch (Error& error) {
    error.add_context({.column = name, .entries = EntryRange{builder.length(), builder.length() + 1}});
    throw;
  }
  return builder.finish(pool);
}

}  // namespace sapwood
