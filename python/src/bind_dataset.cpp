#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "bindings.h"
#include "sapwood/dataset/cut_flow.h"
#include "sapwood/dataset/dataset.h"
#include "sapwood/dataset/fit.h"
#include "sapwood/features/expression_set.h"
#include "user_function.h"

using namespace sapwood;

namespace {

std::shared_ptr<const Dataset> open_dataset(const std::vector<Sample>& samples, const std::string& tree,
                                            const std::vector<std::pair<std::string, double>>& defaults) {
  std::vector<Default> of_columns;
  for (const auto& [column, value] : defaults) of_columns.push_back({column, value});
  return run_interruptibly([&](const std::stop_token&) { return sapwood::open(samples, tree, of_columns); });
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

std::vector<Statistics> scan_expressions(const Dataset& dataset, const std::vector<std::string>& expressions,
                                         size_t threads) {
  return run_interruptibly([&](const std::stop_token& stop) {
    return scan(dataset, expressions, {.threads = threads, .stop = stop});
  });
}

std::vector<std::pair<int64_t, int64_t>> pieces(const Dataset& dataset,
                                                const std::vector<std::string>& expressions, uint64_t bytes) {
  std::vector<std::pair<int64_t, int64_t>> ranges;
  for (const EntryRange& range : dataset.pieces(expressions, bytes))
    ranges.emplace_back(range.start, range.stop);
  return ranges;
}

std::vector<Cut> count_cuts(const Dataset& dataset, size_t threads) {
  return run_interruptibly(
      [&](const std::stop_token& stop) { return cut_flow(dataset, {.threads = threads, .stop = stop}); });
}

FeatureSpec fit_spec(const Dataset& dataset, const FeatureSpec& spec, size_t threads) {
  return run_interruptibly(
      [&](const std::stop_token& stop) { return fit(dataset, spec, {.threads = threads, .stop = stop}); });
}

std::string expression_type(const Dataset& dataset, const std::string& expression) {
  ExpressionSet expressions;
  return expressions.type(expressions.add(expression, dataset.schema())).to_string();
}

// Those that are Python's, with their names.
std::vector<std::pair<std::string, nb::object>> functions_of(const Dataset& dataset) {
  std::vector<std::pair<std::string, nb::object>> found;
  for (const auto& function : dataset.schema().functions()) {
    const auto* of_python = dynamic_cast<const PythonFunction*>(function.get());
    if (of_python != nullptr) found.emplace_back(of_python->name(), of_python->function());
  }
  return found;
}

}  // namespace

void bind_dataset(nb::module_& module) {
  nb::class_<Sample>(module, "Sample", "Files that belong together, with a label and a weight.")
      .def(
          "__init__",
          [](Sample* sample, std::string label, std::vector<std::string> paths, std::optional<double> weight,
             std::vector<std::shared_ptr<const Reader>> tables) {
            new (sample) Sample{std::move(label), std::move(paths), weight, std::move(tables)};
          },
          nb::arg("label"), nb::arg("paths"), nb::arg("weight").none() = nb::none(),
          nb::arg("tables") = std::vector<std::shared_ptr<const Reader>>{})
      .def_ro("label", &Sample::label)
      .def_ro("paths", &Sample::paths)
      .def_ro("weight", &Sample::weight);
  nb::class_<FileInfo>(module, "FileInfo", "A file of a data set.")
      .def_ro("path", &FileInfo::path)
      .def_ro("first_entry", &FileInfo::first_entry)
      .def_ro("num_entries", &FileInfo::num_entries)
      .def_ro("sample", &FileInfo::sample)
      .def_ro("warning", &FileInfo::warning,
              "What to know before the file is taken for whole, as that it was not closed; else empty.")
      .def_prop_ro(
          "clusters",
          [](const FileInfo& file) {
            std::vector<std::pair<int64_t, int64_t>> ranges;
            for (const EntryRange& range : file.clusters) ranges.emplace_back(range.start, range.stop);
            return ranges;
          },
          "Entry ranges (start, stop) in which the file was written, in its own entries.");
  nb::class_<Statistics>(module, "Statistics",
                         "What one pass over the data says of an expression. NaN is counted and left out.")
      .def_ro("expression", &Statistics::expression)
      .def_ro("entries", &Statistics::entries)
      .def_ro("values", &Statistics::values, "Without NaN; innermost ones of lists.")
      .def_ro("nans", &Statistics::nans)
      .def_ro("min", &Statistics::min)
      .def_ro("max", &Statistics::max)
      .def_ro("mean", &Statistics::mean)
      .def_ro("standard_deviation", &Statistics::standard_deviation,
              "Of the population: divided by `values`.")
      .def_ro("max_multiplicity", &Statistics::max_multiplicity, "Values, with NaN, in the fullest entry.")
      .def("__repr__", [](const Statistics& s) {
        return concat("<Statistics of ", s.expression, ": ", s.values, " values in ", s.entries,
                      " entries (at most ", s.max_multiplicity, "), ", s.nans, " NaN, min ", s.min, ", max ",
                      s.max, ", mean ", s.mean, ", standard deviation ", s.standard_deviation, ">");
      });
  nb::class_<Filter>(module, "Filter", "A condition that rows have to pass.")
      .def_ro("name", &Filter::name)
      .def_ro("condition", &Filter::condition);
  nb::class_<Dataset::Friend>(module, "Friend", "A data set that was joined to another.")
      .def_ro("data", &Dataset::Friend::data)
      .def_ro("prefix", &Dataset::Friend::prefix)
      .def_ro("entries", &Dataset::Friend::entries, "Of each file of the other, when it was joined.")
      .def_prop_ro("keys", [](const Dataset::Friend& joined) { return joined.keys.columns; })
      .def_prop_ro("may_lack", [](const Dataset::Friend& joined) { return joined.keys.may_lack; });
  nb::class_<Cut>(module, "Cut", "What a filter leaves.")
      .def_ro("name", &Cut::name)
      .def_ro("before", &Cut::before, "Rows that reach it.")
      .def_ro("after", &Cut::after, "Of these, rows that pass.");
  nb::class_<Dataset>(module, "Dataset", "Files opened as one table.")
      .def_prop_ro("num_entries", &Dataset::num_entries)
      .def_prop_ro("tree", [](const Dataset& dataset) { return dataset.source().tree(); })
      .def_prop_ro("format", [](const Dataset& dataset) { return dataset.source().format(); })
      .def_prop_ro("files", [](const Dataset& dataset) { return dataset.source().files(); })
      .def_prop_ro("aliases",
                   [](const Dataset& dataset) {
                     std::vector<std::pair<std::string, std::string>> aliases;
                     for (const Alias& alias : dataset.source().reader(0)->aliases())
                       aliases.emplace_back(alias.name, alias.formula);
                     return aliases;
                   })
      .def_prop_ro("friend_tables",
                   [](const Dataset& dataset) {
                     std::vector<std::tuple<std::string, std::string, std::string>> tables;
                     for (const FriendTable& other : dataset.source().reader(0)->friends())
                       tables.emplace_back(other.name, other.tree, other.file);
                     return tables;
                   })
      .def_prop_ro("defaults",
                   [](const Dataset& dataset) {
                     std::vector<std::pair<std::string, double>> defaults;
                     for (const auto& [column, value] : dataset.source().defaults())
                       defaults.emplace_back(column, value);
                     return defaults;
                   })
      .def_prop_ro("samples", [](const Dataset& dataset) { return dataset.source().samples(); })
      .def_prop_ro("schema", &Dataset::listed_columns)
      .def_prop_ro("readable_columns", &Dataset::readable_columns)
      .def("limit", &Dataset::limit, nb::arg("entries"))
      .def("limit_files", &Dataset::limit_files, nb::arg("entries"))
      .def(
          "with_friend",
          [](const Dataset& dataset, std::shared_ptr<const Dataset> other, const std::string& prefix,
             std::vector<std::string> keys, bool may_lack) {
            return run_interruptibly([&](const std::stop_token&) {
              return dataset.with_friend(std::move(other), prefix, {std::move(keys), may_lack});
            });
          },
          nb::arg("other"), nb::arg("prefix") = "", nb::arg("keys") = std::vector<std::string>{},
          nb::arg("may_lack") = false)
      .def_prop_ro("friends", &Dataset::friends)
      .def("define", &Dataset::define, nb::arg("name"), nb::arg("formula"))
      .def(
          "with_function",
          [calls = python_calls()](const Dataset& dataset, std::string name, nb::object function,
                                   const std::string& returns, bool elementwise) {
            return dataset.with_function(std::make_shared<PythonFunction>(
                std::move(name), std::move(function), returns, elementwise, calls));
          },
          nb::arg("name"), nb::arg("function"), nb::arg("returns"), nb::arg("elementwise"),
          "`function` takes a list of columns and gives one.")
      .def_prop_ro("functions", &functions_of, nb::sig("def functions(self) -> list[tuple[str, typing.Any]]"),
                   "The names and the functions of `with_function`.")
      .def("filter", &Dataset::filter, nb::arg("condition"), nb::arg("name") = "")
      .def("sample", &Dataset::sample, nb::arg("fraction"), nb::arg("seed"))
      .def("only", &Dataset::only, nb::arg("columns"))
      .def_prop_ro("filters", &Dataset::filters)
      .def_prop_ro("chosen_columns", &Dataset::chosen_columns)
      .def("pieces", &pieces, nb::arg("expressions"), nb::arg("bytes"),
           "Ranges of entries whose columns take about so many bytes.")
      .def("cut_flow", &count_cuts, nb::arg("threads") = 0)
      .def("arrays", &read_arrays, nb::arg("columns"), nb::arg("entry_start") = 0,
           nb::arg("entry_stop").none() = nb::none(), nb::arg("threads") = 0)
      .def("scan", &scan_expressions, nb::arg("expressions"), nb::arg("threads") = 0)
      .def("fit", &fit_spec, nb::arg("spec"), nb::arg("threads") = 0)
      .def(
          "columns_read",
          [](const Dataset& dataset, const FeatureSpec& spec) {
            return columns_read(spec, dataset.schema());
          },
          nb::arg("spec"))
      .def(
          "complete",
          [](const Dataset& dataset, const FeatureSpec& spec) { return complete(spec, dataset.schema()); },
          nb::arg("spec"), "With those definitions of the data set that it uses.")
      .def("expression_type", &expression_type, nb::arg("expression"));
  module.def("open_dataset", &open_dataset, nb::arg("samples"), nb::arg("tree") = "",
             nb::arg("defaults") = std::vector<std::pair<std::string, double>>{});
}
