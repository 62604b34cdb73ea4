#include "sapwood/runtime/model.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

#include "sapwood/base/error.h"
#include "sapwood/runtime/test_onnxruntime.h"

namespace sapwood {
namespace {

std::unique_ptr<Model> load(const std::string& name, int threads = 1) {
  return load_onnx(load_test_file(name), runtime_options_for_tests(threads));
}

template <class Thrown>
std::string message_of(auto&& action) {
  try {
    action();
  } catch (const Thrown& error) {
    return error.message();
  }
  return "no error";
}

class Runtime : public testing::Test {
  void SetUp() override {
    if (!has_onnxruntime()) GTEST_SKIP() << onnxruntime_version(runtime_options_for_tests());
  }
};

TEST_F(Runtime, DescribesInputsAndOutputs) {
  const auto model = load("affine.onnx");
  EXPECT_EQ(model->inputs(),
            (std::vector<TensorSpec>{{"x", DType::kFloat32, {-1, 3}}, {"scale", DType::kFloat32, {-1}}}));
  EXPECT_EQ(model->outputs(),
            (std::vector<TensorSpec>{{"y", DType::kFloat32, {-1, 2}}, {"sum", DType::kFloat32, {-1}}}));
  EXPECT_EQ(to_string(model->inputs()[0]), "float32 [N, 3]");
}

TEST_F(Runtime, RunsBatches) {
  const auto model = load("affine.onnx");
  const std::vector<Tensor> inputs{floats({2, 3}, {1, 0, 0, 0, 1, 1}), floats({2}, {1, 10})};
  const std::vector<Tensor> outputs = model->run(inputs);
  ASSERT_EQ(outputs.size(), 2u);
  EXPECT_EQ(outputs[0].name, "y");
  EXPECT_EQ(outputs[0].shape, (std::vector<int64_t>{2, 2}));
  EXPECT_EQ(values_of<float>(outputs[0]), (std::vector<float>{1.5f, 1.5f, 85, 95}));
  EXPECT_EQ(outputs[1].shape, (std::vector<int64_t>{2}));
  EXPECT_EQ(values_of<float>(outputs[1]), (std::vector<float>{1, 2}));
}

TEST_F(Runtime, CarriesAllItsTypes) {
  const auto model = load("types.onnx");
  const std::vector<Tensor> inputs{
      tensor_of<uint8_t>(DType::kBool, {2}, {0, 1}), tensor_of<int32_t>(DType::kInt32, {2}, {-5, 7}),
      tensor_of<int64_t>(DType::kInt64, {2}, {int64_t{1} << 40, -1}), floats({2}, {0.5, 2}),
      tensor_of<double>(DType::kFloat64, {2}, {1e300, -1})};
  const std::vector<Tensor> outputs = model->run(inputs);
  for (size_t i = 0; i < inputs.size(); ++i) {
    EXPECT_EQ(outputs[i].dtype, inputs[i].dtype);
    EXPECT_EQ(values_of<uint8_t>(outputs[i]), values_of<uint8_t>(inputs[i]));
  }
}

TEST_F(Runtime, TakesBatchesWithoutRows) {
  const auto model = load("affine.onnx");
  const auto outputs = model->run(std::vector<Tensor>{floats({0, 3}, {}), floats({0}, {})});
  EXPECT_EQ(outputs[0].shape, (std::vector<int64_t>{0, 2}));
  EXPECT_EQ(outputs[1].shape, (std::vector<int64_t>{0}));
  EXPECT_TRUE(outputs[0].data.empty());
}

TEST_F(Runtime, RefusesInputsThatDoNotFit) {
  const auto model = load("affine.onnx");
  const auto refusal = [&](const std::vector<Tensor>& inputs) {
    return message_of<ModelError>([&] { model->run(inputs); });
  };
  const Tensor x = floats({1, 3}, {1, 2, 3});
  const Tensor scale = floats({1}, {1});
  EXPECT_EQ(refusal({x}), "the model takes 2 inputs, not 1");
  EXPECT_EQ(refusal({floats({1, 2}, {1, 2}), scale}), "input 'x' is float32 [N, 3], not float32 [1, 2]");
  EXPECT_EQ(refusal({x, tensor_of<double>(DType::kFloat64, {1}, {1})}),
            "input 'scale' is float32 [N], not float64 [1]");
  EXPECT_EQ(refusal({x, floats({2}, {1, 2})}), "input 'scale' has 2 rows, others 1");
  EXPECT_EQ(refusal({floats({2, 3}, {1, 2, 3}), scale}),
            "input 'x' has 12 bytes, which are not float32 [2, 3]");
  EXPECT_EQ(refusal({floats({int64_t{1} << 62, 3}, {}), scale}),
            "input 'x' has 0 bytes, which are not float32 [4611686018427387904, 3]");
}

TEST_F(Runtime, RefusesModelsOfOtherTypes) {
  EXPECT_EQ(message_of<ModelError>([] { load("mapped.onnx"); }),
            "output 'z' of the model is a sequence or map, not a tensor: export classifiers without ZipMap");
  EXPECT_EQ(
      message_of<ModelError>([] { load("texts.onnx"); }),
      "input 'text' of the model has ONNX's element type 8; sapwood carries bool, int32, int64, float32 "
      "and float64");
}

TEST_F(Runtime, RefusesWhatIsNoModel) {
  auto bytes = load_test_file("affine.onnx");
  EXPECT_THROW(load_onnx({}, runtime_options_for_tests()), ModelError);
  EXPECT_THROW(load_onnx(load_test_file("make_onnx.py"), runtime_options_for_tests()), ModelError);
  bytes.resize(bytes.size() / 2);
  EXPECT_THROW(load_onnx(bytes, runtime_options_for_tests()), ModelError);
  EXPECT_THROW(load("affine.onnx", 0), ConfigError);
}

TEST_F(Runtime, ReadsNoOtherFilesThanTheModel) { EXPECT_THROW(load("external.onnx"), ModelError); }

TEST_F(Runtime, GivesTheSameFromManyThreads) {
  const auto model = load("affine.onnx", 2);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int run = 1; run <= 200; ++run) {
        const auto rows = static_cast<int64_t>(run % 7 + 1);
        const std::vector<float> scale(static_cast<size_t>(rows), static_cast<float>(thread));
        const std::vector<float> x(static_cast<size_t>(rows) * 3, 1);
        const auto outputs = model->run(std::vector<Tensor>{floats({rows, 3}, x), floats({rows}, scale)});
        EXPECT_EQ(values_of<float>(outputs[0])[0], 9.5f * static_cast<float>(thread));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(Runtime, StartsAgainAfterTheLastModelWent) {
  for (int i = 0; i < 5; ++i) {
    const auto one = load("affine.onnx");
    const auto other = load("types.onnx");
    EXPECT_EQ(one->inputs().size() + other->inputs().size(), 7u);
  }
}

TEST(RuntimeLibrary, SaysWhatToInstallWhenThereIsNone) {
  setenv("SAPWOOD_ONNXRUNTIME", "/no/such/library.so", 1);
  const std::string version = onnxruntime_version();
  unsetenv("SAPWOOD_ONNXRUNTIME");
  EXPECT_TRUE(version.starts_with("no ONNX Runtime")) << version;
}

}  // namespace
}  // namespace sapwood
