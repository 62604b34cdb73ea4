#pragma once

#include <string>

#include "sapwood/runtime/model.h"
#include "sapwood/serve/servable.h"

namespace sapwood::serve {

/// Opens the bundle in a file, loads its model, and compares the golden sample's answers. Throws what Bundle
/// and Predictor throw.
Servable open_bundle(const std::string& path, const RuntimeOptions& options);

}  // namespace sapwood::serve
