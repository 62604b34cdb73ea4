// Trains a logistic regression on jet columns, batch by batch: train_loop BACKGROUND_FILES SIGNAL_FILES
#include <array>
#include <cmath>
#include <cstdio>
#include <span>
#include <string>
#include <vector>

#include "sapwood/loader/loader.h"

namespace {

constexpr size_t kFeatures = 4;
// Brings each feature to about the size of 1.
constexpr std::array<float, kFeatures> kScale = {1.0F / 100, 1.0F / 50, 3.0F, 5.0F};

struct LogisticRegression {
  std::array<float, kFeatures> weights{};
  float bias = 0;

  float predict(std::span<const float> row) const {
    float sum = bias;
    for (size_t i = 0; i < kFeatures; ++i) sum += weights[i] * kScale[i] * row[i];
    return 1 / (1 + std::exp(-sum));
  }
  void step(std::span<const float> row, float error, float rate) {
    for (size_t i = 0; i < kFeatures; ++i) weights[i] -= rate * error * kScale[i] * row[i];
    bias -= rate * error;
  }
};

void train(const std::string& background, const std::string& signal) {
  const auto jets =
      sapwood::open({{.label = "QCD", .paths = {background}}, {.label = "top", .paths = {signal}}});

  sapwood::LoaderOptions options{.batch_size = 256, .seed = 7};
  options.features.groups = {
      {.name = "jet", .variables = {"jet_sdmass", "jet_nparticles", "jet_tau2", "jet_tau3"}},
      {.name = "target", .variables = {"sample_label"}, .squeeze = true},
  };
  const sapwood::Loader loader(jets, options);
  std::printf("%s\n", loader.explain().to_string().c_str());

  LogisticRegression model;
  for (uint64_t epoch = 0; epoch < 5; ++epoch) {
    const auto batches = loader.epoch(epoch);
    int64_t correct = 0;
    for (const sapwood::Batch& batch : *batches) {
      const std::span<const float> features = batch.tensors[0].as<const float>();
      const std::span<const float> target = batch.tensors[1].as<const float>();
      for (int64_t row = 0; row < batch.rows; ++row) {
        const auto values = features.subspan(static_cast<size_t>(row) * kFeatures, kFeatures);
        const float predicted = model.predict(values);
        correct += (predicted > 0.5F) == (target[static_cast<size_t>(row)] > 0.5F);
        model.step(values, predicted - target[static_cast<size_t>(row)], 0.01F);
      }
    }
    std::printf("epoch %llu: accuracy %.3f\n", static_cast<unsigned long long>(epoch),
                static_cast<double>(correct) / static_cast<double>(loader.num_rows()));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: train_loop BACKGROUND_FILES SIGNAL_FILES\n");
    return 2;
  }
  try {
    train(argv[1], argv[2]);
  } catch (const sapwood::Error& error) {
    std::fprintf(stderr, "%s: %s\n", error.kind(), error.what());
    return 1;
  }
  return 0;
}
