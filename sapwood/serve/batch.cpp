#include "sapwood/serve/batch.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "sapwood/base/error.h"

namespace sapwood::serve {
namespace {

size_t row_bytes(const Tensor& tensor) {
  return static_cast<size_t>(num_elements(std::span(tensor.shape).subspan(1))) * dtype_size(tensor.dtype);
}

constexpr double kMostTried = 16u << 20;  // bytes of a warm-up's inputs

double bytes_of(std::span<const TensorSpec> specs, int64_t rows) {
  double bytes = 0;
  for (const TensorSpec& spec : specs) {
    auto size = static_cast<double>(dtype_size(spec.dtype));
    for (size_t i = 0; i < spec.shape.size(); ++i) {
      if (spec.shape[i] >= 0) size *= static_cast<double>(spec.shape[i]);
      if (spec.shape[i] < 0 && i == 0) size *= static_cast<double>(rows);
    }
    bytes += size;
  }
  return bytes;
}

/// Numbers between 0 and 1 that follow from the seed; integers, which may be indices, are 0.
std::vector<Tensor> made_up_rows(std::span<const TensorSpec> specs, int64_t rows, uint32_t seed) {
  seed *= 2654435761;  // seeds side by side are to give other numbers
  std::vector<Tensor> inputs;
  for (const TensorSpec& spec : specs) {
    Tensor tensor{.name = spec.name, .dtype = spec.dtype, .shape = spec.shape, .data = {}};
    for (size_t i = 0; i < tensor.shape.size(); ++i) {
      if (tensor.shape[i] < 0) tensor.shape[i] = i == 0 ? rows : 1;
    }
    const auto count = static_cast<size_t>(num_elements(tensor.shape));
    tensor.data = Buffer(count * dtype_size(spec.dtype), heap_pool());
    std::ranges::fill(tensor.data.as<std::byte>(), std::byte{0});
    const auto next = [&seed] {
      seed = seed * 1664525 + 1013904223;
      return static_cast<float>(seed >> 8) / static_cast<float>(1 << 24);
    };
    if (spec.dtype == DType::kFloat32) std::ranges::generate(tensor.data.as<float>(), next);
    if (spec.dtype == DType::kFloat64) std::ranges::generate(tensor.data.as<double>(), next);
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

template <class T>
bool nearly_equal(const std::byte* a, const std::byte* b, size_t bytes) {
  for (size_t at = 0; at < bytes; at += sizeof(T)) {
    T x{};
    T y{};
    std::memcpy(&x, a + at, sizeof(T));
    std::memcpy(&y, b + at, sizeof(T));
    if constexpr (std::is_floating_point_v<T>) {
      if (std::isnan(x) && std::isnan(y)) continue;
      if (!(std::abs(x - y) <= 1e-3 * (1 + std::abs(x)))) return false;
    } else if (x != y) {
      return false;
    }
  }
  return true;
}

bool nearly_equal(DType dtype, const std::byte* a, const std::byte* b, size_t bytes) {
  switch (dtype) {
    case DType::kFloat32:
      return nearly_equal<float>(a, b, bytes);
    case DType::kFloat64:
      return nearly_equal<double>(a, b, bytes);
    case DType::kBool:
    case DType::kInt32:
    case DType::kInt64:
    case DType::kFloat16:
    case DType::kBFloat16:
      break;
  }
  return nearly_equal<uint8_t>(a, b, bytes);
}

/// Whether `together` is what `first` and `second` are, one below the other.
bool are_rows_of(const std::vector<Tensor>& together, const std::vector<Tensor>& first,
                 const std::vector<Tensor>& second) {
  for (size_t i = 0; i < together.size(); ++i) {
    const Tensor& both = together[i];
    const size_t size = first[i].data.size();
    if (both.shape.empty() || both.shape[0] != 2 || both.data.size() != size + second[i].data.size())
      return false;
    if (!nearly_equal(both.dtype, both.data.data(), first[i].data.data(), size) ||
        !nearly_equal(both.dtype, both.data.data() + size, second[i].data.data(), second[i].data.size())) {
      return false;
    }
  }
  return true;
}

}  // namespace

bool warm_up(const Model& model) {
  const std::vector<TensorSpec>& specs = model.inputs();
  try {
    if (bytes_of(specs, 64) <= kMostTried) model.run(made_up_rows(specs, 64, 1));
    if (bytes_of(specs, 2) > kMostTried || !is_batchable(model)) return true;
    const std::vector<Tensor> first = made_up_rows(specs, 1, 2);
    const std::vector<Tensor> second = made_up_rows(specs, 1, 3);
    const std::array parts{&first, &second};
    return are_rows_of(model.run(join_rows(parts, heap_pool())), model.run(first), model.run(second));
  } catch (const std::exception&) {
    return true;  // It takes nothing made up; the golden sample has said whether it works.
  }
}

bool is_batchable(const Model& model) {
  const auto has_free_rows = [](const TensorSpec& spec) { return !spec.shape.empty() && spec.shape[0] < 0; };
  const auto may_have = [&](const TensorSpec& spec) { return spec.shape.empty() || has_free_rows(spec); };
  return !model.inputs().empty() && std::ranges::all_of(model.inputs(), has_free_rows) &&
         std::ranges::all_of(model.outputs(), may_have);
}

int64_t count_rows(const Model& model, std::span<const Tensor> inputs) {
  check_inputs(model.inputs(), inputs);
  if (!is_batchable(model)) return 1;
  const int64_t rows = inputs.front().shape.front();
  if (rows == 0) throw ModelError(concat("input '", model.inputs().front().name, "' has no rows"));
  return rows;
}

bool can_join(std::span<const Tensor> a, std::span<const Tensor> b) {
  return std::ranges::equal(a, b, [](const Tensor& left, const Tensor& right) {
    return left.dtype == right.dtype && !left.shape.empty() && !right.shape.empty() &&
           std::ranges::equal(std::span(left.shape).subspan(1), std::span(right.shape).subspan(1));
  });
}

std::vector<Tensor> join_rows(std::span<const std::vector<Tensor>* const> requests,
                              const std::shared_ptr<MemoryPool>& pool) {
  std::vector<Tensor> joined(requests.front()->size());
  for (size_t i = 0; i < joined.size(); ++i) {
    const Tensor& first = (*requests.front())[i];
    joined[i] = {.name = first.name, .dtype = first.dtype, .shape = first.shape, .data = {}};
    joined[i].shape[0] = 0;
    for (const auto* request : requests) joined[i].shape[0] += (*request)[i].shape[0];
    joined[i].data = Buffer(row_bytes(first) * static_cast<size_t>(joined[i].shape[0]), pool);
    std::byte* out = joined[i].data.data();
    for (const auto* request : requests) {
      const Tensor& part = (*request)[i];
      const size_t size = row_bytes(part) * static_cast<size_t>(part.shape[0]);
      if (size != 0) std::memcpy(out, part.data.data(), size);
      out += size;
    }
  }
  return joined;
}

std::vector<int64_t> OutputRows::shape(size_t output) const {
  std::vector<int64_t> shape = (*outputs)[output].shape;
  if (!whole) shape[0] = count;
  return shape;
}

std::span<const std::byte> OutputRows::bytes(size_t output) const {
  const Tensor& tensor = (*outputs)[output];
  if (whole) {
    return {tensor.data.data(), static_cast<size_t>(num_elements(tensor.shape)) * dtype_size(tensor.dtype)};
  }
  const size_t size = row_bytes(tensor);
  return {tensor.data.data() + size * static_cast<size_t>(first), size * static_cast<size_t>(count)};
}

int64_t num_elements(std::span<const int64_t> shape) {
  int64_t product = 1;
  for (const int64_t dimension : shape) product *= dimension;
  return product;
}

}  // namespace sapwood::serve
