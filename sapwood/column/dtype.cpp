#include "sapwood/column/dtype.h"

#include <array>

#include "sapwood/base/error.h"

namespace sapwood {
namespace {

constexpr std::array kDTypes{DType::kBool,     DType::kInt32,   DType::kInt64,  DType::kFloat16,
                             DType::kBFloat16, DType::kFloat32, DType::kFloat64};

}  // namespace

size_t dtype_size(DType dtype) {
  switch (dtype) {
    case DType::kBool:
      return 1;
    case DType::kFloat16:
    case DType::kBFloat16:
      return 2;
    case DType::kInt32:
    case DType::kFloat32:
      return 4;
    case DType::kInt64:
    case DType::kFloat64:
      return 8;
  }
  return 0;
}

std::optional<TypeKind> type_kind(DType dtype) {
  switch (dtype) {
    case DType::kBool:
      return TypeKind::kBool;
    case DType::kInt32:
      return TypeKind::kInt32;
    case DType::kInt64:
      return TypeKind::kInt64;
    case DType::kFloat32:
      return TypeKind::kFloat32;
    case DType::kFloat64:
      return TypeKind::kFloat64;
    case DType::kFloat16:
    case DType::kBFloat16:
      break;
  }
  return std::nullopt;
}

const char* dtype_name(DType dtype) {
  switch (dtype) {
    case DType::kBool:
      return "bool";
    case DType::kInt32:
      return "int32";
    case DType::kInt64:
      return "int64";
    case DType::kFloat16:
      return "float16";
    case DType::kBFloat16:
      return "bfloat16";
    case DType::kFloat32:
      return "float32";
    case DType::kFloat64:
      return "float64";
  }
  return "?";
}

DType parse_dtype(std::string_view name) {
  std::string known;
  for (const DType dtype : kDTypes) {
    if (name == dtype_name(dtype)) return dtype;
    known += concat(known.empty() ? "" : ", ", dtype_name(dtype));
  }
  throw ConfigError(concat("unknown dtype '", name, "': one of ", known));
}

}  // namespace sapwood
