#include "sapwood/serve/open_inference.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "sapwood/base/error.h"
#include "sapwood/serve/json_numbers.h"
#include "sapwood/serve/json_text.h"
#include "sapwood/serve/status_error.h"

namespace sapwood::serve {
namespace {

namespace dom = simdjson::dom;

[[noreturn]] void refuse(const std::string& message) { throw StatusError(400, message); }

/// `object` is a JSON object, as dom::element or dom::object.
template <class T>
std::optional<T> member(auto object, std::string_view key, const std::string& what) {
  dom::element value;
  if (object.at_key(key).get(value) != simdjson::SUCCESS || value.is_null()) return std::nullopt;
  T result;
  if (value.get(result) != simdjson::SUCCESS) refuse(concat(what, ": '", key, "' has the wrong type"));
  return result;
}

std::optional<DType> dtype_of(std::string_view name) {
  for (const DType dtype : {DType::kBool, DType::kInt32, DType::kInt64, DType::kFloat32, DType::kFloat64}) {
    if (name == protocol_dtype(dtype)) return dtype;
  }
  return std::nullopt;
}

std::vector<int64_t> parse_shape(dom::element input, const std::string& what) {
  const auto list = member<dom::array>(input, "shape", what);
  if (!list) refuse(concat(what, " has no 'shape'"));
  std::vector<int64_t> shape;
  for (const dom::element item : *list) {
    int64_t size = 0;
    if (item.get(size) != simdjson::SUCCESS || shape.size() == 32)
      refuse(concat(what, ": 'shape' is no list of sizes"));
    shape.push_back(size);
  }
  return shape;
}

/// Parameters of one input or output.
struct TensorParameters {
  std::optional<uint64_t> binary_size;
  std::optional<bool> binary;
};

TensorParameters parse_parameters(dom::element tensor, const std::string& what) {
  TensorParameters result;
  const auto parameters = member<dom::object>(tensor, "parameters", what);
  if (!parameters) return result;
  if (member<std::string_view>(*parameters, "shared_memory_region", what)) {
    refuse(concat(what, ": shared memory is not supported"));
  }
  if (member<uint64_t>(*parameters, "classification", what).value_or(0) != 0) {
    refuse(concat(what, ": the classification extension is not supported"));
  }
  result.binary_size = member<uint64_t>(*parameters, "binary_data_size", what);
  result.binary = member<bool>(*parameters, "binary_data", what);
  return result;
}

Tensor take_binary(const std::string& what, DType dtype, std::vector<int64_t> shape, uint64_t size,
                   std::string_view& binary) {
  if (size > binary.size())
    refuse(concat(what, ": ", size, " bytes are announced, ", binary.size(), " are left"));
  const uint64_t width = dtype_size(dtype);
  const int64_t elements = checked_elements(what, shape, std::numeric_limits<int64_t>::max() / 8);
  if (static_cast<uint64_t>(elements) * width != size) {
    refuse(concat(what, ": ", size, " bytes are not those of its shape"));
  }
  Tensor tensor{.name = {}, .dtype = dtype, .shape = std::move(shape), .data = Buffer(size, heap_pool())};
  if (size != 0) std::memcpy(tensor.data.data(), binary.data(), size);
  if (dtype == DType::kBool) {
    for (uint8_t& value : tensor.data.as<uint8_t>()) value = value != 0;
  }
  binary.remove_prefix(size);
  return tensor;
}

Tensor parse_input(dom::element input, const std::string& what, std::string_view& binary) {
  const auto datatype = member<std::string_view>(input, "datatype", what);
  if (!datatype) refuse(concat(what, " has no 'datatype'"));
  const auto dtype = dtype_of(*datatype);
  if (!dtype) refuse(concat(what, ": datatype ", *datatype, " is none of BOOL, INT32, INT64, FP32, FP64"));
  std::vector<int64_t> shape = parse_shape(input, what);
  const TensorParameters parameters = parse_parameters(input, what);
  dom::element data;
  const bool has_data = input.at_key("data").get(data) == simdjson::SUCCESS && !data.is_null();
  if (has_data == parameters.binary_size.has_value()) {
    refuse(
        concat(what, has_data ? " has both 'data' and binary data" : " has neither 'data' nor binary data"));
  }
  return has_data ? tensor_from_json(what, *dtype, std::move(shape), data)
                  : take_binary(what, *dtype, std::move(shape), *parameters.binary_size, binary);
}

size_t find_spec(const std::vector<TensorSpec>& specs, std::string_view name, std::string_view kind) {
  const auto found = std::ranges::find(specs, name, &TensorSpec::name);
  if (found != specs.end()) return static_cast<size_t>(found - specs.begin());
  std::string names;
  for (const TensorSpec& spec : specs) names += concat(names.empty() ? "" : ", ", spec.name);
  refuse(concat("the model has no ", kind, " '", name, "', but ", names));
}

std::string_view name_of(dom::element tensor, std::string_view kind) {
  if (!tensor.is_object()) refuse(concat("an ", kind, " is not an object"));
  const auto name = member<std::string_view>(tensor, "name", std::string(kind));
  if (!name) refuse(concat("an ", kind, " has no 'name'"));
  return *name;
}

void parse_inputs(dom::element root, std::string_view binary, const Model& model, InferRequest& request) {
  const auto list = member<dom::array>(root, "inputs", "the request");
  if (!list) refuse("the request has no 'inputs'");
  request.inputs.resize(model.inputs().size());
  std::vector<bool> given(model.inputs().size());
  for (const dom::element input : *list) {
    const std::string_view name = name_of(input, "input");
    const size_t index = find_spec(model.inputs(), name, "input");
    const std::string what = concat("input '", name, "'");
    if (given[index]) refuse(what + " is given twice");
    given[index] = true;
    request.inputs[index] = parse_input(input, what, binary);
  }
  for (size_t i = 0; i < given.size(); ++i) {
    if (!given[i]) refuse(concat("input '", model.inputs()[i].name, "' is missing"));
  }
  if (!binary.empty()) refuse(concat(binary.size(), " bytes are left behind the last binary input"));
}

void parse_outputs(dom::element root, const Model& model, InferRequest& request) {
  bool binary = false;
  if (const auto parameters = member<dom::object>(root, "parameters", "the request")) {
    binary = member<bool>(*parameters, "binary_data_output", "the request").value_or(false);
  }
  const auto list = member<dom::array>(root, "outputs", "the request");
  if (!list || list->size() == 0) {
    for (size_t i = 0; i < model.outputs().size(); ++i) request.outputs.push_back({i, binary});
    return;
  }
  for (const dom::element output : *list) {
    const std::string_view name = name_of(output, "output");
    const size_t index = find_spec(model.outputs(), name, "output");
    if (std::ranges::find(request.outputs, index, &InferRequest::Output::index) != request.outputs.end())
      refuse(concat("output '", name, "' is asked for twice"));
    const TensorParameters parameters = parse_parameters(output, concat("output '", name, "'"));
    request.outputs.push_back({index, parameters.binary.value_or(binary)});
  }
}

void append_shape(std::string& out, std::span<const int64_t> shape) {
  out += '[';
  for (size_t i = 0; i < shape.size(); ++i) {
    if (i != 0) out += ',';
    append_json_number(out, shape[i]);
  }
  out += ']';
}

}  // namespace

const char* protocol_dtype(DType dtype) {
  switch (dtype) {
    case DType::kBool:
      return "BOOL";
    case DType::kInt32:
      return "INT32";
    case DType::kInt64:
      return "INT64";
    case DType::kFloat32:
      return "FP32";
    case DType::kFloat64:
      return "FP64";
    case DType::kFloat16:
      return "FP16";
    case DType::kBFloat16:
      return "BF16";
  }
  return "";
}

InferRequest parse_infer(dom::parser& parser, std::string_view json, std::string_view binary,
                         const Model& model) {
  const dom::element root = parse_json(parser, json);
  if (!root.is_object()) refuse("the request is not a JSON object");
  InferRequest request;
  request.id = member<std::string_view>(root, "id", "the request").value_or("");
  parse_inputs(root, binary, model, request);
  parse_outputs(root, model, request);
  check_inputs(model.inputs(), request.inputs);
  return request;
}

InferResponse format_infer(const InferRequest& request, const Model& model, const OutputRows& rows,
                           std::string_view name, int64_t version) {
  std::string out = "{\"model_name\":";
  append_json_string(out, name);
  out += ",\"model_version\":\"";
  append_json_number(out, version);
  out += '"';
  if (!request.id.empty()) {
    out += ",\"id\":";
    append_json_string(out, request.id);
  }
  out += ",\"outputs\":[";
  size_t binary_bytes = 0;
  bool any_binary = false;
  for (const InferRequest::Output& output : request.outputs) {
    const std::span<const std::byte> bytes = rows.bytes(output.index);
    const DType dtype = (*rows.outputs)[output.index].dtype;
    if (out.back() != '[') out += ',';
    out += "{\"name\":";
    append_json_string(out, model.outputs()[output.index].name);
    out.append(",\"datatype\":\"").append(protocol_dtype(dtype)).append("\",\"shape\":");
    append_shape(out, rows.shape(output.index));
    if (output.binary) {
      out += ",\"parameters\":{\"binary_data_size\":";
      append_json_number(out, static_cast<int64_t>(bytes.size()));
      out += "}}";
      binary_bytes += bytes.size();
      any_binary = true;
    } else {
      out += ",\"data\":[";
      append_json_numbers(out, dtype, bytes);
      out += "]}";
    }
  }
  out += "]}";
  if (!any_binary) return {std::move(out), std::nullopt};
  const size_t json_size = out.size();
  out.reserve(json_size + binary_bytes);
  for (const InferRequest::Output& output : request.outputs) {
    if (!output.binary) continue;
    const std::span<const std::byte> bytes = rows.bytes(output.index);
    out.append(static_cast<const char*>(static_cast<const void*>(bytes.data())), bytes.size());
  }
  return {std::move(out), json_size};
}

}  // namespace sapwood::serve
