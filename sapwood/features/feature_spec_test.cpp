#include "sapwood/features/feature_spec.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "sapwood/base/error.h"

namespace sapwood {
namespace {

using Kind = Transform::Kind;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

FeatureSpec everything() {
  FeatureSpec spec;
  spec.groups.push_back({.name = "part",
                         .variables = {"part_px",
                                       {"log_e",
                                        "log(part_energy)",
                                        {{Kind::kReplaceNan, -1},
                                         {Kind::kClip, -5, kInfinity},
                                         {.kind = Kind::kStandard, .fitted = false}}}},
                         .pad = FeatureGroup::kFitPad,
                         .layout = Layout::kChannelsLast,
                         .pad_value = -0.1,
                         .mask = Mask::kPadding});
  spec.groups.push_back({.name = "jet",
                         .variables = {{"jet_pt",
                                        "jet_pt",
                                        {{Kind::kLog},
                                         {Kind::kAffine, 1.0 / 3, 5e-324},
                                         {Kind::kMinMax, -1.7976931348623157e308, 0.1 + 0.2},
                                         {Kind::kStandard, -0.0, 2},
                                         {Kind::kClip, -kInfinity, 7}}},
                                       {"pt", "jet_pt"}},
                         .dtype = DType::kFloat64});
  spec.groups.push_back({.name = "label",
                         .variables = {"sample_label"},
                         .dtype = DType::kInt64,
                         .squeeze = true,
                         .role = Role::kLabel});
  spec.groups.push_back({.name = "w", .variables = {"1.5 * weight"}, .role = Role::kWeight});
  spec.groups.push_back(
      {.name = "seen", .variables = {"v"}, .pad = 3, .role = Role::kObserver, .mask = Mask::kNone});
  spec.groups.push_back(
      {.name = "whole", .variables = {"v"}, .layout = Layout::kPacked, .role = Role::kObserver});
  spec.groups.push_back(
      {.name = "cut", .variables = {"v"}, .pad = 9, .layout = Layout::kPacked, .role = Role::kObserver});
  return spec;
}

std::string message_of(const std::string& json) {
  try {
    feature_spec_from_json(json);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "accepted";
}

std::string with_group(const std::string& group) {
  return R"({"format": "sapwood-features", "version": 1, "inputs": [)" + group + "]}";
}

TEST(FeatureSpec, KeepsEverythingThroughJson) {
  const FeatureSpec spec = everything();
  const FeatureSpec read = feature_spec_from_json(to_json(spec));
  EXPECT_EQ(read, spec);
  EXPECT_TRUE(std::signbit(read.groups[1].variables[0].transforms[3].a));
  EXPECT_EQ(to_json(read), to_json(spec));
  EXPECT_EQ(feature_spec_from_json(to_json({})), FeatureSpec{});
}

TEST(FeatureSpec, OrdersGroupsByRoleInJson) {
  FeatureSpec spec = everything();
  std::swap(spec.groups.front(), spec.groups[4]);
  const FeatureSpec read = feature_spec_from_json(to_json(spec));
  EXPECT_EQ(read.groups[0].name, "jet");
  EXPECT_EQ(read.groups[1].name, "part");
  EXPECT_EQ(read.groups[4].name, "seen");
}

TEST(FeatureSpec, HoldsPadValuesThatAreNotFinite) {
  FeatureSpec spec{{{.name = "v", .variables = {"v"}, .pad = 3, .pad_value = std::nan("")}}};
  EXPECT_TRUE(std::isnan(feature_spec_from_json(to_json(spec)).groups[0].pad_value));
  spec.groups[0].pad_value = -kInfinity;
  EXPECT_EQ(feature_spec_from_json(to_json(spec)), spec);
}

TEST(FeatureSpec, KnowsWhatIsStillToBeLearnt) {
  EXPECT_FALSE(everything().is_fitted());
  EXPECT_FALSE(everything().of_role(Role::kInput).is_fitted());
  EXPECT_TRUE(everything().of_role(Role::kLabel).is_fitted());
  EXPECT_EQ(everything().of_role(Role::kInput).groups.size(), 2u);
}

TEST(FeatureSpec, RefusesToWriteWhatJsonCannotHold) {
  EXPECT_THROW(to_json({{{.name = "g", .variables = {{"x", "x", {{Kind::kAffine, kInfinity, 1}}}}}}}),
               ConfigError);
  EXPECT_THROW(to_json({{{.name = "\xff", .variables = {"x"}}}}), ConfigError);
}

TEST(FeatureSpec, ErrorsNameThePlace) {
  const auto names = [](const std::string& json, const std::string& words) {
    EXPECT_NE(message_of(json).find(words), std::string::npos) << message_of(json);
  };
  names(with_group(R"({"name": "g", "variables": ["a", {"expression": "b", "transforms": ["lg"]}]})"),
        R"(inputs[0].variables[1].transforms[0]: unknown value "lg" (nearest: log)");
  names(with_group(R"({"name": "g", "variables": [], "padd": 3})"),
        R"(inputs[0]: unknown key "padd" (nearest: pad)");
  names(with_group(R"({"name": "g", "variables": [], "pad": "all"})"), "inputs[0].pad: unknown value");
  names(with_group(R"({"name": "g", "variables": [], "pad": 1.5})"), "inputs[0].pad: must be a whole number");
  names(with_group(R"({"name": "g", "variables": [], "pad": 1e18})"),
        "inputs[0].pad: must be a whole number");
  names(with_group(R"({"name": "g", "variables": "x"})"), "inputs[0].variables: must be a list");
  names(with_group(R"({"name": "g"})"), "inputs[0]: has no 'variables'");
  names(with_group(R"({"name": 3, "variables": []})"), "inputs[0].name: must be text, is 3");
  names(with_group(R"({"name": "g", "variables": [], "dtype": "float"})"),
        "inputs[0].dtype: unknown dtype 'float': one of bool");
  names(with_group(R"({"name": "g", "variables": [{"expression": "x", "transforms": [{"clip": {"min": 2,
                   "max": 1}}]}]})"),
        "inputs[0].variables[0].transforms[0].clip: min is above max");
  names(
      with_group(
          R"({"name": "g", "variables": [{"expression": "x", "transforms": [{"standard": {"mean": 1}}]}]})"),
      "transforms[0].standard: has no 'standard_deviation'");
  names(R"({"format": "sapwood-features", "version": 3, "news": []})", "newer");
  names(R"({"format": "other", "version": 1})", "not a feature specification");
  names(R"({"format": "sapwood-features"})", "has no 'version'");
  names(R"({"format": "sapwood-features", "version": 1, "version": 1})", "twice");
}

TEST(FeatureSpec, RefusesHostileJson) {
  const std::string nested = with_group(std::string(100000, '[') + std::string(100000, ']'));
  EXPECT_NE(message_of(nested).find("deeply"), std::string::npos);
  for (const char* text : {"", "[", "null", "3", "\xff\xfe", "{\"format\": NaN}", "[1e999]", "{\"a\": 1,}"}) {
    EXPECT_THROW(feature_spec_from_json(text), ConfigError) << text;
  }
  EXPECT_EQ(message_of("{\n\n?").find('\n'), std::string::npos);
}

TEST(FeatureSpecJson, KeepsAllTypes) {
  FeatureSpec spec;
  for (const DType dtype : {DType::kBool, DType::kInt32, DType::kInt64, DType::kFloat16, DType::kBFloat16,
                            DType::kFloat32, DType::kFloat64}) {
    spec.groups.push_back({.name = dtype_name(dtype), .variables = {"x"}, .dtype = dtype});
    EXPECT_EQ(parse_dtype(dtype_name(dtype)), dtype);
  }
  EXPECT_EQ(feature_spec_from_json(to_json(spec)), spec);
}

TEST(FeatureSpecJson, KeepsSlots) {
  FeatureSpec spec{{{.name = "x", .variables = {"a", "b", "c"}}}};
  spec.groups[0].variables[1].slots = 7;
  spec.groups[0].variables[2].slots = Variable::kFitSlots;
  EXPECT_EQ(feature_spec_from_json(to_json(spec)), spec);
  EXPECT_FALSE(spec.is_fitted());
  spec.groups[0].variables[2].slots = 1;
  EXPECT_TRUE(spec.is_fitted());
}

}  // namespace
}  // namespace sapwood
