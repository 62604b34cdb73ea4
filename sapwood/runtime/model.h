#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sapwood/base/buffer.h"
#include "sapwood/column/dtype.h"

namespace sapwood {

/// An input or output of a model. A dimension of -1 is free; the first is the batch's. No dimensions at all:
/// a scalar, or the model does not say.
struct TensorSpec {
  std::string name;
  DType dtype = DType::kFloat32;
  std::vector<int64_t> shape;
  bool operator==(const TensorSpec&) const = default;
};

/// A dense array in C order.
struct Tensor {
  std::string name;
  DType dtype = DType::kFloat32;
  std::vector<int64_t> shape;
  Buffer data;
};

/// Such as "float32 [N, 17, 128]"; free dimensions are "N" in front, "?" elsewhere.
std::string to_string(const TensorSpec& spec);

/// A trained model that can be run. Immutable; `run` is safe from many threads.
class Model {
 public:
  virtual ~Model() = default;
  virtual const std::vector<TensorSpec>& inputs() const = 0;
  virtual const std::vector<TensorSpec>& outputs() const = 0;
  /// The outputs, in the order of `outputs()`, for `inputs` in the order of `inputs()`; names of `inputs` are
  /// not looked at. Batches of no rows are allowed. Throws ModelError when number, types or shapes do not
  /// fit, or the runtime refuses.
  virtual std::vector<Tensor> run(std::span<const Tensor> inputs) const = 0;
};

/// What every implementation of `Model::run` asks for first: as many inputs as `specs`, of their types and
/// shapes, with as many bytes as those say, and the same number of rows wherever the first dimension is free.
/// Throws ModelError.
void check_inputs(std::span<const TensorSpec> specs, std::span<const Tensor> inputs);

struct RuntimeOptions {
  int threads = 1;  ///< within one run
  /// Path of the ONNX Runtime library, where the variable SAPWOOD_ONNXRUNTIME names none; empty:
  /// libonnxruntime.so.1, as the system's loader finds it. The Python package passes that of the wheel
  /// `onnxruntime`.
  std::string library{};
};

/// Loads an ONNX model (its bytes, which are not needed afterwards). Throws ModelError (not a model, types
/// that sapwood does not carry), UnsupportedError (built without ONNX Runtime, or its library is not found;
/// says what to do), ConfigError.
std::unique_ptr<Model> load_onnx(std::span<const std::byte> model, const RuntimeOptions& options = {});

/// The version of the ONNX Runtime library that is used, or why there is none (starts with "no ").
std::string onnxruntime_version(const RuntimeOptions& options = {});

}  // namespace sapwood
