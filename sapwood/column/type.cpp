#include "sapwood/column/type.h"

#include "sapwood/base/error.h"

namespace sapwood {

Type::Type() = default;
Type::Type(TypeKind kind) : kind(kind) {}
Type::Type(TypeKind kind, int64_t fixed_size, std::vector<Field> children)
    : kind(kind), fixed_size(fixed_size), children(std::move(children)) {}

Type Type::list(Type item) { return {TypeKind::kList, 0, {{"item", std::move(item)}}}; }

Type Type::fixed_list(Type item, int64_t size) {
  return {TypeKind::kFixedList, size, {{"item", std::move(item)}}};
}

Type Type::structure(std::vector<Field> members) { return {TypeKind::kStruct, 0, std::move(members)}; }

const Type& Type::item() const {
  if (kind != TypeKind::kList && kind != TypeKind::kFixedList) {
    throw SchemaError("a " + to_string() + " has no items");
  }
  return children.front().type;
}

std::string Type::to_string() const {
  switch (kind) {
    case TypeKind::kBool:
      return "bool";
    case TypeKind::kInt8:
      return "int8";
    case TypeKind::kInt16:
      return "int16";
    case TypeKind::kInt32:
      return "int32";
    case TypeKind::kInt64:
      return "int64";
    case TypeKind::kUInt8:
      return "uint8";
    case TypeKind::kUInt16:
      return "uint16";
    case TypeKind::kUInt32:
      return "uint32";
    case TypeKind::kUInt64:
      return "uint64";
    case TypeKind::kFloat32:
      return "float32";
    case TypeKind::kFloat64:
      return "float64";
    case TypeKind::kString:
      return "string";
    case TypeKind::kList:
      return "list<" + item().to_string() + ">";
    case TypeKind::kFixedList: {
      // The innermost item first, then the sizes from outside in, as in a C declaration.
      const Type* innermost = this;
      std::string sizes;
      for (; innermost->kind == TypeKind::kFixedList; innermost = &innermost->item()) {
        sizes += concat('[', innermost->fixed_size, ']');
      }
      return innermost->to_string() + sizes;
    }
    case TypeKind::kStruct: {
      std::string text = "struct<";
      for (const Field& member : children) {
        if (text.back() != '<') text += ", ";
        text += member.name + ": " + member.type.to_string();
      }
      return text + ">";
    }
  }
  return "?";
}

size_t primitive_size(TypeKind kind) {
  switch (kind) {
    case TypeKind::kBool:
    case TypeKind::kInt8:
    case TypeKind::kUInt8:
      return 1;
    case TypeKind::kInt16:
    case TypeKind::kUInt16:
      return 2;
    case TypeKind::kInt32:
    case TypeKind::kUInt32:
    case TypeKind::kFloat32:
      return 4;
    case TypeKind::kInt64:
    case TypeKind::kUInt64:
    case TypeKind::kFloat64:
      return 8;
    default:
      return 0;
  }
}

size_t fixed_entry_size(const Type& type) {
  if (type.kind == TypeKind::kFixedList)
    return static_cast<size_t>(type.fixed_size) * fixed_entry_size(type.item());
  return primitive_size(type.kind);
}

}  // namespace sapwood
