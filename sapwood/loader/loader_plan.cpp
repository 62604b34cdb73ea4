#include "sapwood/loader/loader_plan.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

#include "sapwood/base/hash.h"
#include "sapwood/features/row_format.h"

namespace sapwood {
namespace {

constexpr double kIndexBytes = 16 + 16;  // of a row, staged and in the sorted bucket
// All staged rows over M: a full window, buckets that have left it, chunks that are not full.
constexpr double kStagingRoom = 1.45;
constexpr uint64_t kEndless = uint64_t{1} << 56;  // for `kUnlimitedMemory`: sums of it don't overflow
constexpr uint64_t kReadyOfEndless = uint64_t{1} << 27;
constexpr double kCacheBytes = 5;    // of a row, beside it
constexpr double kSplitEdge = 1e-6;  // of a row, that a fraction may be off the edge between two

// Shares that let the largest unit through and leave the rest to the shuffle. They don't depend on the number
// of threads, nor does the order of the rows therefore.
MemoryShares share_memory(uint64_t memory, const std::vector<Unit>& units, const Selection& selection,
                          double work_bytes, bool prefiltered) {
  uint64_t largest = 0;
  for (const Unit& unit : units) {
    const uint64_t fetching = prefiltered ? unit.decoded_bytes : 0;
    largest = std::max(largest, unit.stored_bytes + fetching + decoding_bytes(unit, selection, work_bytes));
  }
  if (memory == LoaderOptions::kUnlimitedMemory) {
    return {.total = kEndless, .staging = kEndless / 2, .units = kEndless / 4, .ready = kReadyOfEndless};
  }
  const auto percent = [memory](uint64_t share) { return memory / 100 * share; };
  MemoryShares shares;
  shares.total = memory;
  shares.ready = percent(10);
  shares.units = std::max(percent(45), largest);
  const uint64_t taken = shares.ready + shares.units + percent(5);  // blocks are rounded up
  if (taken + percent(10) > memory) {
    throw ConfigError(concat("memory is ", memory, " bytes, but the largest unit of work takes ", largest,
                             ": give at least ", largest * 4 / 3 + 100, " bytes"));
  }
  shares.staging = memory - taken;
  return shares;
}

// At least three batches, delivered, ready and being made, are held at a time.
void check_batch_bytes(int64_t rows, double row_bytes, uint64_t memory) {
  const double fitting = static_cast<double>(memory) / (4 * row_bytes);
  if (static_cast<double>(rows) <= fitting) return;
  throw ConfigError(concat("batches of ", rows, " rows of ", std::llround(row_bytes),
                           " bytes don't fit in memory (", memory,
                           " bytes): ", std::llround(std::floor(fitting)), " rows would"));
}

}  // namespace

void LoaderSettings::plan_reading() {
  std::vector<std::string> columns = format->columns();
  division_columns.assign(divisions.size(), {});
  double division_bytes = 0;
  std::vector<std::string> of_others;  // besides the first division
  for (size_t d = divisions.size(); d-- > 0;) {
    of_others = columns;
    division_columns[d] = add_columns(columns, divisions[d].division->columns());
    division_bytes += divisions[d].division->work_bytes();
  }
  selection = everything_read = dataset->select(columns);
  auto [read, values_per_entry] = dataset->survey(selection, options.shuffle);
  units = std::make_shared<std::vector<Unit>>(std::move(read));
  prefilter.reset();
  // Of a balanced loader, whose cells know the divisions' rows, there are none.
  if (!dataset->filters().empty() && !divisions.empty() && dataset->source().is_ordered()) {
    plan_prefilter(of_others);
  }
  values_per_entry.resize(format->columns().size());
  row_bytes = format->expected_row_bytes(values_per_entry);
  batch_row_bytes = format->expected_tensor_bytes(values_per_entry);
  work_bytes = format->expected_work_bytes(values_per_entry) + division_bytes;
  take_files(std::move(files));
}

// The filters' columns are read first where they are a small part of all.
void LoaderSettings::plan_prefilter(const std::vector<std::string>& other_columns) {
  const auto stored_and_decoded = [](const std::vector<Unit>& of) {
    std::pair<uint64_t, uint64_t> bytes;
    for (const Unit& unit : of) {
      bytes.first += unit.stored_bytes;
      bytes.second += unit.decoded_bytes;
    }
    return bytes;
  };
  Selection of_filters = dataset->select(divisions.front().division->columns());
  const auto [stored, decoded] = stored_and_decoded(dataset->units(of_filters));
  const auto [all_stored, all_decoded] = stored_and_decoded(*units);
  if (2 * stored > all_stored || 2 * decoded > all_decoded) return;
  prefilter = {divisions.front(), std::move(of_filters)};
  selection = dataset->select(other_columns);
}

void LoaderSettings::take_files(std::vector<size_t> wanted) {
  files = std::move(wanted);
  std::vector<Unit> left = *units;
  for (Unit& unit : left) {
    const EntryRange& range = ranges[unit.file];
    unit.entries = {std::max(unit.entries.start, range.start), std::min(unit.entries.stop, range.stop)};
  }
  std::erase_if(left, [&](const Unit& unit) {
    return unit.entries.size() <= 0 || !std::ranges::binary_search(files, unit.file);
  });
  num_entries = 0;
  for (const Unit& unit : left) num_entries += unit.entries.size();
  units = std::make_shared<std::vector<Unit>>(std::move(left));
  fit_memory();
}

void LoaderSettings::take_balance(const Balance& balance) {
  check_balance(balance);
  const std::vector<DivisionPart> divided = std::exchange(divisions, {});
  if (!divided.empty()) plan_reading();  // cells know the divisions' rows
  const CellSource source{dataset, units, files, part, split, divided};
  auto cells = std::make_shared<const Cells>(balance, source, options.threads, options.memory);
  Quotas quotas = plan_quotas(balance, cells->classes(), cells->rows());
  work_bytes += cells->code_bytes();
  balanced = std::make_shared<const BalancedRows>(BalancedRows{std::move(cells), std::move(quotas)});
  fit_memory();
}

// What `memory` has room for, besides the rows of a batch that is put together.
int64_t LoaderSettings::fitting_rows() const {
  const double fitting = static_cast<double>(memory.staging) / (kStagingRoom * (row_bytes + kIndexBytes));
  if (static_cast<double>(most_rows()) <= fitting) return std::llround(fitting);
  if (static_cast<double>(batch_rows) > fitting / 2) {
    throw ConfigError(concat(
        "batches of ", batch_rows, " rows of ", std::llround(row_bytes), " bytes don't fit in memory (",
        options.memory, " bytes) beside a shuffle buffer: ", std::max<int64_t>(1, std::llround(fitting / 2)),
        " rows would"));
  }
  return std::llround(fitting) - batch_rows;
}

void LoaderSettings::set_buffer_rows(int64_t wanted) {
  const int64_t fitting = fitting_rows();
  if (wanted > fitting && wanted < most_rows()) {
    throw ConfigError(concat("buffer_rows is ", wanted, ", but memory (", options.memory,
                             " bytes) has room for about ", fitting, " rows of ", std::llround(row_bytes),
                             " bytes"));
  }
  buffer_rows = std::min(wanted, fitting);
}

void LoaderSettings::fit_memory() {
  // A batch that holds all there is, and is never full.
  batch_rows = std::min(options.batch_size, most_rows() + 1);
  const bool unlimited = options.memory == LoaderOptions::kUnlimitedMemory;
  const uint64_t kept = keeps_parts() && !unlimited ? parts_bytes() : 0;
  memory = share_memory(options.memory - kept, *units, selection, work_bytes, prefilter.has_value());
  check_batch_bytes(batch_rows, batch_row_bytes, options.memory);
  set_buffer_rows(options.buffer_rows.value_or(fitting_rows()));
  // Rows that stay are not copied into the shuffle buffer, which only refers to them.
  const double referred = static_cast<double>(most_rows()) * kIndexBytes;
  const bool all_stay = buffer_rows >= most_rows() &&
                        kStagingRoom * referred + cached_bytes() <= static_cast<double>(memory.staging);
  const double buffered = all_stay ? referred
                                   : static_cast<double>(std::min(buffer_rows, most_rows()) + batch_rows) *
                                         (row_bytes + kIndexBytes);
  const double room = static_cast<double>(memory.staging) - kStagingRoom * buffered;
  memory.cache = options.cache ? static_cast<uint64_t>(std::max(room, 0.0)) : 0;
  pools = std::make_shared<LoaderPools>(memory);
}

double LoaderSettings::kept() const {
  double share = part.share();
  for (const DivisionPart& divided : divisions) share *= divided.division->share(divided.parts);
  return share;
}

double LoaderSettings::cached_bytes() const {
  return static_cast<double>(num_entries) * (row_bytes + kCacheBytes);
}

double LoaderSettings::cached_share() const {
  const double all = cached_bytes();
  return all > 0 ? std::min(1.0, static_cast<double>(memory.cache) / all) : 0;
}

std::vector<std::vector<size_t>> LoaderSettings::part_files(const std::vector<double>& fractions) const {
  auto parts = sapwood::part_files(dataset->source().files(), files, fractions, *options.seed);
  if (std::ranges::any_of(parts, [](const auto& of_part) { return of_part.empty(); })) {
    throw ConfigError(concat(files.size(), files.size() == 1 ? " file is" : " files are",
                             " too few for these parts, one of which would get none"));
  }
  return parts;
}

uint64_t LoaderSettings::data_hash() const {
  std::vector<uint64_t> numbers(sample_of_file.begin(), sample_of_file.end());
  for (const Unit& unit : *units) {
    numbers.insert(numbers.end(), {unit.file, static_cast<uint64_t>(unit.entries.start),
                                   static_cast<uint64_t>(unit.entries.stop), unit.stored_bytes});
  }
  for (const DivisionPart& divided : divisions) {
    numbers.push_back(divided.division->identity());
    for (size_t p = 0; p < divided.parts.size(); ++p) numbers.push_back(divided.parts[p] ? 1 : 0);
  }
  if (balanced) {
    numbers.push_back(balanced->cells->identity());
    for (const auto* rows : {&balanced->cells->rows(), &balanced->quotas.of_cells})
      numbers.insert(numbers.end(), rows->begin(), rows->end());
  }
  return xxh3_64(std::as_bytes(std::span(numbers)));
}

uint64_t LoaderSettings::features_hash() const {
  const std::string text = to_json(options.features);
  return xxh3_64(std::as_bytes(std::span(text)));
}

const std::vector<int64_t>& LoaderPlan::unit_rows() {
  const std::lock_guard lock(mutex_);
  if (rows_) return *rows_;
  if (!divisions.empty()) {
    if (!keeps_parts()) {
      throw ConfigError(concat(
          "counting the rows of a split by values, for its length, ranks or restarts, takes ", parts_bytes(),
          " bytes, which must be at most a quarter of memory (", options.memory, " bytes)"));
    }
    test_ = std::make_unique<DivisionTest>(divisions, *dataset, options.threads, options.memory);
  }
  rows_ = count_rows(*units, {{part, split}, test_.get()}, options.threads);
  return *rows_;
}

int64_t LoaderPlan::num_rows() {
  if (balanced || everything()) return most_rows();
  const std::vector<int64_t>& counts = unit_rows();
  return std::accumulate(counts.begin(), counts.end(), int64_t{0});
}

std::vector<std::vector<EntryRange>> LoaderPlan::part_ranges(const std::vector<double>& fractions) {
  const bool counts = !everything();
  const std::vector<int64_t> rows_of_units = counts ? unit_rows() : std::vector<int64_t>();
  const RowTest test{{part, split}, test_.get()};
  struct Sample {
    std::vector<int64_t> ends;  // of parts, in rows
    int64_t rows = 0;           // so far
    size_t part = 0;
  };
  std::map<size_t, Sample> samples;
  const auto rows_of = [&](size_t u) { return counts ? rows_of_units[u] : (*units)[u].entries.size(); };
  for (size_t u = 0; u < units->size(); ++u) samples[sample_of_file[(*units)[u].file]].rows += rows_of(u);
  for (auto& [number, sample] : samples) {
    double end = 0;
    for (const double fraction : fractions) {
      end = std::min(end + fraction, 1.0);
      sample.ends.push_back(std::llround(std::ceil(static_cast<double>(sample.rows) * end - kSplitEdge)));
    }
    sample.rows = 0;
  }

  std::vector<std::vector<EntryRange>> parts(fractions.size(), std::vector<EntryRange>(ranges.size()));
  for (size_t u = 0; u < units->size(); ++u) {
    const Unit& unit = (*units)[u];
    Sample& sample = samples[sample_of_file[unit.file]];
    const int64_t rows_after = sample.rows + rows_of(u);
    int64_t entry = unit.entries.start;
    for (; sample.part < parts.size(); ++sample.part) {
      EntryRange& range = parts[sample.part][unit.file];
      if (range.size() == 0) range = {entry, entry};
      const int64_t end = sample.ends[sample.part];
      if (end > rows_after) {
        range.stop = unit.entries.stop;
        break;
      }
      for (; sample.rows < end; ++entry) sample.rows += test.keeps(u, unit.file, entry) ? 1 : 0;
      range.stop = entry;
    }
    sample.rows = rows_after;
  }
  return parts;
}

BatchPlan LoaderPlan::batches() {
  return plan_batches(num_rows(), options.rank, options.world_size, batch_rows, options.drop_remainder);
}

const Readings& LoaderPlan::readings() {
  const std::lock_guard lock(mutex_);
  if (!readings_) readings_ = plan_readings(*balanced, shuffled_rows(), options.shuffle);
  return *readings_;
}

LegPlan LoaderPlan::leg(uint64_t epoch, const std::vector<Leg>& closed, int64_t world_size) {
  EpochOrder order;
  order.units = *units;
  order.sample_of_file = sample_of_file;
  order.key = {*options.seed, epoch};
  order.part = part;
  order.split = split;
  order.shuffle = options.shuffle;
  order.buffer_rows = shuffled_rows();
  order.drop_remainder = options.drop_remainder;
  order.kept = kept();
  const bool counts = !closed.empty() || world_size > 1;
  if (balanced) {
    if (counts && !(balanced->cells->are_kept() && keeps_parts())) {
      throw ConfigError(concat("counting the rows of a balanced loader, for ranks or restarts, takes ",
                               2 * num_entries, " bytes, which must be at most a quarter of memory (",
                               options.memory, " bytes)"));
    }
    order.units = readings().units;
    order.readings = readings().readings;
    order.part = {};  // its rows are those that have copies
    order.copies = std::make_shared<EpochCopies>(balanced, order.key, options.shuffle);
    return {order, closed, world_size, options.threads};
  }
  if (!counts) return {order, closed, world_size, options.threads};
  const std::vector<int64_t>& rows_of_units = unit_rows();
  order.values = test_.get();
  return {order, closed, world_size, options.threads, &rows_of_units};
}

}  // namespace sapwood
