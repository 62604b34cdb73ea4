#include <algorithm>

#include "sapwood/base/error.h"
#include "sapwood/bundle/bundle.h"
#include "sapwood/bundle/golden.h"
#include "sapwood/features/apply.h"

namespace sapwood {
namespace {

// The tensor of the features that is the model's input; throws ModelError when there is none.
size_t tensor_for(const TensorSpec& input, const std::vector<TensorInfo>& tensors) {
  const auto tensor = std::ranges::find(tensors, input.name, &TensorInfo::name);
  if (tensor == tensors.end()) {
    std::string names;
    for (const TensorInfo& info : tensors) names += concat(names.empty() ? "" : ", ", info.name);
    throw ModelError(concat("the model has an input '", input.name, "', the features give ", names));
  }
  TensorSpec given{input.name, tensor->dtype, {-1}};
  given.shape.insert(given.shape.end(), tensor->shape.begin(), tensor->shape.end());
  bool fits = input.dtype == given.dtype && (input.shape.empty() || input.shape.size() == given.shape.size());
  for (size_t i = 0; fits && i < input.shape.size(); ++i)
    fits = input.shape[i] < 0 || input.shape[i] == given.shape[i];
  if (!fits) {
    throw ModelError(concat("the model's input '", input.name, "' is ", to_string(input),
                            ", the features give ", to_string(given)));
  }
  return static_cast<size_t>(tensor - tensors.begin());
}

void check_signature(const char* what, const std::vector<TensorSpec>& model,
                     const std::vector<TensorSpec>& manifest) {
  if (model != manifest) throw ModelError(concat("the model has other ", what, " than the manifest says"));
}

}  // namespace

void check_servable(const FeatureSpec& features) {
  for (const FeatureGroup& group : features.of_role(Role::kInput).groups) {
    if (group.is_packed()) {
      throw UnsupportedError(concat("group '", group.name,
                                    "' is packed, which bundles do not carry: export the model with padded "
                                    "inputs, and features of a padded layout"));
    }
    if (!type_kind(group.dtype)) {
      throw UnsupportedError(concat("group '", group.name, "' is of ", dtype_name(group.dtype),
                                    ", which bundles do not carry: export the model with float32 inputs, and "
                                    "features of float32"));
    }
  }
}

struct Predictor::State {
  // The features, bound to the columns.
  struct Preparation {
    RowFormat format;
    std::vector<size_t> columns{};  // in `Bundle::columns()`, of each of the format's columns
    std::vector<size_t> tensors{};  // of the format, for each of the model's inputs
  };

  Bundle bundle;
  std::unique_ptr<Model> model;
  std::optional<Preparation> preparation{};

  void bind_features() {
    if (!bundle.features()) return;
    check_servable(*bundle.features());
    preparation = Preparation{.format = RowFormat(*bundle.features(), bundle.columns())};
    for (const std::string& name : preparation->format.columns())
      preparation->columns.push_back(bundle.columns().require(name));
    for (const TensorSpec& input : model->inputs())
      preparation->tensors.push_back(tensor_for(input, preparation->format.tensors()));
  }
};

Predictor::Predictor(Bundle bundle, const RuntimeOptions& options, bool verify) {
  auto model = load_onnx(bundle.onnx(), options);
  check_signature("inputs", model->inputs(), bundle.inputs());
  check_signature("outputs", model->outputs(), bundle.outputs());
  auto state = std::make_shared<State>(State{std::move(bundle), std::move(model)});
  state->bind_features();
  state_ = std::move(state);
  if (verify) this->verify();
}

const Bundle& Predictor::bundle() const { return state_->bundle; }
const Model& Predictor::model() const { return *state_->model; }

std::vector<Tensor> Predictor::prepare(std::vector<Column> columns) const {
  if (!state_->preparation) {
    throw ConfigError(
        concat("bundle '", bundle().name(), "' has no features: it takes the model's tensors, not columns"));
  }
  const State::Preparation& preparation = *state_->preparation;
  const Schema& schema = bundle().columns();
  if (columns.size() != schema.size())
    throw SchemaError(concat("the bundle takes ", schema.size(), " columns, not ", columns.size()));
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].type != schema[i].type) {
      throw SchemaError(concat(schema[i].type.to_string(), " is wanted, not ", columns[i].type.to_string()),
                        {.column = schema[i].name});
    }
    if (columns[i].length != columns.front().length) {
      throw SchemaError(
          concat(columns[i].length, " entries, where '", schema[0].name, "' has ", columns.front().length),
          {.column = schema[i].name});
    }
  }
  const int64_t rows = columns.empty() ? 0 : columns.front().length;
  std::vector<Column> wanted;
  for (const size_t column : preparation.columns) wanted.push_back(columns[column]);
  const std::vector<Buffer> buffers = make_tensors(preparation.format, std::move(wanted), heap_pool());

  std::vector<Tensor> tensors;
  for (const size_t place : preparation.tensors) {
    const TensorInfo& info = preparation.format.tensors()[place];
    Tensor& tensor = tensors.emplace_back(Tensor{info.name, info.dtype, {rows}, buffers[place]});
    tensor.shape.insert(tensor.shape.end(), info.shape.begin(), info.shape.end());
  }
  return tensors;
}

size_t Predictor::prepared_row_bytes() const {
  size_t bytes = 0;
  if (state_->preparation) {
    for (const size_t tensor : state_->preparation->format.item_bytes()) bytes += tensor;
  }
  return bytes;
}

std::vector<Tensor> Predictor::predict(std::vector<Column> columns) const {
  return model().run(prepare(std::move(columns)));
}

void Predictor::verify() const {
  const std::optional<GoldenSample>& golden = bundle().golden();
  if (!golden) return;
  check_golden(*golden, state_->preparation ? predict(golden->columns) : model().run(golden->inputs));
}

}  // namespace sapwood
