#pragma once

#include <nanobind/ndarray.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "bindings.h"
#include "sapwood/base/buffer.h"
#include "sapwood/column/type.h"
#include "sapwood/features/feature_spec.h"

/// NumPy's type for values of a kind. Throws SchemaError for what is no number.
nb::dlpack::dtype element_dtype(sapwood::TypeKind kind);
/// NumPy's type for elements of tensors. It has no bfloat16: their bits are given, as int16.
nb::dlpack::dtype element_dtype(sapwood::DType dtype);

/// A buffer as an array that shares its memory: NumPy's, or a capsule of DLPack where no framework is named.
template <class... Framework>
nb::ndarray<Framework...> share(const sapwood::Buffer& buffer, const std::vector<size_t>& shape,
                                nb::dlpack::dtype dtype) {
  auto owner = std::make_unique<sapwood::Buffer>(buffer);
  void* data = owner->data();
  const nb::capsule capsule(owner.release(),
                            [](void* p) noexcept { delete static_cast<sapwood::Buffer*>(p); });
  return nb::ndarray<Framework...>(data, shape.size(), shape.data(), capsule, nullptr, dtype);
}

/// A tensor of `rows` rows as a NumPy array that shares its memory.
nb::object tensor_to_numpy(const sapwood::TensorInfo& info, int64_t rows, const sapwood::Buffer& data);
/// The same as a capsule of DLPack, which knows all types.
nb::object tensor_to_dlpack(const sapwood::TensorInfo& info, int64_t rows, const sapwood::Buffer& data);
