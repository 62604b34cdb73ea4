#pragma once

#include <nanobind/ndarray.h>

#include <cstdint>
#include <vector>

#include "bindings.h"
#include "sapwood/base/buffer.h"
#include "sapwood/column/type.h"
#include "sapwood/features/feature_spec.h"

/// NumPy's type for values of a kind. Throws SchemaError for what is no number.
nb::dlpack::dtype element_dtype(sapwood::TypeKind kind);
/// NumPy's type for elements of tensors. It has no bfloat16: their bits are given, as int16.
nb::dlpack::dtype element_dtype(sapwood::DType dtype);

/// A buffer as a NumPy array that shares its memory.
nb::ndarray<nb::numpy> share(const sapwood::Buffer& buffer, const std::vector<size_t>& shape,
                             nb::dlpack::dtype dtype);

/// A tensor of `rows` rows as a NumPy array that shares its memory.
nb::object tensor_to_numpy(const sapwood::TensorInfo& info, int64_t rows, const sapwood::Buffer& data);
