#pragma once

#include <map>
#include <string>
#include <vector>

#include "sapwood/base/cursor.h"
#include "sapwood/bundle/bundle.h"
#include "sapwood/column/schema.h"
#include "sapwood/runtime/model.h"

namespace sapwood {

/// bundle.json (docs/formats/bundle.md).
struct Manifest {
  std::string name{};
  std::string description{};
  std::string framework{};
  std::string created{};
  std::string sapwood{};
  std::vector<std::string> labels{};
  std::vector<TensorSpec> inputs{};
  std::vector<TensorSpec> outputs{};
  Schema columns{};
  std::map<std::string, Bundle::Member> files{};
};

/// Throws FormatError that names the place; UnsupportedError for a newer version.
Manifest parse_manifest(Bytes json);

}  // namespace sapwood
