#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cstring>

#include "bindings.h"
#include "sapwood/base/error.h"
#include "sapwood/column/arrow_interface.h"
#include "sapwood/column/column.h"
#include "sapwood/column/parse_type.h"
#include "tensors.h"

using sapwood::Column;
using sapwood::Type;
using sapwood::TypeKind;

namespace {

// Arrow's PyCapsule interface: https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html
template <class Struct>
void release_capsule(PyObject* capsule) {
  const char* name = PyCapsule_GetName(capsule);
  auto* exported = static_cast<Struct*>(PyCapsule_GetPointer(capsule, name));
  if (exported->release != nullptr) exported->release(exported);
  delete exported;
}

nb::object schema_capsule(const Type& type) {
  auto schema = std::make_unique<ArrowSchema>();
  sapwood::export_schema(type, "", schema.get());
  return nb::steal(PyCapsule_New(schema.release(), "arrow_schema", release_capsule<ArrowSchema>));
}

nb::object array_capsule(const Column& column) {
  auto array = std::make_unique<ArrowArray>();
  sapwood::export_array(column, array.get());
  return nb::steal(PyCapsule_New(array.release(), "arrow_array", release_capsule<ArrowArray>));
}

nb::ndarray<nb::numpy> offsets_to_numpy(const Column& column) {
  return share<nb::numpy>(column.offsets, {column.offset_span().size()}, nb::dtype<int64_t>());
}

nb::ndarray<nb::numpy> to_numpy(const Column& column) {
  std::vector<size_t> shape{static_cast<size_t>(column.length)};
  const Type* type = &column.type;
  for (; type->kind == TypeKind::kFixedList; type = &type->item())
    shape.push_back(static_cast<size_t>(type->fixed_size));
  return share<nb::numpy>(sapwood::fixed_width_values(column), shape, element_dtype(type->kind));
}

const char* kind_name(const Type& type) {
  switch (type.kind) {
    case TypeKind::kString:
      return "string";
    case TypeKind::kList:
      return "list";
    case TypeKind::kStruct:
      return "record";
    case TypeKind::kFixedList:
      return sapwood::fixed_entry_size(type) != 0 ? "fixed_list" : "list_array";
    default:
      return "number";
  }
}

Column from_arrow(nb::handle source) {
  const nb::tuple capsules = nb::cast<nb::tuple>(source.attr("__arrow_c_array__")());
  const auto* schema =
      static_cast<const ArrowSchema*>(PyCapsule_GetPointer(capsules[0].ptr(), "arrow_schema"));
  auto* array = static_cast<ArrowArray*>(PyCapsule_GetPointer(capsules[1].ptr(), "arrow_array"));
  if (schema == nullptr || array == nullptr) throw nb::python_error();
  return sapwood::import_array(*schema, array, sapwood::heap_pool());
}

// Whatever has a dtype that columns lack is refused.
TypeKind kind_of(nb::dlpack::dtype dtype) {
  for (int kind = 0; kind <= static_cast<int>(TypeKind::kFloat64); ++kind) {
    if (element_dtype(static_cast<TypeKind>(kind)) == dtype) return static_cast<TypeKind>(kind);
  }
  throw sapwood::SchemaError("only arrays of numbers are columns");
}

Column from_numpy(const nb::ndarray<nb::ro, nb::c_contig, nb::device::cpu>& array) {
  if (array.ndim() == 0) throw sapwood::SchemaError("a number is no column");
  Type type(kind_of(array.dtype()));
  for (size_t axis = array.ndim() - 1; axis > 0; --axis)
    type = Type::fixed_list(std::move(type), static_cast<int64_t>(array.shape(axis)));
  sapwood::Buffer values(array.nbytes(), sapwood::heap_pool());
  if (!values.empty()) std::memcpy(values.data(), array.data(), values.size());
  return sapwood::make_fixed_width_column(type, static_cast<int64_t>(array.shape(0)), std::move(values));
}

}  // namespace

nb::dlpack::dtype element_dtype(TypeKind kind) {
  switch (kind) {
    case TypeKind::kBool:
      return nb::dtype<bool>();
    case TypeKind::kInt8:
      return nb::dtype<int8_t>();
    case TypeKind::kInt16:
      return nb::dtype<int16_t>();
    case TypeKind::kInt32:
      return nb::dtype<int32_t>();
    case TypeKind::kInt64:
      return nb::dtype<int64_t>();
    case TypeKind::kUInt8:
      return nb::dtype<uint8_t>();
    case TypeKind::kUInt16:
      return nb::dtype<uint16_t>();
    case TypeKind::kUInt32:
      return nb::dtype<uint32_t>();
    case TypeKind::kUInt64:
      return nb::dtype<uint64_t>();
    case TypeKind::kFloat32:
      return nb::dtype<float>();
    case TypeKind::kFloat64:
      return nb::dtype<double>();
    default:
      throw sapwood::SchemaError("only columns of numbers, or fixed arrays of them, are NumPy arrays");
  }
}

void bind_column(nb::module_& module) {
  nb::class_<Column>(module, "Column",
                     "A decoded column in Arrow layout; shared with Arrow's consumers without a copy.")
      .def("__len__", [](const Column& column) { return column.length; })
      .def_prop_ro(
          "type", [](const Column& column) { return column.type.to_string(); },
          "Such as \"float32\", \"list<float32>\", \"int32[3]\".")
      .def_prop_ro(
          "kind", [](const Column& column) { return kind_name(column.type); },
          "\"number\", \"string\", \"list\", \"fixed_list\" (of numbers, at any depth), \"list_array\" (a "
          "fixed "
          "list of other things) or \"record\".")
      .def_prop_ro("nbytes", &Column::byte_size, "Bytes of all buffers.")
      .def("numpy", &to_numpy,
           "The values of a column of numbers, or of fixed arrays of them, without a copy.")
      .def_prop_ro("offsets", &offsets_to_numpy, nb::rv_policy::automatic,
                   "int64 [len + 1], of a list or string column: where each entry starts.")
      .def_prop_ro(
          "children", [](const Column& column) { return column.children; },
          "A list's items; a record's members.")
      .def_prop_ro("member_names",
                   [](const Column& column) {
                     std::vector<std::string> names;
                     for (const sapwood::Field& field : column.type.children) names.push_back(field.name);
                     return names;
                   })
      .def_prop_ro(
          "characters",
          [](const Column& column) {
            return nb::bytes(column.values.data(),
                             column.type.kind == TypeKind::kString ? column.values.size() : 0);
          },
          "The bytes of all strings of a string column.")
      .def("__arrow_c_schema__", [](const Column& column) { return schema_capsule(column.type); })
      .def(
          "__arrow_c_array__",
          [](const Column& column, const nb::object&) {
            return nb::make_tuple(schema_capsule(column.type), array_capsule(column));
          },
          nb::arg("requested_schema") = nb::none(),
          nb::sig(
              "def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]"))
      .def_static(
          "from_arrow", &from_arrow, nb::arg("array"),
          "A column from anything with Arrow's `__arrow_c_array__`; buffers are shared where layouts agree.")
      .def_static("from_numpy", &from_numpy, nb::arg("array"),
                  "A column from a contiguous array of numbers, copied; further axes become fixed lists.")
      .def_static(
          "empty",
          [](const std::string& type) {
            return sapwood::blank_column(sapwood::parse_type(type), 0, sapwood::heap_pool());
          },
          nb::arg("type"), "A column of such a type that has no entries.")
      .def(
          "identical", [](const Column& a, const Column& b) { return sapwood::identical(a, b); },
          nb::arg("other"), "Whether both have the same type and bit-equal values.");
}
