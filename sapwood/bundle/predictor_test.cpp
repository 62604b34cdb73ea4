#include <gtest/gtest.h>

#include "sapwood/base/error.h"
#include "sapwood/bundle/bundle.h"
#include "sapwood/bundle/test_bundles.h"
#include "sapwood/column/test_columns.h"

namespace sapwood {
namespace {

template <class T>
Column column_of(TypeKind kind, const std::vector<T>& values) {
  return {{kind}, static_cast<int64_t>(values.size()), buffer_of(values)};
}

class PredictorTest : public testing::Test {
  void SetUp() override {
    if (!has_onnxruntime()) GTEST_SKIP() << onnxruntime_version(runtime_options_for_tests());
  }

 protected:
  static Predictor load(const TestBundle& bundle, bool verify = true) {
    return Predictor(Bundle::from_bytes(bundle.archive()), runtime_options_for_tests(), verify);
  }
  template <class Thrown>
  static std::string refusal(const TestBundle& bundle) {
    try {
      load(bundle);
    } catch (const Thrown& error) {
      return error.message();
    }
    return "no error";
  }
  static std::vector<Column> columns() {
    return {column_of<double>(TypeKind::kFloat64, {1, 10}),
            fixed_lists(2, column_of<float>(TypeKind::kFloat32, {1, 0, 0, 1})),
            column_of<int32_t>(TypeKind::kInt32, {1, 2})};
  }
};

TEST_F(PredictorTest, GivesTheModelsAnswersToRawColumns) {
  const Predictor predictor = load({});
  const auto tensors = predictor.prepare(columns());
  EXPECT_EQ(values_of<float>(tensors[0]), (std::vector<float>{1, 0, 0, 0, 1, 2}));
  EXPECT_EQ(tensors[1].shape, (std::vector<int64_t>{2}));
  const auto outputs = predictor.predict(columns());
  EXPECT_EQ(values_of<float>(outputs[0]), (std::vector<float>{1.5f, 1.5f, 135, 155}));
  EXPECT_EQ(values_of<float>(outputs[1]), (std::vector<float>{1, 3}));
}

TEST_F(PredictorTest, TakesNoEntries) {
  const Predictor predictor = load({});
  std::vector<Column> none;
  for (const Column& column : columns()) none.push_back(slice(column, 0, 0, heap_pool()));
  EXPECT_EQ(predictor.predict(none)[0].shape, (std::vector<int64_t>{0, 2}));
}

TEST_F(PredictorTest, RefusesOtherColumns) {
  const Predictor predictor = load({});
  auto wrong = columns();
  wrong.pop_back();
  EXPECT_THROW(predictor.predict(wrong), SchemaError);
  wrong.push_back(column_of<int64_t>(TypeKind::kInt64, {1, 2}));
  EXPECT_THROW(predictor.predict(wrong), SchemaError);
  wrong.back() = column_of<int32_t>(TypeKind::kInt32, {1});
  EXPECT_THROW(predictor.predict(wrong), SchemaError);
}

TEST_F(PredictorTest, ComparesTheGoldenSample) {
  TestBundle bundle;
  bundle.files["golden.json"] = bytes_of(R"({"absolute_tolerance": 0.01, "relative_tolerance": 0.0,
      "columns": {"count": [1], "position": [[1, 0]], "weight": [1]},
      "outputs": {"y": {"dtype": "float32", "shape": [1, 2], "data": [1.5, 1.75]}}})");
  EXPECT_EQ(
      refusal<ModelError>(bundle),
      "the model does not give the answers of the golden sample: output 'y' is off by up to 0.25 (allowed: "
      "0.01 + 0 of the value)");
  const Predictor unverified = load(bundle, false);
  EXPECT_THROW(unverified.verify(), ModelError);
}

TEST_F(PredictorTest, AsksForTheInputsOfTheModel) {
  TestBundle renamed;
  renamed.files["features.json"] = bytes_of(R"({"format": "sapwood-features", "version": 1, "inputs": [
      {"name": "features", "variables": [{"name": "w", "expression": "weight"}]}]})");
  EXPECT_EQ(refusal<ModelError>(renamed), "the model has an input 'x', the features give features");
  TestBundle narrow;
  narrow.files["features.json"] = bytes_of(R"({"format": "sapwood-features", "version": 1, "inputs": [
      {"name": "x", "variables": [{"name": "w", "expression": "weight"}]}]})");
  EXPECT_EQ(refusal<ModelError>(narrow),
            "the model's input 'x' is float32 [N, 3], the features give float32 [N, 1]");
  TestBundle half;
  half.files["features.json"] = bytes_of(R"({"format": "sapwood-features", "version": 1, "inputs": [
      {"name": "x", "variables": ["weight"], "dtype": "bfloat16"}]})");
  EXPECT_NE(refusal<UnsupportedError>(half).find("group 'x' is of bfloat16"), std::string::npos);
  TestBundle packed;
  packed.files["features.json"] = bytes_of(R"({"format": "sapwood-features", "version": 1, "inputs": [
      {"name": "x", "variables": ["position"], "layout": "packed"}]})");
  EXPECT_NE(refusal<UnsupportedError>(packed).find("group 'x' is packed"), std::string::npos);
  TestBundle missing;
  missing.manifest["columns"] = R"([{"name": "weight", "type": "float64"}])";
  missing.files.erase("golden.json");
  EXPECT_NE(refusal<SchemaError>(missing), "no error");
  TestBundle signature;
  signature.manifest["outputs"] = "[]";
  EXPECT_EQ(refusal<ModelError>(signature), "the model has other outputs than the manifest says");
}

TEST_F(PredictorTest, RunsBundlesWithoutFeaturesOnTensors) {
  TestBundle bundle;
  bundle.files.erase("features.json");
  bundle.manifest.erase("columns");
  bundle.files["golden.json"] = bytes_of(R"({"absolute_tolerance": 1e-5, "relative_tolerance": 0,
      "inputs": {"x": {"dtype": "float32", "shape": [1, 3], "data": [1, 0, "NaN"]},
                 "scale": {"dtype": "float32", "shape": [1], "data": [1]}},
      "outputs": {"sum": {"dtype": "float32", "shape": [1], "data": ["NaN"]}}})");
  const Predictor predictor = load(bundle);
  EXPECT_THROW(predictor.predict(columns()), ConfigError);
}

}  // namespace
}  // namespace sapwood
