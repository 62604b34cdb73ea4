#include <nanobind/ndarray.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "bindings.h"
#include "sapwood/base/error.h"
#include "sapwood/features/apply.h"
#include "sapwood/features/expression_set.h"
#include "sapwood/features/feature_spec.h"
#include "tensors.h"

using namespace sapwood;

namespace {

const char* role_name(Role role) {
  switch (role) {
    case Role::kInput:
      return "input";
    case Role::kLabel:
      return "label";
    case Role::kWeight:
      return "weight";
    case Role::kObserver:
      return "observer";
  }
  return "?";
}

const char* axis_name(Axis axis) {
  switch (axis) {
    case Axis::kRows:
      return "N";
    case Axis::kValues:
      return "T";
    case Axis::kOffsets:
      return "N+1";
    case Axis::kNone:
      return "";
  }
  return "?";
}

nb::dict tensors_of(const FeatureSpec& spec, const std::map<std::string, Column>& columns) {
  std::vector<TensorInfo> infos;
  std::vector<Buffer> tensors;
  int64_t rows = 0;
  {
    const nb::gil_scoped_release release;
    std::vector<ColumnInfo> given;
    for (const auto& [name, column] : columns) {
      given.emplace_back();
      given.back().name = name;
      given.back().type = column.type;
    }
    const RowFormat format(spec, Schema(std::move(given)));
    std::vector<Column> wanted;
    for (const std::string& name : format.columns()) wanted.push_back(columns.at(name));
    rows = wanted.front().length;
    infos = format.tensors();
    tensors = make_tensors(format, std::move(wanted), result_pool());
  }
  nb::dict arrays;
  for (size_t i = 0; i < tensors.size(); ++i)
    arrays[infos[i].name.c_str()] = tensor_to_numpy(infos[i], rows, tensors[i]);
  return arrays;
}

}  // namespace

nb::dlpack::dtype element_dtype(DType dtype) {
  if (dtype == DType::kBFloat16) return nb::dtype<int16_t>();
  if (dtype == DType::kFloat16) return {static_cast<uint8_t>(nb::dlpack::dtype_code::Float), 16, 1};
  return element_dtype(*type_kind(dtype));
}

nb::object tensor_to_numpy(const TensorInfo& info, int64_t rows, const Buffer& data) {
  const std::vector<int64_t> shape = tensor_shape(info, rows, data.size());
  return nb::cast(share<nb::numpy>(data, {shape.begin(), shape.end()}, element_dtype(info.dtype)));
}

nb::object tensor_to_dlpack(const TensorInfo& info, int64_t rows, const Buffer& data) {
  const std::vector<int64_t> shape = tensor_shape(info, rows, data.size());
  nb::dlpack::dtype dtype = element_dtype(info.dtype);
  if (info.dtype == DType::kBFloat16) dtype.code = static_cast<uint8_t>(nb::dlpack::dtype_code::Bfloat);
  return nb::cast(share<>(data, {shape.begin(), shape.end()}, dtype));
}

void bind_features(nb::module_& module) {
  nb::class_<TensorInfo>(module, "TensorInfo", "One tensor of a batch.")
      .def_ro("name", &TensorInfo::name)
      .def_prop_ro("dtype", [](const TensorInfo& info) { return dtype_name(info.dtype); })
      .def_prop_ro(
          "shape", [](const TensorInfo& info) { return nb::tuple(nb::cast(info.shape)); },
          nb::sig("def shape(self) -> tuple[int, ...]"), "Of one row: without what `axis` counts.")
      .def_prop_ro(
          "axis", [](const TensorInfo& info) { return axis_name(info.axis); },
          "What the first dimension counts: \"N\", the batch's rows; \"T\", the values of a packed group in "
          "all of them; \"N+1\", offsets; \"\": there is none.")
      .def_ro("channels", &TensorInfo::channels)
      .def_prop_ro(
          "role", [](const TensorInfo& info) { return role_name(info.role); },
          "\"input\", \"label\", \"weight\" or \"observer\".")
      .def("__repr__", [](const TensorInfo& info) {
        std::string text =
            concat("<TensorInfo ", info.name, ": ", dtype_name(info.dtype), " [", axis_name(info.axis));
        for (const int64_t extent : info.shape) text += concat(", ", extent);
        return text + "]>";
      });
  nb::class_<FeatureSpec>(module, "FeatureSpec", "What goes into a batch.")
      .def_static("from_json", &feature_spec_from_json, nb::arg("text"))
      .def("to_json", &to_json)
      .def_prop_ro("is_fitted", &FeatureSpec::is_fitted);
  module.def("check_portable", &check_portable, nb::arg("spec"),
             "Raises ConfigError where formulas call functions of a data set's own.");
  module.def(
      "make_tensors", &tensors_of, nb::arg("spec"), nb::arg("columns"),
      nb::sig(
          "def make_tensors(spec: FeatureSpec, columns: collections.abc.Mapping[str, Column]) -> dict[str, "
          "numpy.typing.NDArray[typing.Any]]"));
}
