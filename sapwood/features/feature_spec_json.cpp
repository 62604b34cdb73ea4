#include <cmath>
#include <limits>

#include "sapwood/features/feature_spec.h"
#include "sapwood/features/json_reader.h"

namespace sapwood {
namespace {

using Json = JsonReader::Json;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr const char* kFormat = "sapwood-features";
constexpr int64_t kVersion = 2;  // the first was without definitions

struct RoleList {
  Role role;
  const char* key;
};
constexpr RoleList kRoleLists[] = {{Role::kInput, "inputs"},
                                   {Role::kLabel, "labels"},
                                   {Role::kWeight, "weights"},
                                   {Role::kObserver, "observers"}};

// Writing

Json finite(double value, const Variable& variable) {
  if (!std::isfinite(value)) {
    throw ConfigError(concat("variable '", variable.name, "': a transform has the number ", value,
                             ", which JSON can't hold"));
  }
  return value;
}

Json transform_json(const Transform& transform, const Variable& variable) {
  const auto number = [&](double value) { return finite(value, variable); };
  switch (transform.kind) {
    case Transform::Kind::kReplaceNan:
      return {{"replace_nan", number(transform.a)}};
    case Transform::Kind::kLog:
      return "log";
    case Transform::Kind::kAffine:
      return {{"affine", {{"subtract", number(transform.a)}, {"multiply", number(transform.b)}}}};
    case Transform::Kind::kClip: {
      Json bounds = Json::object();
      if (transform.a != -kInfinity) bounds["min"] = number(transform.a);
      if (transform.b != kInfinity) bounds["max"] = number(transform.b);
      return {{"clip", bounds}};
    }
    case Transform::Kind::kStandard:
      if (!transform.fitted) return "standard";
      return {{"standard", {{"mean", number(transform.a)}, {"standard_deviation", number(transform.b)}}}};
    case Transform::Kind::kMinMax:
      if (!transform.fitted) return "min_max";
      return {{"min_max", {{"min", number(transform.a)}, {"max", number(transform.b)}}}};
  }
  return {};
}

// A pad or slots, either of which may be left to be learnt.
static_assert(FeatureGroup::kFitPad == Variable::kFitSlots);
Json length_json(int64_t length) { return length == FeatureGroup::kFitPad ? Json("fit") : Json(length); }

Json variable_json(const Variable& variable) {
  if (variable.name == variable.expression && variable.transforms.empty() && variable.slots == 0)
    return variable.expression;
  Json json = Json::object();
  if (variable.name != variable.expression) json["name"] = variable.name;
  json["expression"] = variable.expression;
  if (variable.slots != 0) json["slots"] = length_json(variable.slots);
  if (variable.transforms.empty()) return json;
  json["transforms"] = Json::array();
  for (const Transform& transform : variable.transforms)
    json["transforms"].push_back(transform_json(transform, variable));
  return json;
}

const char* mask_name(Mask mask) {
  return mask == Mask::kValues ? "values" : mask == Mask::kPadding ? "padding" : "none";
}

const char* layout_name(Layout layout) {
  switch (layout) {
    case Layout::kChannelsFirst:
      return "channels_first";
    case Layout::kChannelsLast:
      return "channels_last";
    case Layout::kPacked:
      return "packed";
  }
  return "?";
}

Json pad_value_json(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

Json group_json(const FeatureGroup& group) {
  const FeatureGroup defaults{};
  Json json = Json::object();
  json["name"] = group.name;
  json["variables"] = Json::array();
  for (const Variable& variable : group.variables) json["variables"].push_back(variable_json(variable));
  const bool padded = group.is_jagged() && !group.is_packed();
  if (group.pad != 0) json["pad"] = length_json(group.pad);
  if (padded || group.layout != defaults.layout) json["layout"] = layout_name(group.layout);
  if (padded || group.mask != defaults.mask) json["mask"] = mask_name(group.mask);
  if (padded || group.pad_value != 0) json["pad_value"] = pad_value_json(group.pad_value);
  json["dtype"] = dtype_name(group.dtype);
  if (group.squeeze) json["squeeze"] = true;
  return json;
}

// Reading

Transform named_transform(const JsonReader& json) {
  return json.one_of<Transform>({{"log", {.kind = Transform::Kind::kLog}},
                                 {"standard", {.kind = Transform::Kind::kStandard, .fitted = false}},
                                 {"min_max", {.kind = Transform::Kind::kMinMax, .fitted = false}}});
}

double number_or(const JsonReader& json, const char* key, double otherwise) {
  return json.has(key) ? json.at(key).number() : otherwise;
}

double bound(const JsonReader& json, const char* key, double otherwise) {
  return json.has(key) && json.at(key).value().is_null() ? otherwise : number_or(json, key, otherwise);
}

Transform read_transform(const JsonReader& json) {
  if (json.value().is_string()) return named_transform(json);
  json.expect_keys({"affine", "clip", "standard", "min_max", "replace_nan"});
  if (json.value().size() != 1) json.fail("must have one key, the name of the transform");
  const std::string name = json.value().begin().key();
  const JsonReader options = json.at(name.c_str());
  if (name == "replace_nan") return {Transform::Kind::kReplaceNan, options.number()};
  if (name == "affine") {
    options.expect_keys({"subtract", "multiply"});
    return {Transform::Kind::kAffine, number_or(options, "subtract", 0), number_or(options, "multiply", 1)};
  }
  if (name == "standard") {
    options.expect_keys({"mean", "standard_deviation"});
    return {Transform::Kind::kStandard, options.at("mean").number(),
            options.at("standard_deviation").number()};
  }
  options.expect_keys({"min", "max"});
  if (name == "min_max")
    return {Transform::Kind::kMinMax, options.at("min").number(), options.at("max").number()};
  const Transform clip{Transform::Kind::kClip, bound(options, "min", -kInfinity),
                       bound(options, "max", kInfinity)};
  if (clip.a > clip.b) options.fail("min is above max");
  return clip;
}

int64_t read_length(const JsonReader& json) {
  return json.value().is_string() ? json.one_of<int64_t>({{"fit", FeatureGroup::kFitPad}})
                                  : json.integer(0, FeatureGroup::kLargestPad);
}

Variable read_variable(const JsonReader& json) {
  if (json.value().is_string()) return json.text();
  json.expect_keys({"name", "expression", "transforms", "slots"});
  Variable variable(json.at("expression").text());
  if (json.has("name")) variable.name = json.at("name").line();
  if (json.has("slots")) variable.slots = read_length(json.at("slots"));
  if (json.has("transforms")) {
    for (const JsonReader& transform : json.at("transforms").items())
      variable.transforms.push_back(read_transform(transform));
  }
  return variable;
}

double read_pad_value(const JsonReader& json) {
  if (!json.value().is_string()) return json.number();
  return json.one_of<double>({{"nan", std::nan("")}, {"inf", kInfinity}, {"-inf", -kInfinity}});
}

DType read_dtype(const JsonReader& json) {
  const std::string name = json.line();
  try {
    return parse_dtype(name);
  } catch (const ConfigError& error) {
    json.fail(error.message());
  }
}

FeatureGroup read_group(const JsonReader& json, Role role) {
  json.expect_keys({"name", "variables", "pad", "layout", "mask", "pad_value", "dtype", "squeeze"});
  FeatureGroup group;
  group.role = role;
  group.name = json.at("name").line();
  for (const JsonReader& variable : json.at("variables").items())
    group.variables.push_back(read_variable(variable));
  if (json.has("pad")) group.pad = read_length(json.at("pad"));
  if (json.has("layout"))
    group.layout = json.at("layout").one_of<Layout>({{"channels_first", Layout::kChannelsFirst},
                                                     {"channels_last", Layout::kChannelsLast},
                                                     {"packed", Layout::kPacked}});
  if (json.has("mask"))
    group.mask = json.at("mask").one_of<Mask>(
        {{"values", Mask::kValues}, {"padding", Mask::kPadding}, {"none", Mask::kNone}});
  if (json.has("pad_value")) group.pad_value = read_pad_value(json.at("pad_value"));
  if (json.has("dtype")) group.dtype = read_dtype(json.at("dtype"));
  if (json.has("squeeze")) group.squeeze = json.at("squeeze").boolean();
  return group;
}

}  // namespace

std::string to_json(const FeatureSpec& spec) {
  Json json = Json::object();
  json["format"] = kFormat;
  json["version"] = spec.definitions.empty() ? 1 : kVersion;
  for (const auto& [name, formula] : spec.definitions)
    json["definitions"].push_back({{"name", name}, {"formula", formula}});
  for (const auto& [role, key] : kRoleLists) {
    for (const FeatureGroup& group : spec.of_role(role).groups) json[key].push_back(group_json(group));
  }
  try {
    return json.dump(2);
  } catch (const Json::exception&) {
    throw ConfigError("a name or an expression of the features is not UTF-8");
  }
}

FeatureSpec feature_spec_from_json(const std::string& text) {
  const Json parsed = JsonReader::parse(text);
  const JsonReader json(parsed);
  if (!json.has("format") || parsed["format"] != kFormat)
    json.fail(concat("not a feature specification: 'format' must be '", kFormat, "'"));
  const int64_t version = json.at("version").integer(1, INT32_MAX);
  if (version > kVersion) {
    json.fail(concat("version ", version, " of feature specifications is newer than this sapwood reads (",
                     kVersion, ')'));
  }
  json.expect_keys({"format", "version", "definitions", "inputs", "labels", "weights", "observers"});
  FeatureSpec spec;
  if (json.has("definitions")) {
    for (const JsonReader& definition : json.at("definitions").items()) {
      definition.expect_keys({"name", "formula"});
      spec.definitions.push_back({definition.at("name").line(), definition.at("formula").text()});
    }
  }
  for (const auto& [role, key] : kRoleLists) {
    if (!json.has(key)) continue;
    for (const JsonReader& group : json.at(key).items()) spec.groups.push_back(read_group(group, role));
  }
  return spec;
}

}  // namespace sapwood
