#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sapwood/column/column.h"
#include "sapwood/column/schema.h"
#include "sapwood/features/feature_spec.h"
#include "sapwood/runtime/model.h"

namespace sapwood {

/// A sample of inputs with the answers that the model gave where it was trained.
struct GoldenSample {
  std::vector<Column> columns;  ///< in the order of `Bundle::columns()`; of a bundle with features
  std::vector<Tensor> inputs;   ///< of a bundle without
  std::vector<Tensor> outputs;
  double absolute_tolerance = 1e-5;
  double relative_tolerance = 1e-4;
};

/// A trained model with all that is needed to use it: one archive (docs/formats/bundle.md). Immutable.
class Bundle {
 public:
  /// Reads a .tar or .tar.gz and checks every member against the manifest's SHA-256. Decompressed, the
  /// members may have 2 GiB in all, those besides the model 64 MiB each. Throws IoError, FormatError (not a
  /// bundle, damaged, names that lead out of the archive, links, too large), UnsupportedError (a newer
  /// version).
  static Bundle open(const std::string& path);
  static Bundle from_bytes(std::span<const std::byte> archive, const std::string& origin = "bundle");

  const std::string& name() const;
  const std::string& description() const;
  const std::string& framework() const;        ///< that the model was trained in, with its version
  const std::string& created() const;          ///< ISO 8601, UTC
  const std::string& sapwood_version() const;  ///< that wrote it
  /// Of the model, as the manifest says.
  const std::vector<TensorSpec>& inputs() const;
  const std::vector<TensorSpec>& outputs() const;
  /// Of the classes that the output's columns stand for; empty when there are none.
  const std::vector<std::string>& labels() const;
  /// The fitted specification of the inputs; none when clients send the model's own tensors.
  const std::optional<FeatureSpec>& features() const;
  /// The raw columns that `features` reads, with their types.
  const Schema& columns() const;
  const std::optional<GoldenSample>& golden() const;
  std::span<const std::byte> onnx() const;
  const std::string& card() const;  ///< Markdown
  /// Of the archive.
  struct Member {
    uint64_t size = 0;
    std::string sha256;  ///< 64 hexadecimal digits in lower case
  };
  /// Each member but the manifest, by name.
  const std::map<std::string, Member>& members() const;

 private:
  struct Content;
  std::shared_ptr<const Content> content_;
};

/// Throws UnsupportedError that names the group where features give tensors that bundles do not carry: those
/// of float16 and bfloat16, and of packed groups, whose rows servers could not join into batches.
void check_servable(const FeatureSpec& features);

/// A bundle with its model loaded: raw columns in, the model's outputs out. Safe from many threads.
class Predictor {
 public:
  /// Loads the model and checks that its inputs are tensors that the features give (not each of those must be
  /// an input). With `verify`, runs the golden sample. Throws as `load_onnx` does; ModelError with the
  /// largest difference when the answers to the sample are others; SchemaError and ConfigError when features
  /// and columns do not fit; as `check_servable` does.
  explicit Predictor(Bundle bundle, const RuntimeOptions& options = {}, bool verify = true);

  const Bundle& bundle() const;
  const Model& model() const;
  /// The tensors of `columns` (those of `bundle().columns()`, in that order), in the order of
  /// `model().inputs()`. Throws ConfigError when the bundle has no features, SchemaError when numbers, types,
  /// lengths or multiplicities are others.
  std::vector<Tensor> prepare(std::vector<Column> columns) const;
  /// Bytes of all tensors that `prepare` makes of one row; 0 when the bundle has no features.
  size_t prepared_row_bytes() const;
  std::vector<Tensor> predict(std::vector<Column> columns) const;
  /// Runs the golden sample; does nothing when there is none. Throws ModelError with the largest difference.
  void verify() const;

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

}  // namespace sapwood
