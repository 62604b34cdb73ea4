#include "sapwood/bundle/golden.h"

#include <algorithm>
#include <cmath>

#include "sapwood/base/error.h"
#include "sapwood/bundle/json_columns.h"
#include "sapwood/bundle/json_value.h"

namespace sapwood {
namespace {

// Columns that a file's own schema describes: a wrong one is the file's fault.
Column column(const std::string& name, const Type& type, const JsonValue& json) {
  try {
    return column_from_json(name, type, json.element(), heap_pool());
  } catch (const SchemaError& error) {
    throw FormatError(error.message(), error.context());
  }
}

std::vector<Tensor> tensors(const JsonValue& object) {
  std::vector<Tensor> tensors;
  for (const auto& [name, json] : object.members()) {
    Tensor tensor{.name = name, .shape = {}, .data = {}};
    try {
      tensor.dtype = parse_dtype(json.at("dtype").text());
    } catch (const ConfigError& error) {
      json.fail(error.message());
    }
    const std::optional<TypeKind> kind = type_kind(tensor.dtype);
    if (!kind) json.fail(concat("bundles have no tensors of ", dtype_name(tensor.dtype)));
    const Column values = column(name, *kind, json.at("data"));
    int64_t count = 1;
    for (const JsonValue& size : json.at("shape").items()) {
      tensor.shape.push_back(size.integer(0));
      // More would overflow, and can't be there.
      if (tensor.shape.back() > values.length && values.length != 0) json.fail("shape and data do not agree");
      count = std::min(count * std::min(tensor.shape.back(), values.length + 1), values.length + 1);
    }
    if (count != values.length) json.fail("shape and data do not agree");
    tensor.data = values.values;
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

double value_at(const Tensor& tensor, size_t i) {
  switch (tensor.dtype) {
    case DType::kBool:
      return tensor.data.as<uint8_t>()[i] != 0 ? 1 : 0;
    case DType::kInt32:
      return tensor.data.as<int32_t>()[i];
    case DType::kInt64:
      return static_cast<double>(tensor.data.as<int64_t>()[i]);
    case DType::kFloat32:
      return static_cast<double>(tensor.data.as<float>()[i]);
    case DType::kFloat64:
      return tensor.data.as<double>()[i];
    case DType::kFloat16:
    case DType::kBFloat16:
      break;  // no model has them
  }
  return 0;
}

double difference(double a, double b) {
  if (a == b || (std::isnan(a) && std::isnan(b))) return 0;
  const double size = std::abs(a - b);
  return std::isnan(size) ? HUGE_VAL : size;
}

}  // namespace

GoldenSample parse_golden(Bytes json, const Schema& columns, bool from_columns) {
  const JsonDocument document(json);
  const JsonValue root = document.root();
  GoldenSample golden;
  golden.absolute_tolerance = root.at("absolute_tolerance").number(0);
  golden.relative_tolerance = root.at("relative_tolerance").number(0);
  if (from_columns) {
    const JsonValue values = root.at("columns");
    for (const ColumnInfo& info : columns.columns())
      golden.columns.push_back(column(info.name, info.type, values.at(info.name)));
    for (const Column& one : golden.columns) {
      if (one.length != golden.columns.front().length) values.fail("the columns differ in length");
    }
  } else {
    golden.inputs = tensors(root.at("inputs"));
  }
  golden.outputs = tensors(root.at("outputs"));
  return golden;
}

void check_golden(const GoldenSample& golden, std::span<const Tensor> outputs) {
  double largest = 0;
  std::string where;
  bool within = true;
  for (const Tensor& wanted : golden.outputs) {
    const auto given = std::ranges::find(outputs, wanted.name, &Tensor::name);
    if (given == outputs.end())
      throw ModelError(concat("the golden sample has an output '", wanted.name, "', the model has not"));
    if (given->dtype != wanted.dtype || given->shape != wanted.shape)
      throw ModelError(
          concat("output '", wanted.name, "' has another type or shape than in the golden sample"));
    const size_t count = wanted.data.size() / dtype_size(wanted.dtype);
    for (size_t i = 0; i < count; ++i) {
      const double expected = value_at(wanted, i);
      const double off = difference(value_at(*given, i), expected);
      const double allowed = golden.absolute_tolerance + golden.relative_tolerance * std::abs(expected);
      if (off != 0 && !(off <= allowed)) within = false;
      if (off > largest) {
        largest = off;
        where = wanted.name;
      }
    }
  }
  if (within) return;
  throw ModelError(concat("the model does not give the answers of the golden sample: output '", where,
                          "' is off by up to ", largest, " (allowed: ", golden.absolute_tolerance, " + ",
                          golden.relative_tolerance, " of the value)"));
}

}  // namespace sapwood
