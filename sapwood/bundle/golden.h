#pragma once

#include <span>

#include "sapwood/base/cursor.h"
#include "sapwood/bundle/bundle.h"

namespace sapwood {

/// golden.json (docs/formats/bundle.md) of a bundle with these raw columns; its inputs are columns when
/// `from_columns`, else the model's own tensors. Throws FormatError.
GoldenSample parse_golden(Bytes json, const Schema& columns, bool from_columns);

/// Throws ModelError unless `outputs` are those of the sample, within its tolerances: the message has the
/// output that differs most, and by how much. NaN equals NaN.
void check_golden(const GoldenSample& golden, std::span<const Tensor> outputs);

}  // namespace sapwood
