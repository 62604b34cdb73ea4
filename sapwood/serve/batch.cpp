#include "sapwood/serve/batch.h"

#include <algorithm>
#include <cstring>

#include "sapwood/base/error.h"

namespace sapwood::serve {
namespace {

size_t row_bytes(const Tensor& tensor) {
  return static_cast<size_t>(num_elements(std::span(tensor.shape).subspan(1))) * dtype_size(tensor.dtype);
}

}  // namespace

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
