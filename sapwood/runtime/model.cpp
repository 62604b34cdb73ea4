#include "sapwood/runtime/model.h"

#include <optional>

#include "sapwood/base/error.h"

namespace sapwood {
namespace {

std::string shape_text(std::span<const int64_t> shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) {
    text += i == 0 ? "" : ", ";
    text += shape[i] >= 0 ? std::to_string(shape[i]) : i == 0 ? "N" : "?";
  }
  return text + "]";
}

bool fits(std::span<const int64_t> wanted, std::span<const int64_t> given) {
  if (wanted.empty()) return true;
  if (wanted.size() != given.size()) return false;
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] >= 0 && wanted[i] != given[i]) return false;
  }
  return true;
}

// Nothing when a dimension is negative or the product too large for any memory.
std::optional<size_t> bytes_of(const Tensor& tensor) {
  constexpr uint64_t kMost = uint64_t{1} << 48;
  uint64_t bytes = dtype_size(tensor.dtype);
  for (const int64_t size : tensor.shape) {
    if (size < 0 || static_cast<uint64_t>(size) > kMost) return std::nullopt;
    bytes *= static_cast<uint64_t>(size);
    if (bytes > kMost) return std::nullopt;
  }
  return bytes;
}

}  // namespace

std::string to_string(const TensorSpec& spec) {
  return concat(dtype_name(spec.dtype), " ", shape_text(spec.shape));
}

void check_inputs(std::span<const TensorSpec> specs, std::span<const Tensor> inputs) {
  if (specs.size() != inputs.size())
    throw ModelError(concat("the model takes ", specs.size(), " inputs, not ", inputs.size()));
  std::optional<int64_t> rows;
  for (size_t i = 0; i < specs.size(); ++i) {
    const TensorSpec& spec = specs[i];
    const Tensor& input = inputs[i];
    if (spec.dtype != input.dtype || !fits(spec.shape, input.shape)) {
      throw ModelError(concat("input '", spec.name, "' is ", to_string(spec), ", not ",
                              to_string(TensorSpec{"", input.dtype, input.shape})));
    }
    if (bytes_of(input) != input.data.size()) {
      throw ModelError(concat("input '", spec.name, "' has ", input.data.size(), " bytes, which are not ",
                              dtype_name(input.dtype), " ", shape_text(input.shape)));
    }
    if (spec.shape.empty() || spec.shape.front() >= 0) continue;
    if (rows && *rows != input.shape.front()) {
      throw ModelError(concat("input '", spec.name, "' has ", input.shape.front(), " rows, others ", *rows));
    }
    rows = input.shape.front();
  }
}

}  // namespace sapwood
