#include "sapwood/bundle/bundle.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "sapwood/base/error.h"
#include "sapwood/bundle/archive.h"
#include "sapwood/bundle/golden.h"
#include "sapwood/bundle/manifest.h"
#include "sapwood/bundle/sha256.h"

namespace sapwood {
namespace {

constexpr const char* kManifest = "bundle.json";
constexpr const char* kModel = "model.onnx";
constexpr const char* kFeatures = "features.json";
constexpr const char* kGolden = "golden.json";
constexpr const char* kCard = "card.md";
constexpr uint64_t kMaxBytes = uint64_t{2} << 30;
constexpr uint64_t kMaxOtherBytes = uint64_t{64} << 20;

using Members = std::map<std::string, std::vector<std::byte>>;

void check_members(const Members& members, const Manifest& manifest) {
  for (const auto& [name, file] : manifest.files) {
    const auto member = members.find(name);
    if (name == kManifest || member == members.end())
      throw FormatError(concat("the manifest has a file '", name, "', the archive has not"));
    if (member->second.size() != file.size || sha256(member->second) != file.sha256)
      throw FormatError("its bytes are not those that the manifest has the SHA-256 of", {.object = name});
  }
  for (const auto& [name, bytes] : members) {
    if (name != kManifest && !manifest.files.contains(name))
      throw FormatError(concat("the archive has a member '", name, "' that the manifest does not name"));
  }
}

std::string text_of(Bytes bytes) {
  std::string text(bytes.size(), '\0');
  if (!bytes.empty()) std::memcpy(text.data(), bytes.data(), bytes.size());
  return text;
}

FeatureSpec parse_features(Bytes json) {
  try {
    FeatureSpec spec = feature_spec_from_json(text_of(json));
    if (!spec.is_fitted()) throw FormatError("something is left to be learnt from data");
    const auto is_input = [](const FeatureGroup& group) { return group.role == Role::kInput; };
    if (!std::ranges::all_of(spec.groups, is_input))
      throw FormatError("a bundle has features of inputs alone");
    return spec;
  } catch (const ConfigError& error) {
    throw FormatError(error.message());
  }
}

std::vector<std::byte> read_file(const std::string& path) {
  std::error_code error;
  const uint64_t size = std::filesystem::file_size(path, error);
  if (error) throw IoError(concat("can't be read: ", error.message()), {.file = path});
  if (size > kMaxBytes) throw FormatError("larger than the 2 GiB that a bundle may have", {.file = path});
  std::vector<std::byte> bytes(size);
  std::ifstream in(path, std::ios::binary);
  void* data = bytes.data();
  if (!in.read(static_cast<char*>(data), static_cast<std::streamsize>(size)))
    throw IoError("can't be read", {.file = path});
  return bytes;
}

}  // namespace

struct Bundle::Content {
  Manifest manifest;
  std::vector<std::byte> onnx;
  std::optional<FeatureSpec> features;
  std::optional<GoldenSample> golden;
  std::string card;

  explicit Content(Bytes archive) {
    Members members =
        read_archive(archive, {.total_bytes = kMaxBytes, .member_bytes = [](const std::string& name) {
                                 return name == kModel ? kMaxBytes : kMaxOtherBytes;
                               }});
    const auto with = [&](const char* name, auto&& action) {
      const auto member = members.find(name);
      if (member != members.end()) with_context({.object = name}, [&] { action(member->second); });
      return member != members.end();
    };
    if (!with(kManifest, [&](const auto& bytes) { manifest = parse_manifest(bytes); }))
      throw FormatError(concat("not a bundle: the archive has no ", kManifest));
    check_members(members, manifest);
    with(kFeatures, [&](const auto& bytes) { features = parse_features(bytes); });
    with(kGolden,
         [&](const auto& bytes) { golden = parse_golden(bytes, manifest.columns, features.has_value()); });
    with(kCard, [&](const auto& bytes) { card = text_of(bytes); });
    if (!with(kModel, [&](auto& bytes) { onnx = std::move(bytes); }))
      throw FormatError(concat("the archive has no ", kModel));
  }
};

Bundle Bundle::from_bytes(std::span<const std::byte> archive, const std::string& origin) {
  return with_context({.file = origin}, [&] {
    Bundle bundle;
    bundle.content_ = std::make_shared<const Content>(archive);
    return bundle;
  });
}

Bundle Bundle::open(const std::string& path) { return from_bytes(read_file(path), path); }

const std::string& Bundle::name() const { return content_->manifest.name; }
const std::string& Bundle::description() const { return content_->manifest.description; }
const std::string& Bundle::framework() const { return content_->manifest.framework; }
const std::string& Bundle::created() const { return content_->manifest.created; }
const std::string& Bundle::sapwood_version() const { return content_->manifest.sapwood; }
const std::vector<TensorSpec>& Bundle::inputs() const { return content_->manifest.inputs; }
const std::vector<TensorSpec>& Bundle::outputs() const { return content_->manifest.outputs; }
const std::vector<std::string>& Bundle::labels() const { return content_->manifest.labels; }
const std::optional<FeatureSpec>& Bundle::features() const { return content_->features; }
const Schema& Bundle::columns() const { return content_->manifest.columns; }
const std::optional<GoldenSample>& Bundle::golden() const { return content_->golden; }
std::span<const std::byte> Bundle::onnx() const { return content_->onnx; }
const std::string& Bundle::card() const { return content_->card; }
const std::map<std::string, Bundle::Member>& Bundle::members() const { return content_->manifest.files; }

}  // namespace sapwood
