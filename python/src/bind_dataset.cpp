#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "bindings.h"
#include "sapwood/dataset/dataset.h"

using namespace sapwood;

namespace {

std::shared_ptr<const Dataset> open_dataset(const std::vector<Sample>& samples, const std::string& tree) {
  return run_interruptibly([&](const std::stop_token&) { return sapwood::open(samples, tree); });
}

std::vector<Column> read_arrays(const Dataset& dataset, const std::vector<std::string>& columns,
                                int64_t entry_start, std::optional<int64_t> entry_stop, size_t threads) {
  return run_interruptibly([&](const std::stop_token& stop) {
    ArraysOptions options;
    options.entries = EntryRange{entry_start, entry_stop.value_or(dataset.num_entries())};
    options.threads = threads;
    options.stop = stop;
    return dataset.arrays(columns, options);
  });
}

}  // namespace

void bind_dataset(nb::module_& module) {
  nb::class_<Sample>(module, "Sample", "Files that belong together, with a label and a weight.")
      .def(
          "__init__",
          [](Sample* sample, std::string label, std::vector<std::string> paths,
             std::optional<double> weight) {
            new (sample) Sample{std::move(label), std::move(paths), weight};
          },
          nb::arg("label"), nb::arg("paths"), nb::arg("weight").none() = nb::none())
      .def_ro("label", &Sample::label)
      .def_ro("paths", &Sample::paths)
      .def_ro("weight", &Sample::weight);
  nb::class_<FileInfo>(module, "FileInfo", "A file of a data set.")
      .def_ro("path", &FileInfo::path)
      .def_ro("first_entry", &FileInfo::first_entry)
      .def_ro("num_entries", &FileInfo::num_entries)
      .def_ro("sample", &FileInfo::sample)
      .def_prop_ro(
          "clusters",
          [](const FileInfo& file) {
            std::vector<std::pair<int64_t, int64_t>> ranges;
            for (const EntryRange& range : file.clusters) ranges.emplace_back(range.start, range.stop);
            return ranges;
          },
          "Entry ranges (start, stop) in which the file was written, in its own entries.");
  nb::class_<Dataset>(module, "Dataset", "Files opened as one table.")
      .def_prop_ro("num_entries", &Dataset::num_entries)
      .def_prop_ro("tree", [](const Dataset& dataset) { return dataset.source().tree(); })
      .def_prop_ro("format", [](const Dataset& dataset) { return dataset.source().format(); })
      .def_prop_ro("files", [](const Dataset& dataset) { return dataset.source().files(); })
      .def_prop_ro("samples", [](const Dataset& dataset) { return dataset.source().samples(); })
      .def_prop_ro("schema", [](const Dataset& dataset) { return dataset.schema().columns(); })
      .def_prop_ro("readable_columns", &Dataset::readable_columns)
      .def("arrays", &read_arrays, nb::arg("columns"), nb::arg("entry_start") = 0,
           nb::arg("entry_stop").none() = nb::none(), nb::arg("threads") = 0);
  module.def("open_dataset", &open_dataset, nb::arg("samples"), nb::arg("tree") = "");
}
