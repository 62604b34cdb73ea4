#include "sapwood/bundle/bundle.h"

#include <gtest/gtest.h>

#include <random>

#include "sapwood/base/error.h"
#include "sapwood/bundle/test_bundles.h"

namespace sapwood {
namespace {

Bundle read(const TestBundle& bundle) { return Bundle::from_bytes(bundle.archive(), "test.tar"); }

template <class Thrown = FormatError>
std::string refusal(const TestBytes& archive) {
  try {
    Bundle::from_bytes(archive);
  } catch (const Thrown& error) {
    return error.message();
  }
  return "no error";
}

template <class Thrown = FormatError>
std::string refusal(const TestBundle& bundle) {
  return refusal<Thrown>(bundle.archive());
}

std::string refusal_with(const std::string& key, const std::string& value) {
  TestBundle bundle;
  bundle.manifest[key] = value;
  return refusal(bundle);
}

std::string refusal_with_file(const std::string& name, const std::string& text) {
  TestBundle bundle;
  bundle.files[name] = bytes_of(text);
  return refusal(bundle);
}

TEST(Bundle, GivesWhatIsInIt) {
  const Bundle bundle = read({});
  EXPECT_EQ(bundle.name(), "affine");
  EXPECT_EQ(bundle.description(), "a test");
  EXPECT_EQ(bundle.framework(), "none 1.0");
  EXPECT_EQ(bundle.created(), "2026-01-02T03:04:05Z");
  EXPECT_EQ(bundle.sapwood_version(), "0.1.0");
  EXPECT_EQ(bundle.labels(), (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(bundle.inputs()[0], (TensorSpec{"x", DType::kFloat32, {-1, 3}}));
  EXPECT_EQ(bundle.outputs()[1], (TensorSpec{"sum", DType::kFloat32, {-1}}));
  EXPECT_EQ(bundle.columns().size(), 3u);
  EXPECT_EQ(bundle.columns()[1].type.to_string(), "float32[2]");
  EXPECT_EQ(bundle.features()->groups.size(), 2u);
  EXPECT_EQ(bundle.golden()->columns[2].length, 2);
  EXPECT_EQ(bundle.golden()->outputs[0].shape, (std::vector<int64_t>{2, 2}));
  EXPECT_EQ(bundle.card(), "# affine\n");
  EXPECT_EQ(bundle.onnx().size(), load_test_file("affine.onnx").size());
  EXPECT_EQ(bundle.members().size(), 4u);
}

TEST(Bundle, NeedsNoMoreThanAModel) {
  TestBundle bundle;
  for (const char* name : {"features.json", "golden.json", "card.md"}) bundle.files.erase(name);
  for (const char* key : {"description", "framework", "created", "sapwood", "labels", "columns"})
    bundle.manifest.erase(key);
  const Bundle read_back = read(bundle);
  EXPECT_FALSE(read_back.features());
  EXPECT_FALSE(read_back.golden());
  EXPECT_TRUE(read_back.card().empty());
}

TEST(Bundle, RefusesMembersOtherThanTheManifestSays) {
  const TestBundle bundle;
  auto members = bundle.members();
  members[1].content.push_back(std::byte{0});
  EXPECT_EQ(refusal(tar(members)), "its bytes are not those that the manifest has the SHA-256 of");
  members = bundle.members();
  members[1].content[0] ^= std::byte{1};
  EXPECT_EQ(refusal(tar(members)), "its bytes are not those that the manifest has the SHA-256 of");
  members = bundle.members();
  members.pop_back();
  EXPECT_EQ(refusal(tar(members)), "the manifest has a file 'model.onnx', the archive has not");
  members.push_back({"script.sh", bytes_of("")});
  members.push_back({"model.onnx", bundle.files.at("model.onnx")});
  EXPECT_EQ(refusal(tar(members)), "the archive has a member 'script.sh' that the manifest does not name");
  members.erase(members.begin());
  EXPECT_EQ(refusal(tar(members)), "not a bundle: the archive has no bundle.json");
  TestBundle no_model;
  no_model.files.erase("model.onnx");
  EXPECT_EQ(refusal(no_model), "the archive has no model.onnx");
}

TEST(Bundle, RefusesWrongManifests) {
  EXPECT_EQ(refusal_with("format", "\"zip\""), "its \"format\" is not \"sapwood-bundle\"");
  EXPECT_EQ(refusal_with("name", "1"), "name: a string is wanted");
  EXPECT_EQ(refusal_with("inputs", "[{\"name\": \"x\"}]"), "inputs[0]: there is no 'dtype'");
  EXPECT_EQ(refusal_with("inputs", R"([{"name": "x", "dtype": "float32", "shape": [-2]}])"),
            "inputs[0].shape[0]: an integer of at least -1 is wanted");
  EXPECT_EQ(refusal_with("columns", R"([{"name": "x", "type": "list<float"}])"),
            "columns[0]: 'list<float' is not the type of a column");
  EXPECT_EQ(refusal_with("columns", R"([{"name": "x", "type": "int8"}, {"name": "x", "type": "int8"}])"),
            "columns[1]: column 'x' is there twice");
  EXPECT_NE(refusal_with("labels", "[").find("not JSON"), std::string::npos);
  TestBundle newer;
  newer.manifest["version"] = "2";
  EXPECT_NE(refusal<UnsupportedError>(newer).find("has version 2"), std::string::npos);
}

TEST(Bundle, RefusesWrongFeaturesAndSamples) {
  EXPECT_NE(refusal_with_file("features.json", "{}"), "no error");
  EXPECT_NE(refusal_with_file("features.json", R"({"format": "sapwood-features", "version": 1, "inputs": [
      {"name": "x", "variables": [{"name": "a", "expression": "count", "transforms": ["standard"]}]}]})"),
            "no error");
  const std::string tolerances = R"("absolute_tolerance": 0, "relative_tolerance": 0)";
  EXPECT_EQ(refusal_with_file("golden.json", "{" + tolerances + "}"), "there is no 'columns'");
  EXPECT_EQ(
      refusal_with_file("golden.json", "{" + tolerances + R"(, "columns": {"weight": [1]}, "outputs": {}})"),
      "columns: there is no 'position'");
  const std::string columns = R"("columns": {"weight": [1], "position": [[1, 2]], "count": [1]})";
  EXPECT_EQ(
      refusal_with_file("golden.json",
                        "{" + tolerances + ", " + columns +
                            R"(, "outputs": {"y": {"dtype": "float32", "shape": [2, 1], "data": [1]}}})"),
      "outputs.y: shape and data do not agree");
  EXPECT_EQ(refusal_with_file("golden.json", "{" + tolerances + ", " + columns + R"(, "outputs": {"y":
      {"dtype": "float32", "shape": [4294967296, 4294967296, 4294967296, 0, 1], "data": []}}})"),
            "no error");
}

TEST(Bundle, RefusesFilesThatCannotBeRead) {
  EXPECT_THROW(Bundle::open("/no/such/file.tar"), IoError);
  EXPECT_THROW(Bundle::open("/"), IoError);
}

TEST(Bundle, FlippedAndTruncatedArchivesGiveTypedErrors) {
  const TestBytes whole = TestBundle().archive();
  std::mt19937 random(7);
  for (int run = 0; run < 400; ++run) {
    TestBytes bytes = whole;
    if (run % 4 == 0) bytes.resize(random() % bytes.size());
    for (int i = run % 3; i >= 0 && !bytes.empty(); --i)
      bytes[random() % bytes.size()] ^= std::byte{uint8_t(1 + random() % 255)};
    try {
      Bundle::from_bytes(bytes);
    } catch (const Error&) {
      // Flips in a tar header's unused fields go by.
    }
  }
}

}  // namespace
}  // namespace sapwood
