#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "bindings.h"
#include "sapwood/codec/decompress.h"
#include "sapwood/column/reader.h"
#include "sapwood/column/schema.h"
#include "sapwood/frame/frame_reader.h"
#include "sapwood/io/random_access_file.h"
#include "sapwood/source/open.h"

using namespace sapwood;

void bind_source(nb::module_& module) {
  nb::class_<ColumnInfo>(module, "ColumnInfo", "What is known of a column before any of it is read.")
      .def_ro("name", &ColumnInfo::name)
      .def_prop_ro(
          "type",
          [](const ColumnInfo& info) { return info.unsupported.empty() ? info.type.to_string() : ""; },
          "Such as \"float32\", \"list<float32>\"; empty when it can't be read.")
      .def_ro("stored_type", &ColumnInfo::stored_type, "The type in the file's own words.")
      .def_ro("unsupported", &ColumnInfo::unsupported, "Why it can't be read; empty when it can.")
      .def_ro("definition", &ColumnInfo::definition, "The formula that gives it; empty when it is stored.")
      .def_ro("is_member", &ColumnInfo::is_member,
              "A part of another column, left out when all are asked for.")
      .def_ro("compressed_bytes", &ColumnInfo::compressed_bytes)
      .def_ro("uncompressed_bytes", &ColumnInfo::uncompressed_bytes)
      .def_ro("values_per_entry", &ColumnInfo::values_per_entry,
              "Mean number of innermost values in an entry.")
      .def("__repr__", [](const ColumnInfo& info) {
        return concat("<ColumnInfo ", info.name, ": ",
                      info.unsupported.empty() ? info.type.to_string() : info.stored_type + " (not read yet)",
                      ">");
      });
  nb::class_<ObjectInfo>(module, "ObjectInfo", "An object stored in a file.")
      .def_ro("path", &ObjectInfo::path)
      .def_ro("class_name", &ObjectInfo::class_name)
      .def_ro("cycle", &ObjectInfo::cycle)
      .def_ro("stored_bytes", &ObjectInfo::stored_bytes);
  nb::class_<TableInfo>(module, "TableInfo", "A tree or n-tuple in a file.")
      .def_ro("path", &TableInfo::path)
      .def_ro("format", &TableInfo::format);

  nb::class_<Reader>(module, "Table", "A table that is open.");
  module.def(
      "open_frame",
      [](uintptr_t calls) {
        return run_interruptibly([&](const auto&) -> std::shared_ptr<const Reader> {
          return std::make_shared<FrameReader>(reinterpret_cast<const FrameCalls*>(calls));
        });
      },
      nb::arg("calls"), "The frame at this address of a FrameCalls, which is taken over.");
  module.def(
      "list_objects",
      [](const std::string& path) {
        return run_interruptibly([&](const auto&) { return list_objects(path); });
      },
      nb::arg("path"), "Every key of a ROOT file.");
  module.def(
      "list_tables",
      [](const std::string& path) {
        return run_interruptibly([&](const auto&) { return list_tables(path); });
      },
      nb::arg("path"), "The trees and n-tuples of a ROOT file.");
  module.def("resolve_paths", &io::resolve_paths, nb::arg("pattern"),
             "The files that a path, glob or URI names.");
  module.def("codecs", &codec::built_in, "Compression algorithms that are built in.");
}
