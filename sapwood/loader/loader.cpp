#include "sapwood/loader/loader.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>
#include <numeric>
#include <random>

#include "sapwood/base/hash.h"
#include "sapwood/base/parallel.h"
#include "sapwood/features/row_format.h"
#include "sapwood/loader/pipeline.h"

namespace sapwood {
namespace {

constexpr double kIndexBytes = 24 + 24;  // of a row, staged and in the sorted bucket
// All staged rows over M: a full window, buckets that have left it, chunks that are not full.
constexpr double kStagingRoom = 1.45;
constexpr uint64_t kEndless = uint64_t{1} << 56;  // for `kUnlimitedMemory`: sums of it don't overflow
constexpr uint64_t kReadyOfEndless = uint64_t{1} << 27;
constexpr double kCacheBytes = 5;  // of a row, beside it
constexpr uint64_t kSmallestMemory = uint64_t{1} << 20;
constexpr int64_t kMostRanks = 1 << 20;
constexpr int64_t kMostFolds = 255;

void check_options(const LoaderOptions& options) {
  if (options.batch_size < 1)
    throw ConfigError(concat("batch_size is ", options.batch_size, ", must be at least 1"));
  if (options.memory < kSmallestMemory) {
    throw ConfigError(concat("memory is ", options.memory, " bytes, must be at least ", kSmallestMemory));
  }
  if (options.buffer_rows && *options.buffer_rows < 1) {
    throw ConfigError(concat("buffer_rows is ", *options.buffer_rows, ", must be at least 1"));
  }
  if (options.world_size < 1 || options.world_size > kMostRanks) {
    throw ConfigError(concat("world_size is ", options.world_size, ", must be 1 to ", kMostRanks));
  }
  if (options.rank < 0 || options.rank >= options.world_size) {
    throw ConfigError(
        concat("rank is ", options.rank, ", must be 0 to ", options.world_size - 1, ", below world_size"));
  }
  if (options.world_size > 1 && !options.seed && options.shuffle)
    throw ConfigError("with several ranks give seed, the same on each");
}

// Shares that let the largest unit through and leave the rest to the shuffle. They don't depend on the number
// of threads, nor does the order of the rows therefore.
MemoryShares share_memory(uint64_t memory, const std::vector<Unit>& units, const Selection& selection,
                          double work_bytes) {
  uint64_t largest = 0;
  for (const Unit& unit : units) {
    largest = std::max(largest, unit.stored_bytes + decoding_bytes(unit, selection, work_bytes));
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

// What an epoch's order is made of: entries of files, how they are cut, samples.
uint64_t hash_of_data(const std::vector<Unit>& units, const std::vector<size_t>& sample_of_file,
                      const std::vector<DivisionPart>& divisions) {
  std::vector<uint64_t> numbers(sample_of_file.begin(), sample_of_file.end());
  for (const Unit& unit : units) {
    numbers.insert(numbers.end(), {unit.file, static_cast<uint64_t>(unit.entries.start),
                                   static_cast<uint64_t>(unit.entries.stop), unit.stored_bytes});
  }
  for (const DivisionPart& divided : divisions) {
    numbers.push_back(divided.division->identity());
    for (size_t p = 0; p < divided.parts.size(); ++p) numbers.push_back(divided.parts[p] ? 1 : 0);
  }
  return xxh3_64(std::as_bytes(std::span(numbers)));
}

uint64_t hash_of_features(const FeatureSpec& features) {
  const std::string text = to_json(features);
  return xxh3_64(std::as_bytes(std::span(text)));
}

uint64_t drawn_seed() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

// What loaders share or copy.
struct Settings {
  std::shared_ptr<const Dataset> dataset;
  LoaderOptions options;
  std::shared_ptr<const RowFormat> format;
  Selection selection;
  std::shared_ptr<const std::vector<Unit>> units;  // in file order
  std::vector<size_t> sample_of_file;
  double row_bytes = 0;
  double batch_row_bytes = 0;
  double work_bytes = 0;
  int64_t batch_rows = 0;
  MemoryShares memory;
  std::shared_ptr<LoaderPools> pools;
  int64_t buffer_rows = 0;
  SplitPart part;
  std::vector<DivisionPart> divisions;
  std::vector<std::vector<size_t>> division_columns;  // of the selection
  std::vector<size_t> files;                          // that rows come from
  int64_t num_entries = 0;                            // of those files

  // What is read, how it is cut, and how the memory is shared out. Takes pools of its own.
  void plan_reading() {
    std::vector<std::string> columns = format->columns();
    division_columns.clear();
    double division_bytes = 0;
    for (const DivisionPart& divided : divisions) {
      std::vector<size_t>& places = division_columns.emplace_back();
      for (const std::string& column : divided.division->columns()) {
        const auto found = std::ranges::find(columns, column);
        places.push_back(static_cast<size_t>(found - columns.begin()));
        if (found == columns.end()) columns.push_back(column);
      }
      division_bytes += divided.division->work_bytes();
    }
    selection = dataset->select(columns);
    std::vector<Unit> read = dataset->units(selection);
    std::erase_if(read, [&](const Unit& unit) { return !std::ranges::binary_search(files, unit.file); });
    num_entries = 0;
    for (const Unit& unit : read) num_entries += unit.entries.size();
    units = std::make_shared<std::vector<Unit>>(std::move(read));
    std::vector<double> values_per_entry = dataset->values_per_entry(selection);
    values_per_entry.resize(format->columns().size());
    row_bytes = format->expected_row_bytes(values_per_entry);
    batch_row_bytes = format->expected_tensor_bytes(values_per_entry);
    work_bytes = format->expected_work_bytes(values_per_entry) + division_bytes;
    // A batch that holds all there is, and is never full.
    batch_rows = std::min(options.batch_size, num_entries + 1);
    fit_memory();
  }

  // The shuffle buffer that `memory` has room for, besides the rows of a batch that is put together.
  int64_t fitting_rows() const {
    const double fitting = static_cast<double>(memory.staging) / (kStagingRoom * (row_bytes + kIndexBytes));
    if (static_cast<double>(num_entries) <= fitting) return std::llround(fitting);
    if (static_cast<double>(batch_rows) > fitting / 2) {
      throw ConfigError(concat("batches of ", batch_rows, " rows of ", std::llround(row_bytes),
                               " bytes don't fit in memory (", options.memory,
                               " bytes) beside a shuffle buffer: ",
                               std::max<int64_t>(1, std::llround(fitting / 2)), " rows would"));
    }
    return std::llround(fitting) - batch_rows;
  }
  void set_buffer_rows(int64_t wanted) {
    const int64_t fitting = fitting_rows();
    if (wanted > fitting && wanted < num_entries) {
      throw ConfigError(concat("buffer_rows is ", wanted, ", but memory (", options.memory,
                               " bytes) has room for about ", fitting, " rows of ", std::llround(row_bytes),
                               " bytes"));
    }
    buffer_rows = std::min(wanted, fitting);
  }
  // Bytes of the divisions' parts of all rows, where they are kept.
  uint64_t parts_bytes() const { return divisions.size() * static_cast<uint64_t>(dataset->num_entries()); }
  bool keeps_parts() const { return parts_bytes() <= options.memory / 4; }
  void fit_memory() {
    const bool unlimited = options.memory == LoaderOptions::kUnlimitedMemory;
    const uint64_t kept = keeps_parts() && !unlimited ? parts_bytes() : 0;
    memory = share_memory(options.memory - kept, *units, selection, work_bytes);
    check_batch_bytes(batch_rows, batch_row_bytes, options.memory);
    set_buffer_rows(options.buffer_rows.value_or(fitting_rows()));
    // Rows that stay are not copied into the shuffle buffer, which only refers to them.
    const double buffered = buffer_rows >= num_entries
                                ? static_cast<double>(num_entries) * kIndexBytes
                                : static_cast<double>(buffer_rows + batch_rows) * (row_bytes + kIndexBytes);
    const double room = static_cast<double>(memory.staging) - kStagingRoom * buffered;
    memory.cache = options.cache ? static_cast<uint64_t>(std::max(room, 0.0)) : 0;
    pools = std::make_shared<LoaderPools>(memory);
  }
  double cached_share() const {
    const double all = static_cast<double>(num_entries) * (row_bytes + kCacheBytes);
    return all > 0 ? std::min(1.0, static_cast<double>(memory.cache) / all) : 0;
  }
  // More than all rows are as good as all.
  int64_t shuffled_rows() const { return std::min(buffer_rows, num_entries); }
};

std::vector<std::vector<size_t>> part_files_of(const Settings& settings,
                                               const std::vector<double>& fractions) {
  auto parts =
      part_files(settings.dataset->source().files(), settings.files, fractions, *settings.options.seed);
  if (std::ranges::any_of(parts, [](const auto& files) { return files.empty(); })) {
    throw ConfigError(concat(settings.files.size(), settings.files.size() == 1 ? " file is" : " files are",
                             " too few for these parts, one of which would get none"));
  }
  return parts;
}

}  // namespace

struct Loader::Plan : Settings {
  Plan() = default;
  explicit Plan(Settings settings) : Settings(std::move(settings)) {}

  std::mutex mutex;
  std::optional<std::vector<int64_t>> rows;  // of each unit, in the part, once counted
  std::unique_ptr<DivisionTest> test;        // by which they were, where there are divisions

  std::vector<int64_t> unit_rows() {
    const std::lock_guard lock(mutex);
    if (rows) return *rows;
    if (!divisions.empty()) {
      if (!keeps_parts()) {
        throw ConfigError(concat(
            "counting the rows of a split by values, for its length, ranks or restarts, takes ",
            parts_bytes(), " bytes, which must be at most a quarter of memory (", options.memory, " bytes)"));
      }
      test = std::make_unique<DivisionTest>(divisions, *dataset, options.threads);
    }
    rows = count_rows(*units, {{*options.seed, part}, test.get()}, options.threads);
    return *rows;
  }
  bool everything() const { return part.everything() && divisions.empty(); }
  // The share of rows that come, at most.
  double kept() const {
    double share = part.share();
    for (const DivisionPart& divided : divisions) share *= divided.division->share(divided.parts);
    return share;
  }
  // Of all ranks.
  int64_t num_rows() {
    if (everything()) return num_entries;
    const std::vector<int64_t> counts = unit_rows();
    return std::accumulate(counts.begin(), counts.end(), int64_t{0});
  }
  BatchPlan batches() {
    return plan_batches(num_rows(), options.rank, options.world_size, batch_rows, options.drop_remainder);
  }
  // `closed` as in states of this loader.
  LegPlan leg(uint64_t epoch, const std::vector<Leg>& closed, int64_t world_size) {
    EpochOrder order;
    order.units = *units;
    order.sample_of_file = sample_of_file;
    order.key = {*options.seed, epoch};
    order.part = part;
    order.shuffle = options.shuffle;
    order.buffer_rows = shuffled_rows();
    order.drop_remainder = options.drop_remainder;
    order.kept = kept();
    if (closed.empty() && world_size == 1) return {order, closed, world_size, options.threads};
    const std::vector<int64_t> counts = unit_rows();
    order.values = test.get();
    return {order, closed, world_size, options.threads, &counts};
  }
};

Loader::Loader(std::shared_ptr<const Dataset> dataset, LoaderOptions options)
    : plan_(std::make_shared<Plan>()) {
  check_options(options);
  if (options.threads == 0) options.threads = available_threads();
  if (!options.seed) options.seed = drawn_seed();
  Plan& plan = *plan_;
  plan.format = std::make_shared<RowFormat>(options.features, dataset->schema());
  for (const FileInfo& file : dataset->source().files()) {
    plan.files.push_back(plan.files.size());
    plan.sample_of_file.push_back(file.sample);
  }
  plan.options = std::move(options);
  plan.dataset = std::move(dataset);
  plan.plan_reading();
}

std::vector<Loader> Loader::split(const std::vector<double>& fractions, const SplitBy& by) const {
  const double sum = std::accumulate(fractions.begin(), fractions.end(), 0.0);
  const bool positive = std::all_of(fractions.begin(), fractions.end(), [](double f) { return f > 0; });
  if (fractions.empty() || !positive || sum > 1 + 1e-9) {
    throw ConfigError(concat("split fractions must be positive and sum to at most 1; they sum to ", sum));
  }
  std::vector<Loader> parts;
  if (by.files) {
    for (std::vector<size_t>& files : part_files_of(*plan_, fractions))
      parts.push_back(of_files(std::move(files)));
    return parts;
  }
  if (!by.values.empty()) {
    const auto division = Division::by_values(plan_->dataset->schema(), by.values, fractions, seed());
    for (size_t p = 0; p < fractions.size(); ++p)
      parts.push_back(of_division({division, Division::Parts().set(p)}));
    return parts;
  }
  double done = 0;
  for (const double fraction : fractions) {
    const double low = done;
    done += fraction;
    parts.push_back(of_part(plan_->part.between(low, done > 1 - 1e-9 ? 1 : done)));
  }
  return parts;
}

std::vector<Loader> Loader::split_where(const std::vector<std::string>& conditions) const {
  const auto division = Division::by_conditions(plan_->dataset->schema(), conditions);
  std::vector<Loader> parts;
  for (size_t p = 0; p <= conditions.size(); ++p)
    parts.push_back(of_division({division, Division::Parts().set(p)}));
  return parts;
}

std::vector<std::pair<Loader, Loader>> Loader::k_fold(int64_t folds, const SplitBy& by) const {
  if (folds < 2 || folds > kMostFolds)
    throw ConfigError(concat("the number of folds is ", folds, ", must be 2 to ", kMostFolds));
  const auto count = static_cast<size_t>(folds);
  const std::vector<double> fractions(count, 1 / static_cast<double>(folds));
  std::vector<std::pair<Loader, Loader>> pairs;
  if (by.files) {
    const auto parts = part_files_of(*plan_, fractions);
    for (const std::vector<size_t>& files : parts) {
      std::vector<size_t> rest;
      std::ranges::set_difference(plan_->files, files, std::back_inserter(rest));
      pairs.emplace_back(of_files(std::move(rest)), of_files(files));
    }
    return pairs;
  }
  if (!by.values.empty()) {
    const auto division = Division::by_values(plan_->dataset->schema(), by.values, fractions, seed());
    for (size_t fold = 0; fold < count; ++fold) {
      const Division::Parts val = Division::Parts().set(fold);
      pairs.emplace_back(of_division({division, ~val}), of_division({division, val}));
    }
    return pairs;
  }
  const auto edge = [&](int64_t fold) { return static_cast<double>(fold) / static_cast<double>(folds); };
  for (int64_t fold = 0; fold < folds; ++fold) {
    const SplitPart& whole = plan_->part;
    SplitPart rest = united(whole.between(0, edge(fold)), whole.between(edge(fold + 1), 1));
    pairs.emplace_back(of_part(std::move(rest)), of_part(whole.between(edge(fold), edge(fold + 1))));
  }
  return pairs;
}

Loader Loader::of_files(std::vector<size_t> files) const {
  auto plan = std::make_shared<Plan>(Settings(*plan_));
  plan->files = std::move(files);
  plan->plan_reading();
  return Loader(std::move(plan));
}

Loader Loader::of_division(DivisionPart part) const {
  auto plan = std::make_shared<Plan>(Settings(*plan_));
  plan->divisions.push_back(std::move(part));
  plan->plan_reading();
  return Loader(std::move(plan));
}

Loader Loader::of_part(SplitPart part) const {
  auto plan = std::make_shared<Plan>(Settings(*plan_));
  plan->part = std::move(part);
  return Loader(std::move(plan));
}

const Dataset& Loader::dataset() const { return *plan_->dataset; }
const std::vector<TensorInfo>& Loader::tensors() const { return plan_->format->tensors(); }
uint64_t Loader::seed() const { return *plan_->options.seed; }
int64_t Loader::rank() const { return plan_->options.rank; }
int64_t Loader::world_size() const { return plan_->options.world_size; }
int64_t Loader::num_rows() const { return plan_->batches().rows; }
int64_t Loader::num_batches() const { return plan_->batches().batches; }

Explanation Loader::explain() const {
  const Plan& plan = *plan_;
  Explanation e;
  e.rank = plan.options.rank;
  e.world_size = plan.options.world_size;
  e.entries = plan.num_entries;
  e.files = std::ssize(plan.files);
  for (const size_t file : plan.files)
    e.clusters += std::ssize(plan.dataset->source().files()[file].clusters);
  e.units = static_cast<int64_t>(plan.units->size());
  const BatchPlan batches = plan_->batches();
  e.rows = batches.rows;
  e.dropped_rows = batches.dropped;
  e.batches = batches.batches;
  e.batch_size = plan.options.batch_size;
  if (e.batches > 0) e.last_batch_rows = batches.rows_of(e.batches - 1, plan.batch_rows);
  e.shuffle = plan.options.shuffle;
  e.seed = seed();
  e.threads = plan.options.threads;
  e.tensors = plan.format->tensors();
  for (const Unit& unit : *plan.units) {
    e.stored_bytes += unit.stored_bytes;
    e.decoded_bytes += unit.decoded_bytes;
  }
  e.straddling = plan.dataset->straddling(*plan.units, plan.selection);
  e.row_bytes = plan.row_bytes;
  e.buffer_rows = plan.buffer_rows;
  if (e.shuffle) {
    const LegPlan leg = plan_->leg(0, {}, e.world_size);
    e.expected =
        expected_quality(leg.stream(e.rank), plan.sample_of_file, plan.batch_rows, e.entries, e.units);
  }
  e.memory = plan.options.memory;
  e.staging_bytes = plan.memory.staging;
  e.unit_bytes = plan.memory.units;
  e.ready_bytes = plan.memory.ready;
  e.cache_bytes = plan.memory.cache;
  e.cached = e.world_size == 1 ? plan.cached_share() : 0;
  return e;
}

std::unique_ptr<BatchStream> Loader::start(const LoaderState& from) const {
  Plan& plan = *plan_;
  const LegPlan leg = plan.leg(from.epoch, from.closed, from.world_size);
  EpochPlan epoch;
  epoch.dataset = plan.dataset;
  epoch.format = plan.format;
  epoch.selection = plan.selection;
  epoch.work_bytes = plan.work_bytes;
  epoch.row_bytes = plan.row_bytes;
  epoch.batch_row_bytes = plan.batch_row_bytes;
  epoch.stream = leg.stream(from.rank);
  epoch.filter = std::make_shared<RowFilter>(leg.filter());
  epoch.key = {seed(), from.epoch, static_cast<uint32_t>(from.closed.size())};
  epoch.divisions = plan.divisions;
  epoch.division_columns = plan.division_columns;
  epoch.kept = plan.kept();
  epoch.batch_size = plan.batch_rows;
  epoch.drop_remainder = plan.options.drop_remainder;
  epoch.batches = leg.batches(from.rank, plan.batch_rows);
  epoch.threads = plan.options.threads;
  epoch.on_error = plan.options.on_error;
  epoch.first_batch = from.batches;
  epoch.after = from.last_row;
  epoch.memory = plan.memory;
  epoch.pools = plan.pools;
  if (epoch.after.bucket >= epoch.stream.window.num_buckets())
    throw ConfigError("the state does not fit together: it was changed");
  return start_pipeline(std::move(epoch));
}

std::unique_ptr<BatchStream> Loader::epoch(uint64_t number) const { return start(state(number)); }

LoaderState Loader::state(uint64_t number) const {
  if (number > UINT32_MAX) throw ConfigError(concat("epoch is ", number, ", must be below 2^32"));
  const Plan& plan = *plan_;
  LoaderState state;
  state.seed = seed();
  state.epoch = number;
  state.rank = plan.options.rank;
  state.world_size = plan.options.world_size;
  state.buffer_rows = plan.shuffled_rows();
  state.data = hash_of_data(*plan.units, plan.sample_of_file, plan.divisions);
  state.features = hash_of_features(plan.options.features);
  state.batch_size = plan.options.batch_size;
  state.shuffle = plan.options.shuffle;
  state.drop_remainder = plan.options.drop_remainder;
  state.part = plan.part;
  return state;
}

LoaderState LoaderState::after(const Batch& batch) const {
  LoaderState later = *this;
  later.batches = batch.number + 1;
  later.last_row = batch.last_row;
  return later;
}

// Throws unless the state is of this loader's data, features and options, whatever its seed and buffer rows.
void Loader::check(const LoaderState& theirs) const {
  const LoaderState ours = state(theirs.epoch);
  const auto require = [](const char* what, const auto& own, const auto& other) {
    if (own != other)
      throw ConfigError(
          concat("the state is of a loader with ", what, " ", other, ", where this one has ", own));
  };
  if (ours.features != theirs.features)
    throw ConfigError("the state is of a loader with other features, target or weights");
  if (ours.data != theirs.data)
    throw ConfigError("the state is of a loader of other data: files, their entries or samples differ");
  require("shuffle", ours.shuffle, theirs.shuffle);
  require("drop_remainder", ours.drop_remainder, theirs.drop_remainder);
  if (ours.part != theirs.part) throw ConfigError("the state is of another part of a split");
  const int64_t most = plan_->num_entries + 1;
  const auto fits = [&](const Leg& leg) {
    return leg.world_size >= 1 && leg.world_size <= kMostRanks && leg.batch_size >= 1 &&
           leg.batch_size <= most && leg.batches >= 0 && leg.batches <= most;
  };
  if (!std::ranges::all_of(theirs.closed, fits) || theirs.closed.size() >= kMostLegs ||
      !fits({theirs.world_size, 1, theirs.batches}) || theirs.batch_size < 1 || theirs.rank < 0 ||
      theirs.rank >= theirs.world_size || theirs.buffer_rows < std::min<int64_t>(1, ours.buffer_rows) ||
      theirs.last_row.bucket < -1 || (theirs.batches == 0) != (theirs.last_row.bucket == -1))
    throw ConfigError("the state does not fit together: it was changed");
}

Loader Loader::with_order_of(const LoaderState& state) const {
  check(state);
  auto plan = std::make_shared<Plan>(Settings(*plan_));
  if (!plan->everything() && state.seed != seed()) {
    throw ConfigError(concat("the state is of seed ", state.seed,
                             ", and parts of a split must have one seed: "
                             "make the loader that is split with seed=",
                             state.seed));
  }
  plan->options.seed = state.seed;
  plan->set_buffer_rows(state.buffer_rows);
  if (plan->shuffled_rows() != state.buffer_rows) {
    throw ConfigError(concat("the state's shuffle buffer has ", state.buffer_rows, " rows, but memory (",
                             plan->options.memory, " bytes) has room for about ", plan->buffer_rows));
  }
  return Loader(std::move(plan));
}

LoaderState Loader::adopt(const LoaderState& state) const {
  check(state);
  if (state.seed != seed() || state.buffer_rows != plan_->shuffled_rows())
    throw ConfigError(
        "the state is of another seed or other buffer rows: take the loader `with_order_of` it");
  const LoaderOptions& options = plan_->options;
  LoaderState own = state;
  own.rank = options.rank;
  own.world_size = options.world_size;
  own.batch_size = options.batch_size;
  const bool other = state.world_size != own.world_size || state.batch_size != own.batch_size;
  if (other && state.batches != 0) {
    if (state.closed.size() + 1 == kMostLegs)
      throw ConfigError(concat("the epoch was begun again with other ranks ", kMostLegs, " times"));
    const int64_t batch_rows = std::min(state.batch_size, plan_->num_entries + 1);
    own.closed.push_back({state.world_size, batch_rows, state.batches});
    own.batches = 0;
  }
  if (own.batches == 0) {
    own.last_row = {};
  } else if (state.rank != own.rank) {
    const LegPlan leg = plan_->leg(own.epoch, own.closed, own.world_size);
    own.last_row = leg.place_after(own.rank, own.batches, plan_->batch_rows);
  }
  return own;
}

std::unique_ptr<BatchStream> Loader::resume(const LoaderState& state) const { return start(adopt(state)); }

Loader Loader::share(int64_t worker, int64_t workers) const {
  const LoaderOptions& options = plan_->options;
  if (workers < 1 || workers > kMostRanks / options.world_size || worker < 0 || worker >= workers)
    throw ConfigError(concat("worker ", worker, " of ", workers, " is none of a loader"));
  auto plan = std::make_shared<Plan>(Settings(*plan_));
  plan->options.rank = options.rank * workers + worker;
  plan->options.world_size = options.world_size * workers;
  if (options.memory != LoaderOptions::kUnlimitedMemory)
    plan->options.memory /= static_cast<uint64_t>(workers);
  plan->options.threads = std::max<size_t>(1, options.threads / static_cast<size_t>(workers));
  if (options.buffer_rows) plan->options.buffer_rows = std::max<int64_t>(1, *options.buffer_rows / workers);
  plan->fit_memory();
  return Loader(std::move(plan));
}

}  // namespace sapwood
