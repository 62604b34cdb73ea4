#include <nanobind/ndarray.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include "bindings.h"
#include "sapwood/base/error.h"
#include "sapwood/bundle/bundle.h"
#include "sapwood/features/row_format.h"
#include "tensors.h"

using namespace sapwood;

namespace {

using Arrays = std::vector<nb::ndarray<nb::ro, nb::c_contig, nb::device::cpu>>;

DType dtype_of(const nb::dlpack::dtype& dtype) {
  for (const DType known : {DType::kBool, DType::kInt32, DType::kInt64, DType::kFloat32, DType::kFloat64}) {
    if (dtype == element_dtype(known)) return known;
  }
  throw ModelError("tensors have the type bool, int32, int64, float32 or float64");
}

// Without a copy; the arrays outlive the tensors.
std::vector<Tensor> to_tensors(const Arrays& arrays) {
  std::vector<Tensor> tensors;
  for (const auto& array : arrays) {
    Tensor tensor{"", dtype_of(array.dtype()), {}, {}};
    for (size_t i = 0; i < array.ndim(); ++i) tensor.shape.push_back(static_cast<int64_t>(array.shape(i)));
    // Nobody writes to the inputs of a model.
    auto* data = static_cast<std::byte*>(const_cast<void*>(array.data()));
    tensor.data = Buffer::wrap(data, array.nbytes(), nullptr);
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

nb::object to_array(const Tensor& tensor) {
  const std::vector<size_t> shape(tensor.shape.begin(), tensor.shape.end());
  return nb::cast(share<nb::numpy>(tensor.data, shape, element_dtype(tensor.dtype)));
}

nb::dict to_arrays(const std::vector<Tensor>& tensors) {
  nb::dict arrays;
  for (const Tensor& tensor : tensors) arrays[tensor.name.c_str()] = to_array(tensor);
  return arrays;
}

nb::dict run(const Model& model, const Arrays& inputs) {
  const std::vector<Tensor> tensors = to_tensors(inputs);
  std::vector<Tensor> outputs;
  {
    const nb::gil_scoped_release release;
    outputs = model.run(tensors);
  }
  return to_arrays(outputs);
}

nb::dict predict(const Predictor& predictor, std::vector<Column> columns) {
  std::vector<Tensor> outputs;
  {
    const nb::gil_scoped_release release;
    outputs = predictor.predict(std::move(columns));
  }
  return to_arrays(outputs);
}

std::span<const std::byte> bytes_of(const nb::bytes& bytes) {
  return {static_cast<const std::byte*>(bytes.data()), bytes.size()};
}

std::vector<std::string> feature_columns(const FeatureSpec& features,
                                         const std::map<std::string, Column>& columns) {
  std::vector<ColumnInfo> infos;
  for (const auto& [name, column] : columns) {
    ColumnInfo& info = infos.emplace_back();
    info.name = name;
    info.type = column.type;
  }
  return RowFormat(features, Schema(std::move(infos))).columns();
}

std::map<std::string, std::pair<uint64_t, std::string>> members_of(const Bundle& bundle) {
  std::map<std::string, std::pair<uint64_t, std::string>> members;
  for (const auto& [name, member] : bundle.members()) members[name] = {member.size, member.sha256};
  return members;
}

std::vector<std::pair<std::string, std::string>> columns_of(const Bundle& bundle) {
  std::vector<std::pair<std::string, std::string>> columns;
  for (const ColumnInfo& info : bundle.columns().columns())
    columns.emplace_back(info.name, info.type.to_string());
  return columns;
}

void bind_model(nb::module_& module) {
  nb::class_<TensorSpec>(module, "TensorSpec",
                         "An input or output of a model; a size of -1 is free, the first is the batch's.")
      .def_ro("name", &TensorSpec::name)
      .def_prop_ro("dtype", [](const TensorSpec& spec) { return dtype_name(spec.dtype); })
      .def_ro("shape", &TensorSpec::shape)
      .def("__str__", [](const TensorSpec& spec) { return to_string(spec); });
  nb::class_<Model>(module, "Model", "A trained model that can be run, from many threads.")
      .def_prop_ro("inputs", &Model::inputs)
      .def_prop_ro("outputs", &Model::outputs)
      .def("run", &run, nb::arg("inputs"),
           nb::sig("def run(self, inputs: Sequence[numpy.typing.NDArray[typing.Any]]) -> dict[str, "
                   "numpy.typing.NDArray[typing.Any]]"),
           "The outputs by name, for the inputs in order.");
  module.def(
      "load_onnx",
      [](const nb::bytes& model, int threads, const std::string& library) {
        return load_onnx(bytes_of(model), {.threads = threads, .library = library});
      },
      nb::arg("model"), nb::arg("threads") = 1, nb::arg("library") = "");
  module.def(
      "onnxruntime_version",
      [](const std::string& library) { return onnxruntime_version({.library = library}); },
      nb::arg("library") = "", "The version that is used, or why there is none (starts with \"no \").");
}

}  // namespace

void bind_bundle(nb::module_& module) {
  bind_model(module);
  module.def("feature_columns", &feature_columns, nb::arg("features"), nb::arg("columns"),
             "Those of the columns that the features read.");
  module.def("check_servable", &check_servable, nb::arg("features"),
             "Raises UnsupportedError where they give tensors that bundles do not carry.");
  nb::class_<Bundle>(module, "Bundle", "A trained model with all that is needed to use it.")
      .def_static("open", &Bundle::open, nb::arg("path"), nb::call_guard<nb::gil_scoped_release>())
      .def_prop_ro("name", &Bundle::name)
      .def_prop_ro("description", &Bundle::description)
      .def_prop_ro("framework", &Bundle::framework)
      .def_prop_ro("created", &Bundle::created)
      .def_prop_ro("sapwood_version", &Bundle::sapwood_version)
      .def_prop_ro("labels", &Bundle::labels)
      .def_prop_ro("inputs", &Bundle::inputs)
      .def_prop_ro("outputs", &Bundle::outputs)
      .def_prop_ro("columns", &columns_of, "(name, type) of each.")
      .def_prop_ro("features", &Bundle::features)
      .def_prop_ro("has_golden", [](const Bundle& bundle) { return bundle.golden().has_value(); })
      .def_prop_ro("onnx",
                   [](const Bundle& bundle) { return nb::bytes(bundle.onnx().data(), bundle.onnx().size()); })
      .def_prop_ro("card", &Bundle::card)
      .def_prop_ro("members", &members_of, "(size, SHA-256) by name.");
  nb::class_<Predictor>(module, "Predictor", "A bundle with its model loaded.")
      .def(
          "__init__",
          [](Predictor* self, const Bundle& bundle, int threads, const std::string& library, bool verify) {
            new (self) Predictor(bundle, {.threads = threads, .library = library}, verify);
          },
          nb::arg("bundle"), nb::arg("threads"), nb::arg("library"), nb::arg("verify"),
          nb::call_guard<nb::gil_scoped_release>())
      .def_prop_ro("model", &Predictor::model, nb::rv_policy::reference_internal)
      .def("verify", &Predictor::verify, nb::call_guard<nb::gil_scoped_release>())
      .def("predict", &predict, nb::arg("columns"),
           nb::sig("def predict(self, columns: Sequence[Column]) -> dict[str, "
                   "numpy.typing.NDArray[typing.Any]]"));
}
