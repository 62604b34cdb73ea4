#pragma once

#include <simdjson.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sapwood/serve/servable.h"

/// TFaaS's messages: a row of named numbers and the probabilities for it. Nothing of HTTP.
namespace sapwood::serve {

/// Names and texts are those of the message.
struct TfaasRow {
  std::vector<std::string_view> keys;
  std::vector<double> values;
  std::string_view model;  ///< may be empty
};

/// {"keys": [...], "values": [...], "model": "m"}, behind which HttpRequest::kPadding bytes may be read. The
/// row lives as long as the parser is not used again. Throws StatusError 400.
TfaasRow parse_tfaas_json(simdjson::dom::parser& parser, std::string_view json);
/// The message `Row` (tfaas.proto). Throws StatusError 400.
TfaasRow parse_tfaas_proto(std::string_view message);

/// The model's inputs for one row. Keys are matched with the raw columns' names where the model has features,
/// or with its inputs' where each is one number; without keys, and for other models, values are taken in
/// order. Throws StatusError 400 that names the key.
std::vector<Tensor> tensors_of_row(const Servable& servable, const TfaasRow& row);

/// The probabilities: the first output of floating numbers, flat.
std::vector<float> predictions(const OutputRows& rows);

/// The message `Predictions`; classes without a label are named by their number.
std::string format_tfaas_proto(std::span<const float> predictions, std::span<const std::string> labels);

}  // namespace sapwood::serve
