#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "sapwood/column/type.h"

namespace sapwood {

/// Element types of tensors. Columns have no floating numbers of 16 bits: kFloat16 is IEEE 754's binary16,
/// kBFloat16 the upper half of a float32.
enum class DType : uint8_t { kBool, kInt32, kInt64, kFloat16, kBFloat16, kFloat32, kFloat64 };

size_t dtype_size(DType dtype);
/// The kind of a column's values that are stored with the same bytes, if there is one.
std::optional<TypeKind> type_kind(DType dtype);
/// "bool", "int32", "int64", "float16", "bfloat16", "float32", "float64".
const char* dtype_name(DType dtype);
/// Throws ConfigError for other names.
DType parse_dtype(std::string_view name);

}  // namespace sapwood
