#include "sapwood/loader/loader.h"

#include <algorithm>
#include <random>

#include "sapwood/base/parallel.h"
#include "sapwood/features/row_format.h"
#include "sapwood/loader/loader_plan.h"

namespace sapwood {
namespace {

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

uint64_t drawn_seed() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

}  // namespace

Loader::Loader(std::shared_ptr<const Dataset> dataset, LoaderOptions options) {
  check_options(options);
  if (options.threads == 0) options.threads = available_threads();
  if (!options.seed) options.seed = drawn_seed();
  LoaderSettings settings;
  settings.format = std::make_shared<RowFormat>(options.features, dataset->schema());
  options.features.definitions = settings.format->definitions();
  for (const FileInfo& file : dataset->source().files()) {
    settings.files.push_back(settings.files.size());
    settings.ranges.push_back({0, file.num_entries});
    settings.sample_of_file.push_back(file.sample);
  }
  if (!dataset->filters().empty()) {
    const auto filters = Division::by_conditions(dataset->schema(), {dataset->condition()});
    settings.divisions.push_back({filters, Division::Parts().set(1)});
  }
  settings.options = std::move(options);
  settings.dataset = std::move(dataset);
  settings.plan_reading();
  plan_ = std::make_shared<LoaderPlan>(std::move(settings));
}

const Dataset& Loader::dataset() const { return *plan_->dataset; }
const FeatureSpec& Loader::features() const { return plan_->options.features; }
const std::vector<TensorInfo>& Loader::tensors() const { return plan_->format->tensors(); }
uint64_t Loader::seed() const { return *plan_->options.seed; }
int64_t Loader::rank() const { return plan_->options.rank; }
int64_t Loader::world_size() const { return plan_->options.world_size; }
int64_t Loader::num_rows() const { return plan_->batches().rows; }
int64_t Loader::num_batches() const { return plan_->batches().batches; }

Explanation Loader::explain() const {
  const LoaderPlan& plan = *plan_;
  Explanation e;
  e.rank = plan.options.rank;
  e.world_size = plan.options.world_size;
  e.entries = plan.num_entries;
  e.files = std::ssize(plan.files);
  for (const size_t file : plan.files)
    e.clusters += std::ssize(plan.dataset->source().files()[file].clusters);
  const std::vector<Unit>& units = plan.balanced ? plan_->readings().units : *plan.units;
  e.units = std::ssize(units);
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
  for (const Unit& unit : units) {
    e.stored_bytes += unit.stored_bytes;
    e.decoded_bytes += unit.decoded_bytes;
  }
  e.straddling = plan.dataset->straddling(*plan.units, plan.everything_read);
  e.row_bytes = plan.row_bytes;
  e.buffer_rows = plan.buffer_rows;
  if (e.shuffle) {
    const LegPlan leg = plan_->leg(0, {}, e.world_size);
    int64_t entries = 0;
    for (const Unit& unit : units) entries += unit.entries.size();
    e.expected = expected_quality(leg.stream(e.rank), plan.sample_of_file, plan.batch_rows, entries, e.units);
  }
  e.memory = plan.options.memory;
  e.staging_bytes = plan.memory.staging;
  e.unit_bytes = plan.memory.units;
  e.ready_bytes = plan.memory.ready;
  e.cache_bytes = plan.memory.cache;
  e.cached = e.world_size == 1 ? plan.cached_share() : 0;
  if (plan.balanced) {
    e.classes = plan.balanced->quotas.classes;
    e.outside = plan.balanced->cells->outside();
  }
  return e;
}

std::unique_ptr<BatchStream> Loader::start(const LoaderState& from) const {
  LoaderPlan& plan = *plan_;
  if (!plan.dataset->source().is_ordered() &&
      (from.batches > 0 || from.world_size > 1 || !plan.part.everything() || plan.balanced)) {
    throw ConfigError(
        "the rows come in another order each time, so that nothing can be said of single ones: no ranks, "
        "restarts, "
        "balance, or splits of rows without by=; frames are ordered after ROOT.DisableImplicitMT()");
  }
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
  epoch.copies = leg.copies();
  epoch.prefilter = plan.prefilter;
  const auto first_division = plan.prefilter ? 1 : 0;
  epoch.divisions.assign(plan.divisions.begin() + first_division, plan.divisions.end());
  epoch.division_columns.assign(plan.division_columns.begin() + first_division, plan.division_columns.end());
  epoch.kept = leg.kept(from.rank);
  epoch.batch_size = plan.batch_rows;
  epoch.drop_remainder = plan.options.drop_remainder;
  if (from.world_size > 1) epoch.batches = leg.batches(from.rank, plan.batch_rows);
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

Loader Loader::share(int64_t worker, int64_t workers) const {
  const LoaderOptions& options = plan_->options;
  if (workers < 1 || workers > kMostRanks / options.world_size || worker < 0 || worker >= workers)
    throw ConfigError(concat("worker ", worker, " of ", workers, " is none of a loader"));
  auto plan = std::make_shared<LoaderPlan>(LoaderSettings(*plan_));
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
