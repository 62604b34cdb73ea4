#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "sapwood/runtime/model.h"

namespace sapwood::serve {

/// Whether rows of different requests may share a run of `model`: the first dimension of every input and
/// output is free.
bool is_batchable(const Model& model);

/// Runs the model on a few rows once, so that the first requests do not pay for what the runtime sets up
/// then, and tells whether a row's answer is the same in the company of another: else requests can't share a
/// run. Rows too large to be tried (16 MiB) are taken to be independent, and so are those that the model
/// refuses.
bool warm_up(const Model& model);

/// The rows that `inputs` hold, after `sapwood::check_inputs`; 1 for a model that is not batchable. Throws
/// ModelError when there are none.
int64_t count_rows(const Model& model, std::span<const Tensor> inputs);

/// Whether the shapes differ in their first dimension alone.
bool can_join(std::span<const Tensor> a, std::span<const Tensor> b);

/// The inputs of several requests, one below the other. All can be joined; at least one.
std::vector<Tensor> join_rows(std::span<const std::vector<Tensor>* const> requests,
                              const std::shared_ptr<MemoryPool>& pool);

/// Rows [first, first + count) of each of a run's outputs; several requests share the run's memory.
struct OutputRows {
  std::shared_ptr<const std::vector<Tensor>> outputs;
  int64_t first = 0;
  int64_t count = 0;
  bool whole = true;  ///< the outputs are this request's alone, whatever their first dimensions

  /// The shape of these rows of one output.
  std::vector<int64_t> shape(size_t output) const;
  /// The bytes of these rows of one output.
  std::span<const std::byte> bytes(size_t output) const;
};

/// The number of elements of a shape without free dimensions.
int64_t num_elements(std::span<const int64_t> shape);

}  // namespace sapwood::serve
