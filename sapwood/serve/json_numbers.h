#pragma once

#include <simdjson.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sapwood/runtime/model.h"

namespace sapwood::serve {

/// Parses `json`, behind which HttpRequest::kPadding bytes may be read. The result lives until the parser's
/// next use. Throws StatusError 400 with what is wrong.
simdjson::dom::element parse_json(simdjson::dom::parser& parser, std::string_view json);

/// A tensor from nested or flat lists of numbers in C order. `null` is NaN. Throws StatusError 400 that
/// starts with `what`: not numbers, numbers that do not fit the type, or another number of them than the
/// shape's.
Tensor tensor_from_json(const std::string& what, DType dtype, std::vector<int64_t> shape,
                        simdjson::dom::element data);

/// The product of the dimensions. Throws StatusError 400 that starts with `what` when one is negative or the
/// product exceeds `limit`.
int64_t checked_elements(const std::string& what, std::span<const int64_t> shape, int64_t limit);

}  // namespace sapwood::serve
