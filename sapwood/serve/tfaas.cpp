#include "sapwood/serve/tfaas.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <unordered_map>

#include "sapwood/base/names.h"
#include "sapwood/serve/json_numbers.h"
#include "sapwood/serve/status_error.h"

namespace sapwood::serve {
namespace {

namespace dom = simdjson::dom;

[[noreturn]] void refuse(const std::string& message) { throw StatusError(400, message); }

template <class T>
void store(const std::string& name, std::span<const double> values, std::byte* out) {
  for (const double value : values) {
    T element{};
    if constexpr (std::is_floating_point_v<T>) {
      element = static_cast<T>(value);
    } else {
      const bool fits = value == std::floor(value) &&
                        value >= static_cast<double>(std::numeric_limits<T>::min()) &&
                        value < static_cast<double>(std::numeric_limits<T>::max()) + 1.0;
      if (!fits) refuse(concat("'", name, "' is an integer, not ", value));
      element = static_cast<T>(value);
    }
    std::memcpy(out, &element, sizeof(T));
    out += sizeof(T);
  }
}

void store(const std::string& name, TypeKind kind, std::span<const double> values, std::byte* out) {
  switch (kind) {
    case TypeKind::kBool:
      for (const double value : values) *out++ = std::byte{value != 0};
      return;
    case TypeKind::kInt8:
      return store<int8_t>(name, values, out);
    case TypeKind::kInt16:
      return store<int16_t>(name, values, out);
    case TypeKind::kInt32:
      return store<int32_t>(name, values, out);
    case TypeKind::kInt64:
      return store<int64_t>(name, values, out);
    case TypeKind::kUInt8:
      return store<uint8_t>(name, values, out);
    case TypeKind::kUInt16:
      return store<uint16_t>(name, values, out);
    case TypeKind::kUInt32:
      return store<uint32_t>(name, values, out);
    case TypeKind::kUInt64:
      return store<uint64_t>(name, values, out);
    case TypeKind::kFloat32:
      return store<float>(name, values, out);
    case TypeKind::kFloat64:
      return store<double>(name, values, out);
    default:
      refuse(concat("'", name, "' is not a number: TFaaS's rows can't hold it"));
  }
}

/// The row's values in the order of `names`; `row.keys` has every one of them.
std::vector<double> in_order(std::span<const std::string> names, const TfaasRow& row) {
  if (std::ranges::equal(names, row.keys)) return row.values;
  std::unordered_map<std::string_view, double> by_key;
  for (size_t i = 0; i < row.keys.size(); ++i) by_key[row.keys[i]] = row.values[i];
  std::vector<double> values;
  for (const std::string& name : names) {
    const auto found = by_key.find(name);
    if (found == by_key.end()) {
      refuse(concat("key '", name, "' is missing",
                    nearest_names_hint(name, std::vector<std::string>(row.keys.begin(), row.keys.end()))));
    }
    values.push_back(found->second);
  }
  return values;
}

std::vector<Tensor> tensors_by_columns(const Servable& servable, const TfaasRow& row) {
  const Schema& schema = *servable.columns;
  std::vector<std::string> names;
  for (const ColumnInfo& info : schema.columns()) {
    names.push_back(info.name);
    if (!info.type.is_primitive()) {
      refuse(concat("column '", info.name, "' is ", info.type.to_string(),
                    ", which a row of numbers can't hold; send columns to /v1/models/", servable.name,
                    ":predict"));
    }
  }
  const std::vector<double> values = row.keys.empty() ? row.values : in_order(names, row);
  if (values.size() != names.size()) {
    refuse(concat("the model takes ", names.size(), " values, not ", values.size()));
  }
  std::vector<Column> columns;
  for (size_t i = 0; i < names.size(); ++i) {
    columns.push_back(make_fixed_width_column(schema[i].type, 1, heap_pool()));
    store(names[i], schema[i].type.kind, std::span(values).subspan(i, 1), columns.back().values.data());
  }
  return servable.prepare(std::move(columns));
}

/// The shape of one row of an input with `left` values to come; one free dimension takes what there is.
std::vector<int64_t> row_shape(const TensorSpec& spec, size_t left) {
  std::vector<int64_t> shape = spec.shape;
  if (!shape.empty() && shape[0] < 0) shape[0] = 1;
  const auto free = std::ranges::find_if(shape, [](int64_t dimension) { return dimension < 0; });
  if (free != shape.end()) {
    *free = 1;
    const auto others = static_cast<int64_t>(num_elements(shape));
    *free = others == 0 ? 0 : static_cast<int64_t>(left) / others;
    if (std::ranges::any_of(shape, [](int64_t dimension) { return dimension < 0; })) {
      refuse(concat("input '", spec.name, "' has several free dimensions; send it to /v2/models"));
    }
  }
  return shape;
}

bool are_single_numbers(const std::vector<TensorSpec>& inputs) {
  return std::ranges::all_of(inputs, [](const TensorSpec& spec) {
    return spec.shape.size() <= 2 && (spec.shape.size() < 2 || spec.shape[1] == 1);
  });
}

std::vector<Tensor> tensors_in_order(const Servable& servable, const TfaasRow& row) {
  const std::vector<TensorSpec>& inputs = servable.model->inputs();
  std::vector<double> named;
  std::span<const double> values = row.values;
  if (!row.keys.empty() && inputs.size() > 1 && are_single_numbers(inputs)) {
    std::vector<std::string> names;
    for (const TensorSpec& spec : inputs) names.push_back(spec.name);
    named = in_order(names, row);
    values = named;
  }
  const size_t given = values.size();
  std::vector<Tensor> tensors;
  size_t wanted = 0;
  for (const TensorSpec& spec : inputs) {
    Tensor tensor{
        .name = spec.name, .dtype = spec.dtype, .shape = row_shape(spec, values.size()), .data = {}};
    const auto count = static_cast<size_t>(num_elements(tensor.shape));
    wanted += count;
    if (count <= values.size()) {
      tensor.data = Buffer(count * dtype_size(spec.dtype), heap_pool());
      store(spec.name, *type_kind(spec.dtype), values.first(count), tensor.data.data());
      values = values.subspan(count);
    }
    tensors.push_back(std::move(tensor));
  }
  if (wanted != given) refuse(concat("the model takes ", wanted, " values, not ", given));
  return tensors;
}

}  // namespace

TfaasRow parse_tfaas_json(dom::parser& parser, std::string_view json) {
  const dom::element root = parse_json(parser, json);
  dom::object object;
  if (root.get(object) != simdjson::SUCCESS) refuse("the request is not a JSON object");
  TfaasRow row;
  dom::array list;
  for (const auto [key, value] : object) {
    if (value.is_null()) continue;
    if (key == "values") {
      if (value.get(list) != simdjson::SUCCESS) refuse("'values' is not a list");
      row.values.reserve(list.size());
      for (const dom::element item : list) {
        double number = std::numeric_limits<double>::quiet_NaN();
        if (!item.is_null() && item.get(number) != simdjson::SUCCESS) {
          refuse(concat("'values' holds something else than numbers, at position ", row.values.size()));
        }
        row.values.push_back(number);
      }
    } else if (key == "keys") {
      if (value.get(list) != simdjson::SUCCESS) refuse("'keys' is not a list");
      row.keys.reserve(list.size());
      for (const dom::element item : list) {
        if (row.keys.emplace_back(); item.get(row.keys.back()) != simdjson::SUCCESS) {
          refuse("'keys' holds something else than strings");
        }
      }
    } else if (key == "model") {
      if (value.get(row.model) != simdjson::SUCCESS) refuse("'model' is not a string");
    }
  }
  if (row.values.empty()) refuse("the request has no 'values'");
  if (!row.keys.empty() && row.keys.size() != row.values.size()) {
    refuse(concat(row.keys.size(), " keys, but ", row.values.size(), " values"));
  }
  return row;
}

std::vector<Tensor> tensors_of_row(const Servable& servable, const TfaasRow& row) {
  return servable.columns ? tensors_by_columns(servable, row) : tensors_in_order(servable, row);
}

std::vector<float> predictions(const OutputRows& rows) {
  size_t index = 0;
  const auto is_floating = [](DType dtype) { return dtype == DType::kFloat32 || dtype == DType::kFloat64; };
  while (index < rows.outputs->size() && !is_floating((*rows.outputs)[index].dtype)) ++index;
  if (index == rows.outputs->size()) throw StatusError(501, "the model has no output of floating numbers");
  const std::span<const std::byte> bytes = rows.bytes(index);
  std::vector<float> values(bytes.size() / dtype_size((*rows.outputs)[index].dtype));
  for (size_t i = 0; i < values.size(); ++i) {
    if ((*rows.outputs)[index].dtype == DType::kFloat32) {
      std::memcpy(&values[i], bytes.data() + i * sizeof(float), sizeof(float));
    } else {
      double value = 0;
      std::memcpy(&value, bytes.data() + i * sizeof(double), sizeof(double));
      values[i] = static_cast<float>(value);
    }
  }
  return values;
}

}  // namespace sapwood::serve
