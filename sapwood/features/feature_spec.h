#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sapwood/column/dtype.h"
#include "sapwood/column/schema.h"

namespace sapwood {

/// One step from a variable's value to the tensor's element, computed in float64.
struct Transform {
  enum class Kind : uint8_t {
    kReplaceNan,  ///< a where x is NaN
    kLog,         ///< natural logarithm, SLEEF's
    kAffine,      ///< (x - a) * b
    kClip,        ///< x, or the nearest of a and b
    kStandard,    ///< (x - a) / b; a: mean, b: standard deviation, both fitted; x - a where b is 0
    kMinMax,      ///< (x - a) / (b - a); a: minimum, b: maximum, both fitted; x where they are equal
  };
  Kind kind = Kind::kAffine;
  double a = 0;
  double b = 0;
  bool fitted = true;  ///< false: a and b of kStandard or kMinMax are still to be learnt from data
  bool operator==(const Transform&) const = default;
};

/// One channel of a tensor, several when the expression is a fixed array of a flat group.
struct Variable {
  std::string name;        ///< of the channel
  std::string expression;  ///< a column, or a formula (docs/expressions.md)
  std::vector<Transform> transforms;
  /// Of a flat group: 0, or as many channels `name_0`, `name_1`, ... of a list in each entry, which is cut to
  /// that length or filled up with the group's pad value. kFitSlots: the largest multiplicity, still to be
  /// learnt from data.
  int64_t slots = 0;
  static constexpr int64_t kFitSlots = -1;
  Variable(std::string expression) : name(expression), expression(std::move(expression)) {}
  Variable(const char* expression) : Variable(std::string(expression)) {}
  Variable(std::string name, std::string expression, std::vector<Transform> transforms = {})
      : name(std::move(name)), expression(std::move(expression)), transforms(std::move(transforms)) {}
  /// Whether nothing is left to be learnt from data.
  bool is_fitted() const;
  bool operator==(const Variable&) const = default;
};

/// What a group is for. A model is served with its inputs alone.
enum class Role : uint8_t { kInput, kLabel, kWeight, kObserver };

/// How the values of a jagged group lie in its tensors; C: channels.
enum class Layout : uint8_t {
  kChannelsFirst,  ///< padded: [N, C, P] and mask [N, 1, P]
  kChannelsLast,   ///< padded: [N, P, C] and mask [N, P]
  /// [T, C]: the values of all rows of the batch, row after row; "_cu_seqlens", int32 [N + 1]: where each
  /// row's begin, and the last one's end; "_max_seqlen", int32 []: the largest multiplicity of the batch.
  kPacked,
};

/// What the mask of a padded group holds.
enum class Mask : uint8_t {
  kValues,   ///< 1 at values
  kPadding,  ///< 1 at padding
  kNone,     ///< there is no mask
};

/// A named group of variables that becomes one tensor of a batch, or two with its mask, which padded groups
/// and flat groups with slots have, or the three of a packed group.
struct FeatureGroup {
  static constexpr int64_t kFitPad = -1;
  static constexpr int64_t kLargestPad = INT32_MAX;

  std::string name;
  std::vector<Variable> variables;
  /// 0: flat, [N, C], from scalars and fixed arrays (an array of k gives k channels). Else jagged variables
  /// (or fixed arrays), of equal multiplicities in each entry, padded and cut to this length. kFitPad: the
  /// largest multiplicity, still to be learnt from data. Packed groups are cut to it, or not at all when it
  /// is 0.
  int64_t pad = 0;
  Layout layout = Layout::kChannelsFirst;  ///< of a padded group; kPacked makes a group jagged without a pad
  DType dtype = DType::kFloat32;
  double pad_value = 0;  ///< of a padded group, and of a flat one with slots
  bool squeeze = false;  ///< of a flat group with one channel: [N] instead of [N, 1]
  Role role = Role::kInput;
  Mask mask = Mask::kValues;  ///< of a padded group, or [N, C] of a flat one with slots

  bool is_packed() const { return layout == Layout::kPacked; }
  bool is_jagged() const { return pad != 0 || is_packed(); }
  /// Whether nothing is left to be learnt from data.
  bool is_fitted() const;
  bool operator==(const FeatureGroup&) const = default;
};

/// What goes into a batch: variables, transforms, padding, layout. Plain data; the same in the loader and in
/// the server.
struct FeatureSpec {
  std::vector<FeatureGroup> groups;
  /// Of columns that the data has not, for the variables to use; each may use those before it.
  std::vector<Definition> definitions{};

  /// Whether nothing is left to be learnt from data.
  bool is_fitted() const;
  /// The groups of one role, in order.
  FeatureSpec of_role(Role role) const;
  bool operator==(const FeatureSpec&) const = default;
};

/// The specification as JSON (docs/formats/feature-spec.md); doubles keep all their bits. Groups
/// come ordered by role. Throws ConfigError for what it can't hold: text that is not UTF-8, infinite numbers
/// in transforms.
std::string to_json(const FeatureSpec& spec);
/// Throws ConfigError that names the place, such as `inputs[0].variables[2]`: not JSON, an unknown key, value
/// or version.
FeatureSpec feature_spec_from_json(const std::string& json);

/// What a tensor's first dimension counts.
enum class Axis : uint8_t {
  kRows,     ///< N, the batch's rows
  kValues,   ///< T, the values of a packed group in all of them
  kOffsets,  ///< N + 1
  kNone,     ///< there is none: one number for the batch
};

/// One tensor of a batch.
struct TensorInfo {
  std::string name;  ///< the group's, or that and "_mask", "_cu_seqlens" or "_max_seqlen"
  DType dtype = DType::kFloat32;
  std::vector<int64_t> shape;         ///< without what `axis` counts: of one row
  std::vector<std::string> channels;  ///< what the channels hold; empty for masks and offsets
  Role role = Role::kInput;           ///< of the group
  Axis axis = Axis::kRows;
};

/// The whole shape of a tensor of `rows` rows that has `bytes`.
std::vector<int64_t> tensor_shape(const TensorInfo& info, int64_t rows, size_t bytes);

}  // namespace sapwood
