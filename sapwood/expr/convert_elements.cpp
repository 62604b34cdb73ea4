#include "sapwood/expr/convert_elements.h"

#include "sapwood/base/error.h"

namespace sapwood::expr {
namespace {

template <class From, class To>
void convert(const void* in, void* out, size_t count) {
  const auto* from = static_cast<const From*>(in);
  auto* to = static_cast<To*>(out);
  for (size_t i = 0; i < count; ++i) {
    if constexpr (std::is_same_v<To, uint8_t>) {
      to[i] = from[i] != From{0};
    } else {
      to[i] = static_cast<To>(from[i]);  // NOLINT(bugprone-signed-char-misuse): numbers, not text
    }
  }
}

template <class From>
void convert_from(const void* in, TypeKind to, void* out, size_t count) {
  switch (to) {
    case TypeKind::kBool:
      return convert<From, uint8_t>(in, out, count);
    case TypeKind::kInt64:
      if constexpr (!std::is_floating_point_v<From>) return convert<From, int64_t>(in, out, count);
      break;
    case TypeKind::kFloat32:
      return convert<From, float>(in, out, count);
    case TypeKind::kFloat64:
      return convert<From, double>(in, out, count);
    default:
      break;
  }
  throw SchemaError(concat("formulas don't convert to ", Type(to).to_string()));
}

}  // namespace

void convert_elements(TypeKind from, const void* in, TypeKind to, void* out, size_t count) {
  switch (from) {
    case TypeKind::kBool:
    case TypeKind::kUInt8:
      return convert_from<uint8_t>(in, to, out, count);
    case TypeKind::kInt8:
      return convert_from<int8_t>(in, to, out, count);
    case TypeKind::kInt16:
      return convert_from<int16_t>(in, to, out, count);
    case TypeKind::kInt32:
      return convert_from<int32_t>(in, to, out, count);
    case TypeKind::kInt64:
      return convert_from<int64_t>(in, to, out, count);
    case TypeKind::kUInt16:
      return convert_from<uint16_t>(in, to, out, count);
    case TypeKind::kUInt32:
      return convert_from<uint32_t>(in, to, out, count);
    case TypeKind::kUInt64:
      return convert_from<uint64_t>(in, to, out, count);
    case TypeKind::kFloat32:
      return convert_from<float>(in, to, out, count);
    case TypeKind::kFloat64:
      return convert_from<double>(in, to, out, count);
    default:
      throw SchemaError(concat("formulas don't convert from ", Type(from).to_string()));
  }
}

Constant convert_constant(const Constant& value, TypeKind to) {
  Constant result{.kind = to};
  convert_elements(value.kind, value.data(), to, result.data(), 1);
  return result;
}

}  // namespace sapwood::expr
