#pragma once

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sapwood/runtime/model.h"
#include "sapwood/serve/batch.h"

/// The Open Inference Protocol's messages, version 2, with the extension for binary tensors. Nothing of HTTP.
namespace sapwood::serve {

struct InferRequest {
  struct Output {
    size_t index = 0;  ///< among the model's
    bool binary = false;
  };
  std::string id;
  std::vector<Tensor> inputs;  ///< in the order of the model's
  std::vector<Output> outputs;
};

/// Such as "FP32".
const char* protocol_dtype(DType dtype);

/// `json` is the request's JSON, behind which HttpRequest::kPadding bytes may be read; `binary` the tensors
/// that follow it. Throws StatusError 400 and ModelError, which name the field.
InferRequest parse_infer(simdjson::dom::parser& parser, std::string_view json, std::string_view binary,
                         const Model& model);

struct InferResponse {
  std::string body;
  std::optional<size_t> json_size;  ///< of the JSON in front, where tensors follow it
};
InferResponse format_infer(const InferRequest& request, const Model& model, const OutputRows& rows,
                           std::string_view name, int64_t version);

}  // namespace sapwood::serve
