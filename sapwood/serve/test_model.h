#pragma once

#include <atomic>
#include <latch>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "sapwood/base/error.h"
#include "sapwood/serve/scheduler.h"

namespace sapwood::serve {

inline Tensor float_tensor(std::vector<int64_t> shape, std::span<const float> values) {
  Tensor tensor{.name = "x", .dtype = DType::kFloat32, .shape = std::move(shape), .data = {}};
  tensor.data = Buffer(values.size() * sizeof(float), heap_pool());
  std::ranges::copy(values, tensor.data.as<float>().begin());
  return tensor;
}

/// x: float32 [-1, 2] (or what `input` says) to sum: float32 [-1, 1]. Refuses batches with a negative number;
/// can be held.
class SumModel final : public Model {
 public:
  explicit SumModel(std::vector<int64_t> input = {-1, 2})
      : inputs_{{"x", DType::kFloat32, std::move(input)}},
        outputs_{{"sum", DType::kFloat32, {inputs_[0].shape[0], 1}}} {}
  const std::vector<TensorSpec>& inputs() const override { return inputs_; }
  const std::vector<TensorSpec>& outputs() const override { return outputs_; }

  std::vector<Tensor> run(std::span<const Tensor> inputs) const override {
    const std::lock_guard lock(gate_);
    runs_.fetch_add(1);
    const auto values = inputs[0].data.as<const float>();
    const auto rows = static_cast<size_t>(inputs[0].shape[0]);
    const size_t width = rows == 0 ? 0 : values.size() / rows;
    std::vector<float> sums(rows);
    for (size_t i = 0; i < values.size(); ++i) {
      if (values[i] < 0) throw ModelError("a negative number");
      sums[i / width] += values[i];
    }
    Tensor output = float_tensor({inputs[0].shape[0], 1}, sums);
    output.name = "sum";
    return {output};
  }

  /// Runs wait while the result lives.
  std::unique_lock<std::mutex> hold() const { return std::unique_lock(gate_); }
  int runs() const { return runs_.load(); }

 private:
  std::vector<TensorSpec> inputs_;
  std::vector<TensorSpec> outputs_;
  mutable std::mutex gate_;
  mutable std::atomic<int> runs_{0};
};

/// Delivers at once, on the thread that posts.
class DirectDeliveries final : public Deliveries {
 public:
  void post(std::vector<Finished> finished) override {
    posts.fetch_add(1);
    for (Finished& one : finished) one.deliver();
  }
  std::atomic<int> posts{0};
};

}  // namespace sapwood::serve
