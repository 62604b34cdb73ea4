#pragma once

#include <string>
#include <vector>

#include "sapwood/dataset/fit.h"

namespace sapwood {

/// What is scanned: the values of an expression after some transforms.
struct ScanItem {
  std::string expression;
  std::vector<Transform> transforms{};
  bool operator==(const ScanItem&) const = default;
};

/// As the public `scan`, of transformed values.
std::vector<Statistics> scan(const Dataset& dataset, const std::vector<ScanItem>& items,
                             const ScanOptions& options);

}  // namespace sapwood
