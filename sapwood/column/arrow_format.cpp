#include "sapwood/column/arrow_format.h"

#include <array>
#include <charconv>
#include <string_view>
#include <utility>

#include "sapwood/base/error.h"

namespace sapwood {
namespace {

constexpr int kDeepest = 64;  // levels of nesting; a schema that points at itself must end somewhere
constexpr std::string_view kFixedListPrefix = "+w:";

constexpr std::array<std::pair<TypeKind, std::string_view>, 11> kPrimitives{{
    {TypeKind::kBool, "b"},
    {TypeKind::kInt8, "c"},
    {TypeKind::kInt16, "s"},
    {TypeKind::kInt32, "i"},
    {TypeKind::kInt64, "l"},
    {TypeKind::kUInt8, "C"},
    {TypeKind::kUInt16, "S"},
    {TypeKind::kUInt32, "I"},
    {TypeKind::kUInt64, "L"},
    {TypeKind::kFloat32, "f"},
    {TypeKind::kFloat64, "g"},
}};

std::string name_of(const ArrowSchema& schema) { return schema.name == nullptr ? "" : schema.name; }

int64_t fixed_size_of(const ArrowSchema& schema, std::string_view format) {
  const std::string_view digits = format.substr(kFixedListPrefix.size());
  int64_t size = -1;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), size);
  if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size() || size < 0) {
    throw FormatError("bad Arrow format \"" + std::string(format) + "\"", {.column = name_of(schema)});
  }
  return size;
}

Type type_at(const ArrowSchema& schema, int depth) {
  const std::string_view format = schema.format == nullptr ? "" : schema.format;
  const auto unsupported = [&](const std::string& what) {
    return UnsupportedError("can't read " + what, {.column = name_of(schema)});
  };
  if (schema.dictionary != nullptr) throw unsupported("dictionary-encoded Arrow data");
  if (depth > kDeepest) throw unsupported(concat("Arrow data nested more than ", kDeepest, " levels deep"));
  for (const auto& [kind, letter] : kPrimitives) {
    if (format == letter) return {kind, 0, {}};
  }
  if (format == "u" || format == "U") return {TypeKind::kString, 0, {}};

  const bool list = format == "+l" || format == "+L";
  const bool fixed_list = format.starts_with(kFixedListPrefix);
  if (!list && !fixed_list && format != "+s")
    throw unsupported("Arrow data of format \"" + std::string(format) + "\"");
  const bool right_number = format == "+s" ? schema.n_children >= 0 : schema.n_children == 1;
  if (!right_number || (schema.n_children != 0 && schema.children == nullptr)) {
    throw FormatError(
        concat("an Arrow schema of format \"", format, "\" with ", schema.n_children, " children"),
        {.column = name_of(schema)});
  }
  std::vector<Field> children;
  for (int64_t i = 0; i < schema.n_children; ++i) {
    const ArrowSchema& child = *schema.children[i];
    children.push_back({name_of(child), type_at(child, depth + 1)});
  }
  if (list) return Type::list(std::move(children.front().type));
  if (fixed_list) return Type::fixed_list(std::move(children.front().type), fixed_size_of(schema, format));
  return Type::structure(std::move(children));
}

}  // namespace

std::string arrow_format(const Type& type) {
  switch (type.kind) {
    case TypeKind::kString:
      return "U";
    case TypeKind::kList:
      return "+L";
    case TypeKind::kFixedList:
      return concat(kFixedListPrefix, type.fixed_size);
    case TypeKind::kStruct:
      return "+s";
    default:
      for (const auto& [kind, letter] : kPrimitives) {
        if (kind == type.kind) return std::string(letter);
      }
      throw UnsupportedError("no Arrow format for " + type.to_string());
  }
}

Type type_of(const ArrowSchema& schema) { return type_at(schema, 0); }

}  // namespace sapwood
