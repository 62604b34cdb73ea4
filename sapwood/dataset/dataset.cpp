#include "sapwood/dataset/dataset.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cmath>
#include <numeric>

#include "sapwood/base/parallel.h"
#include "sapwood/expr/expression.h"
#include "sapwood/features/expression_set.h"

namespace sapwood {
namespace {

constexpr const char* kLabelColumn = "sample_label";
constexpr const char* kWeightColumn = "sample_weight";
constexpr int64_t kUnitsToMix = 1024;  // of small data, at most, where its clusters are smaller still

// Weight of one entry of each sample: in proportion to weight / entries, with a mean of 1 over all entries
// that there are.
std::vector<double> weights_per_entry(const Source& source) {
  const std::vector<Sample>& samples = source.samples();
  std::vector<double> entries(samples.size(), 0);
  for (const FileInfo& file : source.files()) entries[file.sample] += static_cast<double>(file.num_entries);
  double total_weight = 0;
  for (size_t i = 0; i < samples.size(); ++i) total_weight += entries[i] > 0 ? *samples[i].weight : 0;
  std::vector<double> weights;
  for (size_t i = 0; i < samples.size(); ++i) {
    weights.push_back(*samples[i].weight / std::max(entries[i], 1.0) *
                      static_cast<double>(source.num_entries()) / total_weight);
  }
  return weights;
}

}  // namespace

std::shared_ptr<const Dataset> open(std::vector<Sample> samples, const std::string& tree,
                                    std::vector<Default> defaults) {
  const auto weighted = static_cast<size_t>(std::count_if(
      samples.begin(), samples.end(), [](const Sample& sample) { return sample.weight.has_value(); }));
  if (weighted != 0 && weighted != samples.size()) {
    throw ConfigError("some samples have a weight and some have none: give one to each");
  }
  double total = 0;
  for (const Sample& sample : samples) {
    total += sample.weight.value_or(0);
    if (sample.weight && !(*sample.weight > 0 && std::isfinite(total))) {
      throw ConfigError(concat("the weight of sample '", sample.label, "' is ", *sample.weight,
                               ", must be positive and finite"));
    }
  }
  return std::shared_ptr<const Dataset>(
      new Dataset(Source::open(std::move(samples), tree, std::move(defaults))));
}

std::shared_ptr<const Dataset> open(std::vector<std::string> paths, const std::string& tree) {
  std::vector<Sample> samples(1);
  samples.front().paths = std::move(paths);
  return open(std::move(samples), tree);
}

Dataset::Dataset(std::shared_ptr<const Source> source) : source_(std::move(source)) {
  std::vector<ColumnInfo> columns = source_->schema().columns();
  const auto add = [&](const char* name, TypeKind kind) {
    if (source_->schema().find(name)) return;  // the files have a column of that name already
    ColumnInfo info;
    info.name = name;
    info.type = {kind, 0, {}};
    info.stored_type = "of the data set, not in the files";
    info.is_member = kind == TypeKind::kInt64;  // the entry is there when it is asked for
    columns.push_back(std::move(info));
  };
  add(kEntryColumn, TypeKind::kInt64);
  if (!source_->samples().front().label.empty()) {
    add(kLabelColumn, TypeKind::kInt32);
    if (source_->samples().front().weight) {
      add(kWeightColumn, TypeKind::kFloat64);
      sample_weights_ = weights_per_entry(*source_);
    }
  }
  schema_ = Schema(std::move(columns));
  for (const FileInfo& file : source_->files()) {
    if (!file.table || file.table->row_column().empty()) continue;
    filters_.push_back({file.table->format(), file.table->row_column()});
    break;
  }
}

std::shared_ptr<const Dataset> Dataset::limit(int64_t entries) const {
  std::vector<int64_t> of_files;
  for (const FileInfo& file : source_->files()) {
    of_files.push_back(entries < 0 ? entries : std::max<int64_t>(0, entries - file.first_entry));
  }
  return limit_files(of_files);
}

std::shared_ptr<const Dataset> Dataset::limit_files(const std::vector<int64_t>& entries) const {
  auto limited = std::shared_ptr<Dataset>(new Dataset(source_->limited(entries)));
  if (filters_.size() > limited->filters_.size()) {
    throw ConfigError("limits count the entries of the files: put them before filters");
  }
  limited->schema_ = schema_;
  limited->friends_ = friends_;
  limited->chosen_ = chosen_;
  return limited;
}

std::shared_ptr<const Dataset> Dataset::define(const std::string& name, const std::string& formula) const {
  auto defined = std::make_shared<Dataset>(*this);
  defined->schema_ = with_definition(schema_, name, formula);
  if (chosen_ && !schema_.find(name)) defined->chosen_->push_back(name);
  return defined;
}

std::shared_ptr<const Dataset> Dataset::with_function(std::shared_ptr<const UserFunction> function) const {
  auto extended = std::make_shared<Dataset>(*this);
  extended->schema_ = sapwood::with_function(schema_, std::move(function));
  return extended;
}

std::shared_ptr<const Dataset> Dataset::filter(const std::string& condition, const std::string& name) const {
  const Expression expression(condition, schema_);
  if (expression.type().kind != TypeKind::kBool) {
    const bool is_lists = innermost_type(expression.type()).kind == TypeKind::kBool;
    throw SchemaError(point_at_result(
        condition, concat("the filter is ", expression.type().to_string(), ", must be bool for each entry",
                          is_lists ? ": any() or all() of it?" : "")));
  }
  if (expression.columns().empty()) throw ConfigError(concat("the filter '", condition, "' reads no column"));
  auto filtered = std::make_shared<Dataset>(*this);
  filtered->filters_.push_back({name.empty() ? condition : name, condition});
  return filtered;
}

std::shared_ptr<const Dataset> Dataset::sample(double fraction, uint64_t seed) const {
  if (!(fraction >= 0 && fraction <= 1))
    throw ConfigError(concat("the fraction is ", fraction, ", must be from 0 to 1"));
  std::array<char, 32> text{};  // of all digits
  const char* const end = std::to_chars(text.data(), text.data() + text.size(), fraction).ptr;
  const auto key = static_cast<int64_t>(seed & INT64_MAX);
  return filter(concat("uniform(", kEntryColumn, ", ", key, ") < ", std::string_view(text.data(), end)),
                "sample");
}

std::string Dataset::condition() const {
  if (filters_.size() == 1) return filters_.front().condition;
  std::string all;
  for (const Filter& filter : filters_) all += concat(all.empty() ? "(" : " && (", filter.condition, ")");
  return all;
}

std::shared_ptr<const Dataset> Dataset::only(std::vector<std::string> columns) const {
  if (columns.empty()) throw ConfigError("no columns are left");
  for (const std::string& column : columns) schema_.require(column);
  auto chosen = std::make_shared<Dataset>(*this);
  chosen->chosen_ = std::move(columns);
  return chosen;
}

std::vector<ColumnInfo> Dataset::listed_columns() const {
  std::vector<ColumnInfo> columns = schema_.columns();
  if (!source_->schema().find(kEntryColumn))
    std::erase_if(columns, [](const ColumnInfo& column) { return column.name == kEntryColumn; });
  return columns;
}

std::vector<std::string> Dataset::readable_columns() const {
  if (chosen_) return *chosen_;
  std::vector<std::string> names;
  for (const ColumnInfo& column : schema_.columns()) {
    if (column.unsupported.empty() && !column.is_member) names.push_back(column.name);
  }
  return names;
}

Selection Dataset::select(const std::vector<std::string>& columns) const {
  Selection selection;
  for (const std::string& name : columns) {
    const ColumnInfo& info = schema_[schema_.require(name)];
    if (!info.definition.empty())
      throw ConfigError(concat("the column '", name, "' is not stored but defined by a formula"));
    Selection::Place place{name, info.type, std::nullopt};
    if (source_->schema().find(name)) {
      place.stored = selection.stored.size();
      selection.stored.push_back(name);
    }
    selection.columns.push_back(std::move(place));
  }
  return selection;
}

Survey Dataset::survey(const Selection& selection, bool to_mix) const {
  const int64_t target_entries = to_mix ? num_entries() / kUnitsToMix : INT64_MAX;
  std::vector<Survey> of_file(source_->files().size());
  parallel_for(of_file.size(), available_threads(), [&](size_t file) {
    const TableOutline table = source_->outline(file, selection.stored);
    of_file[file].units = plan_units(
        table, file, {.target_entries = target_entries, .max_entries = source_->files()[file].num_entries});
    for (const ColumnOutline& column : table.columns)
      of_file[file].values_per_entry.push_back(column.values_per_entry);
  });
  Survey survey;
  for (const Survey& part : of_file)
    survey.units.insert(survey.units.end(), part.units.begin(), part.units.end());
  for (const Selection::Place& column : selection.columns) {
    double values = 0;
    for (size_t file = 0; file < of_file.size(); ++file) {
      const double each = column.stored ? of_file[file].values_per_entry[*column.stored] : 1;
      values += each * static_cast<double>(source_->files()[file].num_entries);
    }
    survey.values_per_entry.push_back(values / std::max(1.0, static_cast<double>(num_entries())));
  }
  return survey;
}

std::vector<EntryRange> Dataset::pieces(const std::vector<std::string>& expressions, uint64_t bytes) const {
  ExpressionSet read;
  for (const std::string& expression : expressions) read.add(expression, schema_);
  if (!filters_.empty()) read.add(condition(), schema_);
  std::vector<EntryRange> pieces;
  uint64_t taken = 0;
  for (const Unit& unit : units(select(read.columns()))) {
    const int64_t first = source_->files()[unit.file].first_entry;
    if (pieces.empty() || taken + unit.decoded_bytes > bytes) {
      pieces.push_back({first + unit.entries.start, first + unit.entries.start});
      taken = 0;
    }
    pieces.back().stop = first + unit.entries.stop;
    taken += unit.decoded_bytes;
  }
  if (pieces.empty()) pieces.emplace_back();
  return pieces;
}

double Dataset::straddling(const std::vector<Unit>& units, const Selection& selection) const {
  std::atomic<uint64_t> stored_once{0};
  parallel_for(source_->files().size(), available_threads(), [&](size_t file) {
    for (const ColumnOutline& column : source_->outline(file, selection.stored).columns) {
      for (const StorageBlock& block : column.blocks) {
        if (block.first_entry < source_->files()[file].num_entries) stored_once += block.uncompressed_bytes;
      }
    }
  });
  uint64_t decoded = 0;
  for (const Unit& unit : units) decoded += unit.decoded_bytes;
  if (decoded <= stored_once) return 0;
  return static_cast<double>(decoded - stored_once) / static_cast<double>(decoded);
}

FetchedUnit Dataset::fetch(const Unit& unit, const Selection& selection,
                           const std::shared_ptr<MemoryPool>& pool, const std::stop_token& stop) const {
  const ErrorContext context{source_->files()[unit.file].path, source_->tree(), {}, unit.entries};
  return with_context(context, [&] {
    auto reader = source_->reader(unit.file);
    auto fetched =
        reader->fetch(source_->column_indices(*reader, selection.stored), unit.entries, pool, stop);
    return FetchedUnit{unit, std::move(reader), std::move(fetched)};
  });
}

Column Dataset::decode(const FetchedUnit& fetched, const Selection& selection, size_t position,
                       const std::shared_ptr<MemoryPool>& pool, const Buffer& destination) const {
  const Selection::Place& column = selection.columns[position];
  const Unit& unit = fetched.unit;
  const ErrorContext context{fetched.reader->file(), fetched.reader->object(), column.name, unit.entries};
  return with_context(context, [&] {
    if (column.stored) return fetched.reader->decode(*fetched.columns, *column.stored, pool, destination);
    const size_t bytes = fixed_entry_size(column.type) * static_cast<size_t>(unit.entries.size());
    return sample_column(column, unit, destination.empty() ? Buffer(bytes, pool) : destination);
  });
}

std::vector<Column> Dataset::decode(FetchedUnit& fetched, const Selection& selection,
                                    const std::shared_ptr<MemoryPool>& pool,
                                    const std::stop_token& stop) const {
  std::vector<Column> columns;
  for (size_t c = 0; c < selection.columns.size(); ++c) {
    if (stop.stop_requested()) throw CancelledError("reading was cancelled");
    columns.push_back(decode(fetched, selection, c, pool));
  }
  fetched.columns.reset();
  return columns;
}

Column Dataset::sample_column(const Selection::Place& column, const Unit& unit, Buffer values) const {
  const FileInfo& file = source_->files()[unit.file];
  const size_t sample = file.sample;
  if (column.name == kEntryColumn) {
    std::iota(values.as<int64_t>().begin(), values.as<int64_t>().end(),
              file.first_entry + unit.entries.start);
  } else if (column.name == kLabelColumn) {
    std::ranges::fill(values.as<int32_t>(), static_cast<int32_t>(sample));
  } else {
    std::ranges::fill(values.as<double>(), sample_weights_[sample]);
  }
  return make_fixed_width_column(column.type, unit.entries.size(), std::move(values));
}

}  // namespace sapwood
