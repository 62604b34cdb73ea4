#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sapwood/column/type.h"

namespace sapwood {

/// Element types of tensors.
enum class DType : uint8_t { kBool, kInt32, kInt64, kFloat32, kFloat64 };

size_t dtype_size(DType dtype);
/// "bool", "int32", "int64", "float32", "float64".
const char* dtype_name(DType dtype);
/// Throws ConfigError for other names.
DType parse_dtype(std::string_view name);

/// A named group of columns that becomes one tensor of a batch (two with its mask).
struct FeatureGroup {
  std::string name;
  std::vector<std::string> columns;
  /// 0: flat, [N, C], from scalars and fixed arrays (an array of k gives k channels). Else jagged columns (or
  /// fixed arrays), of equal multiplicities in each entry, padded and cut to this length: [N, C, P] or [N, P,
  /// C].
  int64_t pad = 0;
  bool channels_last =
      false;  ///< of a padded group: [N, P, C] and mask [N, P] instead of [N, C, P] and [N, 1, P]
  DType dtype = DType::kFloat32;
  double pad_value = 0;
  bool squeeze = false;  ///< of a flat group with one channel: [N] instead of [N, 1]
  bool operator==(const FeatureGroup&) const = default;
};

/// What goes into a batch. The first version of the feature specification: selection, layout, padding, mask,
/// dtype.
struct FeatureSpec {
  std::vector<FeatureGroup> groups;
  bool operator==(const FeatureSpec&) const = default;
};

/// One tensor of a batch.
struct TensorInfo {
  std::string name;  ///< the group's, or that and "_mask"
  DType dtype = DType::kFloat32;
  std::vector<int64_t> shape;         ///< of one row: without N
  std::vector<std::string> channels;  ///< what the channels hold; empty for masks
};

}  // namespace sapwood
