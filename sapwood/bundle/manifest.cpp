#include "sapwood/bundle/manifest.h"

#include <algorithm>
#include <set>

#include "sapwood/base/error.h"
#include "sapwood/bundle/json_value.h"
#include "sapwood/column/parse_type.h"

namespace sapwood {
namespace {

constexpr const char* kFormat = "sapwood-bundle";
constexpr int64_t kVersion = 1;

// As of names and types that the file itself gives: a wrong one is the file's fault.
template <class Action>
auto parsed(const JsonValue& value, Action&& action) {
  try {
    return action();
  } catch (const ConfigError& error) {
    value.fail(error.message());
  }
}

void check_version(const JsonValue& root) {
  const std::optional<JsonValue> format = root.find("format");
  if (!format || format->text() != kFormat) root.fail(concat("its \"format\" is not \"", kFormat, "\""));
  const int64_t version = root.at("version").integer(1);
  if (version > kVersion) {
    throw UnsupportedError(concat("the bundle has version ", version, "; this sapwood reads version ",
                                  kVersion, ", a newer one may read it"));
  }
}

std::vector<TensorSpec> tensors(const JsonValue& list) {
  std::vector<TensorSpec> specs;
  for (const JsonValue& item : list.items()) {
    TensorSpec spec{.name = item.at("name").text(), .shape = {}};
    spec.dtype = parsed(item, [&] { return parse_dtype(item.at("dtype").text()); });
    for (const JsonValue& size : item.at("shape").items()) spec.shape.push_back(size.integer(-1));
    specs.push_back(std::move(spec));
  }
  return specs;
}

Schema columns(const JsonValue& list) {
  std::vector<ColumnInfo> infos;
  std::set<std::string> names;
  for (const JsonValue& item : list.items()) {
    ColumnInfo info;
    info.name = item.at("name").text();
    if (!names.insert(info.name).second) item.fail(concat("column '", info.name, "' is there twice"));
    info.stored_type = item.at("type").text();
    info.type = parsed(item, [&] { return parse_type(info.stored_type); });
    infos.push_back(std::move(info));
  }
  return Schema(std::move(infos));
}

bool is_sha256(const std::string& text) {
  return text.size() == 64 &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::map<std::string, Bundle::Member> files(const JsonValue& object) {
  std::map<std::string, Bundle::Member> files;
  for (const auto& [name, file] : object.members()) {
    Bundle::Member member{static_cast<uint64_t>(file.at("size").integer(0)), file.at("sha256").text()};
    if (!is_sha256(member.sha256)) file.fail("its \"sha256\" has not 64 hexadecimal digits in lower case");
    files.emplace(name, std::move(member));
  }
  return files;
}

}  // namespace

Manifest parse_manifest(Bytes json) {
  const JsonDocument document(json);
  const JsonValue root = document.root();
  check_version(root);
  Manifest manifest;
  const auto text = [&](const char* key) {
    const std::optional<JsonValue> value = root.find(key);
    return value ? value->text() : "";
  };
  manifest.name = root.at("name").text();
  manifest.description = text("description");
  manifest.framework = text("framework");
  manifest.created = text("created");
  manifest.sapwood = text("sapwood");
  if (const std::optional<JsonValue> labels = root.find("labels")) {
    for (const JsonValue& label : labels->items()) manifest.labels.push_back(label.text());
  }
  manifest.inputs = tensors(root.at("inputs"));
  manifest.outputs = tensors(root.at("outputs"));
  if (const std::optional<JsonValue> list = root.find("columns")) manifest.columns = columns(*list);
  manifest.files = files(root.at("files"));
  return manifest;
}

}  // namespace sapwood
