#include "sapwood/serve/json_numbers.h"

#include <cmath>
#include <iterator>
#include <limits>

#include "sapwood/serve/status_error.h"

namespace sapwood::serve {
namespace {

namespace dom = simdjson::dom;

int64_t count_items(const dom::array& items) {
  constexpr size_t kSaturated = 0xFFFFFF;  // where simdjson's size() stops
  const size_t size = items.size();
  return size < kSaturated ? static_cast<int64_t>(size) : std::distance(items.begin(), items.end());
}

int64_t count_values(dom::element data) {
  dom::array items;
  if (data.get(items) != simdjson::SUCCESS) return 1;
  int64_t count = 0;
  for (const dom::element item : items) {
    if (!item.is_array()) return count_items(items);
    count += count_values(item);
  }
  return count;
}

template <class T>
bool read_value(dom::element element, T& value) {
  if constexpr (std::is_floating_point_v<T>) {
    double number = 0;
    if (element.is_null()) {
      value = std::numeric_limits<T>::quiet_NaN();
      return true;
    }
    if (element.get(number) != simdjson::SUCCESS) return false;
    value = static_cast<T>(number);
    return std::isfinite(value);
  } else {
    int64_t number = 0;
    if (element.get(number) != simdjson::SUCCESS || !std::in_range<T>(number)) return false;
    value = static_cast<T>(number);
    return true;
  }
}

bool read_bool(dom::element element, uint8_t& value) {
  bool truth = false;
  if (element.get(truth) == simdjson::SUCCESS) {
    value = truth;
    return true;
  }
  return read_value(element, value) && value <= 1;
}

/// Writes the values below `element` to [next, end); false when one does not fit, or they are too many.
template <class T, class Read>
bool fill(dom::element element, T*& next, const T* end, const Read& read) {
  dom::array items;
  if (element.get(items) != simdjson::SUCCESS) return next != end && read(element, *next++);
  for (const dom::element item : items) {
    if (item.is_array() ? !fill(item, next, end, read) : (next == end || !read(item, *next++))) return false;
  }
  return true;
}

template <class T, class Read>
bool fill(dom::element data, Tensor& tensor, const Read& read) {
  const auto values = tensor.data.as<T>();
  T* next = values.data();
  const T* end = next + values.size();
  return fill(data, next, end, read) && next == end;
}

bool fill(dom::element data, Tensor& tensor) {
  switch (tensor.dtype) {
    case DType::kBool:
      return fill<uint8_t>(data, tensor, read_bool);
    case DType::kInt32:
      return fill<int32_t>(data, tensor, read_value<int32_t>);
    case DType::kInt64:
      return fill<int64_t>(data, tensor, read_value<int64_t>);
    case DType::kFloat32:
      return fill<float>(data, tensor, read_value<float>);
    case DType::kFloat64:
      return fill<double>(data, tensor, read_value<double>);
    case DType::kFloat16:
    case DType::kBFloat16:
      break;  // no model has them
  }
  return false;
}

}  // namespace

dom::element parse_json(dom::parser& parser, std::string_view json) {
  dom::element root;
  const simdjson::error_code error = parser.parse(json.data(), json.size(), false).get(root);
  if (error != simdjson::SUCCESS) {
    throw StatusError(400, concat("not JSON: ", simdjson::error_message(error)));
  }
  return root;
}

Tensor tensor_from_json(const std::string& what, DType dtype, std::vector<int64_t> shape, dom::element data) {
  // The values are there already, so that a shape can't ask for more memory than the request has brought.
  const int64_t given = count_values(data);
  if (checked_elements(what, shape, std::numeric_limits<int64_t>::max()) != given) {
    throw StatusError(400, concat(what, " has ", given, " values, which are not those of its shape"));
  }
  Tensor tensor{.name = {}, .dtype = dtype, .shape = std::move(shape), .data = {}};
  tensor.data = Buffer(static_cast<size_t>(given) * dtype_size(dtype), heap_pool());
  if (!fill(data, tensor)) {
    throw StatusError(400, concat(what, " holds something else than ", dtype_name(dtype), " values"));
  }
  return tensor;
}

int64_t checked_elements(const std::string& what, std::span<const int64_t> shape, int64_t limit) {
  int64_t product = 1;
  bool is_empty = false;
  for (const int64_t dimension : shape) {
    if (dimension < 0) throw StatusError(400, concat(what, " has a negative dimension"));
    is_empty |= dimension == 0;
    if (dimension != 0 && product > limit / dimension)
      throw StatusError(400, concat(what, " has too large a shape"));
    product *= std::max<int64_t>(dimension, 1);
  }
  return is_empty ? 0 : product;
}

}  // namespace sapwood::serve
