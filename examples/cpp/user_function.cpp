// Filters by and trains on a function of one's own in formulas: user_function FILES
#include <algorithm>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "sapwood/loader/loader.h"

namespace {

// What was measured in bins of pt: efficiency(pt) in formulas.
class Efficiency : public sapwood::UserFunction {
 public:
  // One value for each bin; the outer ones go on to either side.
  Efficiency(std::vector<float> inner_edges, std::vector<float> values)
      : edges_(std::move(inner_edges)), values_(std::move(values)) {}

  const std::string& name() const override { return name_; }
  bool is_elementwise() const override { return true; }  // so that it takes lists of values, too

  sapwood::Type result_type(std::span<const sapwood::Type> arguments) const override {
    if (arguments.size() != 1 || arguments[0].kind != sapwood::TypeKind::kFloat32)
      throw sapwood::ConfigError("efficiency takes one float32");
    return sapwood::TypeKind::kFloat32;
  }

  sapwood::Column call(std::span<const sapwood::Column> arguments, int64_t length,
                       const std::shared_ptr<sapwood::MemoryPool>& pool) const override {
    sapwood::Column result = sapwood::make_fixed_width_column(sapwood::TypeKind::kFloat32, length, pool);
    const std::span<const float> pt = arguments[0].values.as<const float>();
    std::ranges::transform(pt, result.values.as<float>().begin(), [&](float x) { return of(x); });
    return result;
  }

 private:
  float of(float pt) const {
    return values_[static_cast<size_t>(std::ranges::upper_bound(edges_, pt) - edges_.begin())];
  }

  std::string name_ = "efficiency";
  std::vector<float> edges_;
  std::vector<float> values_;
};

void use(const std::string& paths) {
  const auto efficiency = std::make_shared<Efficiency>(std::vector<float>{550, 650, 800},
                                                       std::vector<float>{0.80F, 0.91F, 0.95F, 0.97F});
  const auto jets = sapwood::open(std::vector<std::string>{paths})->with_function(efficiency);
  const auto efficient = jets->filter("efficiency(jet_pt) > 0.9")->define("weight", "1 / efficiency(jet_pt)");

  sapwood::LoaderOptions options{.batch_size = 256, .seed = 7};
  options.features.groups = {
      {.name = "jet", .variables = {"jet_pt", "efficiency(jet_pt)"}},
      {.name = "weights", .variables = {"weight"}, .squeeze = true},
  };
  const sapwood::Loader loader(efficient, options);
  const auto batches = loader.epoch(0);
  double weights = 0;
  for (const sapwood::Batch& batch : *batches) {
    for (const float weight : batch.tensors[1].as<const float>()) weights += weight;
  }
  std::printf("%lld of %lld jets, with weights %.1f in all\n", static_cast<long long>(loader.num_rows()),
              static_cast<long long>(jets->num_entries()), weights);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: user_function FILES\n");
    return 2;
  }
  try {
    use(argv[1]);
  } catch (const sapwood::Error& error) {
    std::fprintf(stderr, "%s: %s\n", error.kind(), error.what());
    return 1;
  }
  return 0;
}
