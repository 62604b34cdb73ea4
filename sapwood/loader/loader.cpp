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
constexpr uint64_t kSmallestMemory = uint64_t{1} << 20;

void check_options(const LoaderOptions& options) {
  if (options.batch_size < 1)
    throw ConfigError(concat("batch_size is ", options.batch_size, ", must be at least 1"));
  if (options.memory < kSmallestMemory) {
    throw ConfigError(concat("memory is ", options.memory, " bytes, must be at least ", kSmallestMemory));
  }
  if (options.buffer_rows && *options.buffer_rows < 1) {
    throw ConfigError(concat("buffer_rows is ", *options.buffer_rows, ", must be at least 1"));
  }
}

// Shares that let the largest unit through and leave the rest to the shuffle. They don't depend on the number
// of threads, nor does the order of the rows therefore.
MemoryShares share_memory(uint64_t memory, const std::vector<Unit>& units, const Selection& selection,
                          double work_bytes) {
  uint64_t largest = 0;
  for (const Unit& unit : units) {
    largest = std::max(largest, unit.stored_bytes + decoding_bytes(unit, selection, work_bytes));
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
uint64_t hash_of_data(const std::vector<Unit>& units, const std::vector<size_t>& sample_of_file) {
  std::vector<uint64_t> numbers(sample_of_file.begin(), sample_of_file.end());
  for (const Unit& unit : units) {
    numbers.insert(numbers.end(), {unit.file, static_cast<uint64_t>(unit.entries.start),
                                   static_cast<uint64_t>(unit.entries.stop), unit.stored_bytes});
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

  // The shuffle buffer that `memory` has room for, besides the rows of a batch that is put together.
  int64_t fitting_rows() const {
    const double fitting = static_cast<double>(memory.staging) / (kStagingRoom * (row_bytes + kIndexBytes));
    if (static_cast<double>(dataset->num_entries()) <= fitting) return std::llround(fitting);
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
    if (wanted > fitting && wanted < dataset->num_entries()) {
      throw ConfigError(concat("buffer_rows is ", wanted, ", but memory (", options.memory,
                               " bytes) has room for about ", fitting, " rows of ", std::llround(row_bytes),
                               " bytes"));
    }
    buffer_rows = std::min(wanted, fitting);
  }
  // More than all rows are as good as all.
  int64_t shuffled_rows() const { return std::min(buffer_rows, dataset->num_entries()); }
};

}  // namespace

struct Loader::Plan : Settings {
  Plan() = default;
  explicit Plan(Settings settings) : Settings(std::move(settings)) {}

  std::mutex mutex;
  std::optional<int64_t> rows;  // of the part, once counted

  int64_t count_rows() {
    const std::lock_guard lock(mutex);
    if (rows) return *rows;
    if (part.everything()) {
      rows = dataset->num_entries();
      return *rows;
    }
    std::atomic<int64_t> total{0};
    parallel_for(units->size(), options.threads, [&](size_t u) {
      const Unit& unit = (*units)[u];
      int64_t kept = 0;
      for (int64_t entry = unit.entries.start; entry < unit.entries.stop; ++entry) {
        kept += in_part(part, *options.seed, unit.file, entry) ? 1 : 0;
      }
      total += kept;
    });
    rows = total.load();
    return *rows;
  }

  Window window() const {
    return plan_window(dataset->num_entries(), part.share(), shuffled_rows(), options.shuffle);
  }
};

Loader::Loader(std::shared_ptr<const Dataset> dataset, LoaderOptions options)
    : plan_(std::make_shared<Plan>()) {
  check_options(options);
  if (options.threads == 0) options.threads = available_threads();
  if (!options.seed) options.seed = drawn_seed();
  Plan& plan = *plan_;
  plan.format = std::make_shared<RowFormat>(options.features, dataset->schema());
  plan.selection = dataset->select(plan.format->columns());
  plan.units = std::make_shared<std::vector<Unit>>(dataset->units(plan.selection));
  for (const FileInfo& file : dataset->source().files()) plan.sample_of_file.push_back(file.sample);
  const std::vector<double> values_per_entry = dataset->values_per_entry(plan.selection);
  plan.row_bytes = plan.format->expected_row_bytes(values_per_entry);
  plan.batch_row_bytes = plan.format->expected_tensor_bytes(values_per_entry);
  plan.work_bytes = plan.format->expected_work_bytes(values_per_entry);
  plan.memory = share_memory(options.memory, *plan.units, plan.selection, plan.work_bytes);
  // A batch that holds all there is, and is never full.
  plan.batch_rows = std::min(options.batch_size, dataset->num_entries() + 1);
  check_batch_bytes(plan.batch_rows, plan.batch_row_bytes, options.memory);
  plan.pools = std::make_shared<LoaderPools>(plan.memory);
  plan.options = std::move(options);
  plan.dataset = std::move(dataset);
  plan.set_buffer_rows(plan.options.buffer_rows.value_or(plan.fitting_rows()));
}

std::vector<Loader> Loader::split(const std::vector<double>& fractions) const {
  const double sum = std::accumulate(fractions.begin(), fractions.end(), 0.0);
  const bool positive = std::all_of(fractions.begin(), fractions.end(), [](double f) { return f > 0; });
  if (fractions.empty() || !positive || sum > 1 + 1e-9) {
    throw ConfigError(concat("split fractions must be positive and sum to at most 1; they sum to ", sum));
  }
  std::vector<Loader> parts;
  double done = 0;
  for (const double fraction : fractions) {
    auto plan = std::make_shared<Plan>(Settings(*plan_));
    const SplitPart& whole = plan_->part;
    plan->part.low = whole.low + done * whole.share();
    done += fraction;
    plan->part.high = done > 1 - 1e-9 ? whole.high : whole.low + done * whole.share();
    parts.push_back(Loader(std::move(plan)));
  }
  return parts;
}

const Dataset& Loader::dataset() const { return *plan_->dataset; }
const std::vector<TensorInfo>& Loader::tensors() const { return plan_->format->tensors(); }
uint64_t Loader::seed() const { return *plan_->options.seed; }
int64_t Loader::num_rows() const { return plan_->count_rows(); }

int64_t Loader::num_batches() const {
  const int64_t rows = num_rows();
  const int64_t size = plan_->batch_rows;
  return plan_->options.drop_remainder ? rows / size : (rows + size - 1) / size;
}

Explanation Loader::explain() const {
  const Plan& plan = *plan_;
  Explanation e;
  e.rows = num_rows();
  e.entries = plan.dataset->num_entries();
  e.files = static_cast<int64_t>(plan.dataset->source().files().size());
  for (const FileInfo& file : plan.dataset->source().files())
    e.clusters += static_cast<int64_t>(file.clusters.size());
  e.units = static_cast<int64_t>(plan.units->size());
  e.batches = num_batches();
  e.batch_size = plan.options.batch_size;
  e.last_batch_rows = e.rows % e.batch_size;
  if (e.last_batch_rows == 0 || plan.options.drop_remainder)
    e.last_batch_rows = std::min(e.rows, e.batch_size);
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
  const Window window = plan.window();
  if (e.shuffle && window.num_segments > 1) {
    // A row shares its batch with rows of about one window; two rows of one unit meet again when they do next
    // time.
    const double in_window = static_cast<double>(window.segment_entries) * window.delays;
    e.expected_lift = std::max(1.0, static_cast<double>(e.entries) / in_window);
    e.expected_repeat =
        1 + e.expected_lift * e.expected_lift / static_cast<double>(std::max<int64_t>(e.units, 1));
  }
  e.memory = plan.memory.total;
  e.staging_bytes = plan.memory.staging;
  e.unit_bytes = plan.memory.units;
  e.ready_bytes = plan.memory.ready;
  return e;
}

std::unique_ptr<BatchStream> Loader::start(uint64_t number, int64_t first_batch,
                                           const RowPlace& after) const {
  if (number > UINT32_MAX) throw ConfigError(concat("epoch is ", number, ", must be below 2^32"));
  const Plan& plan = *plan_;
  EpochPlan epoch;
  epoch.dataset = plan.dataset;
  epoch.format = plan.format;
  epoch.selection = plan.selection;
  epoch.work_bytes = plan.work_bytes;
  epoch.row_bytes = plan.row_bytes;
  epoch.batch_row_bytes = plan.batch_row_bytes;
  epoch.key = {seed(), number};
  if (plan.options.shuffle) {
    for (const size_t unit : stratified_order(*plan.units, plan.sample_of_file, epoch.key)) {
      epoch.units.push_back((*plan.units)[unit]);
    }
  } else {
    epoch.units = *plan.units;
  }
  for (const Unit& unit : epoch.units) {
    epoch.positions.push_back(epoch.num_entries);
    epoch.num_entries += unit.entries.size();
  }
  epoch.window = plan.window();
  epoch.part = plan.part;
  epoch.batch_size = plan.batch_rows;
  epoch.drop_remainder = plan.options.drop_remainder;
  epoch.threads = plan.options.threads;
  epoch.first_batch = first_batch;
  epoch.after = after;
  epoch.memory = plan.memory;
  epoch.pools = plan.pools;
  return start_pipeline(std::move(epoch));
}

std::unique_ptr<BatchStream> Loader::epoch(uint64_t number) const { return start(number, 0, {}); }

LoaderState Loader::state(uint64_t number) const {
  const Plan& plan = *plan_;
  LoaderState state;
  state.seed = seed();
  state.epoch = number;
  state.buffer_rows = plan.shuffled_rows();
  state.data = hash_of_data(*plan.units, plan.sample_of_file);
  state.features = hash_of_features(plan.options.features);
  state.batch_size = plan.options.batch_size;
  state.shuffle = plan.options.shuffle;
  state.drop_remainder = plan.options.drop_remainder;
  state.part_low = plan.part.low;
  state.part_high = plan.part.high;
  return state;
}

LoaderState Loader::state(uint64_t number, const Batch& batch) const {
  LoaderState after = state(number);
  after.batches = batch.number + 1;
  after.last_row = batch.last_row;
  return after;
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
  require("batch_size", ours.batch_size, theirs.batch_size);
  require("shuffle", ours.shuffle, theirs.shuffle);
  require("drop_remainder", ours.drop_remainder, theirs.drop_remainder);
  require("a part of a split that begins at", ours.part_low, theirs.part_low);
  require("a part of a split that ends at", ours.part_high, theirs.part_high);
  if (theirs.batches < 0 || theirs.buffer_rows < std::min<int64_t>(1, ours.buffer_rows) ||
      theirs.last_row.bucket < -1 || (theirs.batches == 0) != (theirs.last_row.bucket == -1))
    throw ConfigError("the state does not fit together: it was changed");
}

Loader Loader::with_order_of(const LoaderState& state) const {
  check(state);
  auto plan = std::make_shared<Plan>(Settings(*plan_));
  if (!plan->part.everything() && state.seed != seed()) {
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

std::unique_ptr<BatchStream> Loader::resume(const LoaderState& state) const {
  check(state);
  if (state.seed != seed() || state.buffer_rows != plan_->shuffled_rows())
    throw ConfigError(
        "the state is of another seed or other buffer rows: take the loader `with_order_of` it");
  if (state.last_row.bucket >= plan_->window().num_buckets())
    throw ConfigError("the state does not fit together: it was changed");
  return start(state.epoch, state.batches, state.last_row);
}

}  // namespace sapwood
