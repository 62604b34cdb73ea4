#pragma once

#include <cstddef>

#include "sapwood/expr/constant.h"

namespace sapwood::expr {

/// Converts `count` elements of a primitive kind to one that formulas compute with (kBool, kInt64, kFloat32,
/// kFloat64) and that is as wide or is bool: not zero. uint64 wraps around to int64.
void convert_elements(TypeKind from, const void* in, TypeKind to, void* out, size_t count);

/// The same for one value.
Constant convert_constant(const Constant& value, TypeKind to);

}  // namespace sapwood::expr
