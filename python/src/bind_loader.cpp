#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>
#include <unistd.h>

#include "bindings.h"
#include "sapwood/base/error.h"
#include "sapwood/loader/loader.h"
#include "tensors.h"

using namespace sapwood;

namespace {

// A stream with what its batches look like.
struct Epoch {
  std::vector<TensorInfo> tensors;
  LoaderState state;  // after the last batch that was handed out
  std::unique_ptr<BatchStream> stream;
  LoaderStats last_stats{};
  std::vector<SkippedRange> last_skipped{};

  pid_t process = ::getpid();

  Epoch(std::vector<TensorInfo> tensors, const LoaderState& state, std::unique_ptr<BatchStream> stream)
      : tensors(std::move(tensors)), state(state), stream(std::move(stream)) {}
  Epoch(Epoch&&) = default;
  Epoch& operator=(Epoch&&) = delete;
  // In a forked child the threads are not there to be ended: it leaves them alone.
  // Its threads may be waiting for the GIL, to call a function.
  ~Epoch() {
    if (process != ::getpid()) static_cast<void>(stream.release());
    if (!stream || PyGILState_Check() == 0) return;
    const nb::gil_scoped_release release;
    stream.reset();
  }

  BatchStream& open_stream() const {
    if (process != ::getpid())
      throw CancelledError("the epoch is of the process that this one was forked from");
    if (!stream) throw CancelledError("the epoch was closed");
    return *stream;
  }
};

using Adapter = nb::object (*)(const TensorInfo&, int64_t rows, const Buffer&);

// The next batch as what the adapter makes of the loader's tensors, in order, or None at the end. Looks for
// Ctrl-C while it waits.
template <Adapter adapt>
nb::object next_batch(Epoch& epoch) {
  constexpr double kLookEvery = 0.1;
  Batch batch;
  for (;;) {
    BatchStream::Status status = BatchStream::Status::kNotReady;
    {
      const nb::gil_scoped_release release;
      status = epoch.open_stream().next(batch, kLookEvery);
    }
    if (status == BatchStream::Status::kBatch) break;
    if (status == BatchStream::Status::kEnd) return nb::none();
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
  }
  epoch.state = epoch.state.after(batch);
  nb::list arrays;
  for (size_t i = 0; i < batch.tensors.size(); ++i)
    arrays.append(adapt(epoch.tensors[i], batch.rows, batch.tensors[i]));
  return arrays;
}

// Calls `visit(name, member)` for all of a state, `State` being LoaderState or const.
template <class State, class Visit>
void visit_state(State& state, const Visit& visit) {
  visit("seed", state.seed);
  visit("epoch", state.epoch);
  visit("rank", state.rank);
  visit("world_size", state.world_size);
  visit("batches", state.batches);
  visit("bucket", state.last_row.bucket);
  visit("key", state.last_row.key);
  visit("buffer_rows", state.buffer_rows);
  visit("data", state.data);
  visit("features", state.features);
  visit("batch_size", state.batch_size);
  visit("shuffle", state.shuffle);
  visit("drop_remainder", state.drop_remainder);
}

using Intervals = std::vector<std::pair<double, double>>;

Intervals intervals(const SplitPart& part) {
  Intervals pairs;
  for (const SplitPart::Interval& interval : part.intervals) pairs.emplace_back(interval.low, interval.high);
  return pairs;
}

SplitPart part_of(const Intervals& pairs) {
  SplitPart part{.intervals = {}};
  for (const auto& [low, high] : pairs) part.intervals.push_back({low, high});
  return part;
}

constexpr int kStateVersion = 3;

nb::dict state_to_dict(const LoaderState& state) {
  nb::dict dict;
  dict["version"] = kStateVersion;
  visit_state(state, [&](const char* name, const auto& member) { dict[name] = member; });
  std::vector<std::array<int64_t, 3>> closed;
  for (const Leg& leg : state.closed) closed.push_back({leg.world_size, leg.batch_size, leg.batches});
  dict["closed"] = closed;
  dict["part"] = intervals(state.part);
  return dict;
}

LoaderState state_from_dict(const nb::dict& dict) {
  const auto read = [&](const char* name, auto& member) {
    if (!dict.contains(name))
      throw ConfigError(concat("this is not the state of a loader: '", name, "' is missing"));
    if (!nb::try_cast(dict[name], member))
      throw ConfigError(concat("'", name, "' in the state of a loader is ", nb::repr(dict[name]).c_str()));
  };
  int version = 0;
  read("version", version);
  if (version != kStateVersion)
    throw ConfigError(concat("the state of the loader has version ", version,
                             ", which this version of sapwood "
                             "does not know"));
  LoaderState state;
  visit_state(state, read);
  std::vector<std::array<int64_t, 3>> closed;
  read("closed", closed);
  for (const auto& [world_size, batch_size, batches] : closed)
    state.closed.push_back({world_size, batch_size, batches});
  Intervals part;
  read("part", part);
  state.part = part_of(part);
  return state;
}

}  // namespace

void bind_loader(nb::module_& module) {
  nb::class_<BalancedClass>(module, "BalancedClass",
                            "What there is of a class, and what an epoch gives of it.")
      .def_ro("name", &BalancedClass::name)
      .def_ro("stored", &BalancedClass::stored, "Rows, without those outside the bins.")
      .def_ro("rows", &BalancedClass::rows, "Rows of an epoch, of all ranks.")
      .def_ro("bins", &BalancedClass::bins, "Bins that hold rows.")
      .def_ro("short_bins", &BalancedClass::short_bins,
              "Bins of which each row comes ``most_copies`` times, and which give fewer than the others.")
      .def("__repr__", [](const BalancedClass& of) {
        return concat("<BalancedClass ", of.name, ": ", of.rows, " rows of ", of.stored, ">");
      });
  nb::class_<Explanation>(module, "Explanation",
                          "What a loader will do, known before anything but metadata is read.")
      .def_ro("rows", &Explanation::rows)
      .def_ro("dropped_rows", &Explanation::dropped_rows, "Left out with ``drop_remainder``.")
      .def_ro("rank", &Explanation::rank)
      .def_ro("world_size", &Explanation::world_size)
      .def_ro("entries", &Explanation::entries)
      .def_ro("files", &Explanation::files)
      .def_ro("clusters", &Explanation::clusters)
      .def_ro("units", &Explanation::units)
      .def_ro("batches", &Explanation::batches)
      .def_ro("batch_size", &Explanation::batch_size)
      .def_ro("last_batch_rows", &Explanation::last_batch_rows)
      .def_ro("shuffle", &Explanation::shuffle)
      .def_ro("seed", &Explanation::seed)
      .def_ro("threads", &Explanation::threads)
      .def_ro("tensors", &Explanation::tensors)
      .def_ro("stored_bytes", &Explanation::stored_bytes)
      .def_ro("decoded_bytes", &Explanation::decoded_bytes)
      .def_ro("straddling", &Explanation::straddling)
      .def_ro("row_bytes", &Explanation::row_bytes)
      .def_ro("buffer_rows", &Explanation::buffer_rows)
      .def_prop_ro(
          "expected_vif", [](const Explanation& e) { return e.expected.variance_inflation; },
          "Variance of the number of rows of a sample (of a file, where there is one sample) in a batch, "
          "over "
          "that of a full permutation.")
      .def_prop_ro(
          "expected_lift", [](const Explanation& e) { return e.expected.lift; },
          "Chance that two rows of a batch come from one unit, over that of a full permutation.")
      .def_prop_ro(
          "expected_repeat", [](const Explanation& e) { return e.expected.repeat; },
          "Chance that two rows of a batch share one again in the next epoch, over that of a full "
          "permutation.")
      .def_ro("memory", &Explanation::memory)
      .def_ro("staging_bytes", &Explanation::staging_bytes)
      .def_ro("unit_bytes", &Explanation::unit_bytes)
      .def_ro("ready_bytes", &Explanation::ready_bytes)
      .def_ro("cache_bytes", &Explanation::cache_bytes)
      .def_ro("cached", &Explanation::cached, "The share of the rows that stay in memory for later epochs.")
      .def_ro("classes", &Explanation::classes, "Of a balanced loader.")
      .def_ro("outside", &Explanation::outside, "Rows outside the bins, which don't come.")
      .def("__str__", &Explanation::to_string)
      .def("__repr__", &Explanation::to_string);
  nb::class_<SkippedRange>(module, "SkippedRange", "Entries of a file that a loader left out.")
      .def_ro("file", &SkippedRange::file)
      .def_prop_ro("start", [](const SkippedRange& range) { return range.entries.start; })
      .def_prop_ro("stop", [](const SkippedRange& range) { return range.entries.stop; })
      .def_ro("error", &SkippedRange::error)
      .def("__repr__", [](const SkippedRange& range) {
        return concat("<SkippedRange ", range.file, " entries [", range.entries.start, ", ",
                      range.entries.stop, "): ", range.error, ">");
      });
  nb::class_<LoaderStats>(module, "LoaderStats",
                          "Where the time of an epoch went; seconds summed over threads.")
      .def_ro("rows", &LoaderStats::rows)
      .def_ro("batches", &LoaderStats::batches)
      .def_ro("skipped_rows", &LoaderStats::skipped_rows, "Left out for errors.")
      .def_ro("repeated_rows", &LoaderStats::repeated_rows,
              "That came twice in place of skipped ones, so that ranks have as many batches.")
      .def_ro("stored_bytes", &LoaderStats::stored_bytes)
      .def_ro("peak_bytes", &LoaderStats::peak_bytes)
      .def_ro("fetch_seconds", &LoaderStats::fetch_seconds)
      .def_ro("decode_seconds", &LoaderStats::decode_seconds)
      .def_ro("stage_seconds", &LoaderStats::stage_seconds)
      .def_ro("assemble_seconds", &LoaderStats::assemble_seconds)
      .def_ro("idle_seconds", &LoaderStats::idle_seconds)
      .def_ro("consumer_wait_seconds", &LoaderStats::consumer_wait_seconds)
      .def("__repr__", [](const LoaderStats& stats) {
        return concat("<LoaderStats: ", stats.rows, " rows, ", stats.batches, " batches, ",
                      stats.stored_bytes, " bytes read; seconds: fetch ", stats.fetch_seconds, ", decode ",
                      stats.decode_seconds, ", stage ", stats.stage_seconds, ", assemble ",
                      stats.assemble_seconds, ", idle ", stats.idle_seconds, ", consumer waits ",
                      stats.consumer_wait_seconds, ">");
      });
  nb::class_<Epoch>(module, "Epoch", "The batches of one epoch, made by threads that end with it.")
      .def("next_numpy", &next_batch<tensor_to_numpy>,
           nb::sig("def next_numpy(self) -> list[numpy.typing.NDArray[typing.Any]] | None"),
           "The next batch's arrays, or None at the end. Those of bfloat16 come as their bits, int16.")
      .def("next_dlpack", &next_batch<tensor_to_dlpack>,
           nb::sig("def next_dlpack(self) -> list[typing_extensions.CapsuleType] | None"),
           "The next batch as capsules of DLPack, or None at the end.")
      .def(
          "cancel", [](Epoch& epoch) { epoch.open_stream().cancel(); }, "Ends the epoch, from any thread.")
      .def(
          "close",
          [](Epoch& epoch) {
            if (epoch.process != ::getpid() || !epoch.stream) return;
            std::unique_ptr<BatchStream> ending = std::move(epoch.stream);
            epoch.last_stats = ending->stats();
            epoch.last_skipped = ending->skipped();
            const nb::gil_scoped_release release;
            ending.reset();
          },
          "Ends the epoch's threads and frees its memory; delivered batches stay.")
      .def_prop_ro(
          "state", [](const Epoch& epoch) { return state_to_dict(epoch.state); },
          nb::sig("def state(self) -> dict[str, typing.Any]"),
          "The loader's state after the last batch that was handed out.")
      .def_prop_ro(
          "skipped",
          [](const Epoch& epoch) { return epoch.stream ? epoch.stream->skipped() : epoch.last_skipped; })
      .def_prop_ro("stats", [](const Epoch& epoch) {
        return epoch.stream ? epoch.stream->stats() : epoch.last_stats;
      });
  nb::class_<Loader>(module, "Loader", "Turns a data set into batches.")
      .def(
          "__init__",
          [](Loader* loader, std::shared_ptr<const Dataset> dataset, FeatureSpec features, int64_t batch_size,
             bool shuffle, std::optional<uint64_t> seed, std::optional<uint64_t> memory, size_t threads,
             bool drop_remainder, std::optional<int64_t> buffer_rows, bool cache, bool skip_errors,
             int64_t rank, int64_t world_size) {
            LoaderOptions options;
            options.features = std::move(features);
            options.batch_size = batch_size;
            options.shuffle = shuffle;
            options.seed = seed;
            options.memory = memory.value_or(LoaderOptions::kUnlimitedMemory);
            options.cache = cache;
            options.threads = threads;
            options.drop_remainder = drop_remainder;
            options.buffer_rows = buffer_rows;
            options.on_error = skip_errors ? OnError::kSkip : OnError::kRaise;
            options.rank = rank;
            options.world_size = world_size;
            new (loader)
                Loader(run_interruptibly([&](const std::stop_token&) { return Loader(dataset, options); }));
          },
          nb::arg("dataset"), nb::arg("features"), nb::arg("batch_size"), nb::arg("shuffle"),
          nb::arg("seed").none(), nb::arg("memory").none(), nb::arg("threads"), nb::arg("drop_remainder"),
          nb::arg("buffer_rows").none(), nb::arg("cache"), nb::arg("skip_errors"), nb::arg("rank"),
          nb::arg("world_size"))
      .def(
          "split",
          [](const Loader& loader, const std::vector<double>& fractions, bool files,
             std::vector<std::string> values, bool order) {
            return run_interruptibly([&](const std::stop_token&) {
              return loader.split(fractions, {files, std::move(values), order});
            });
          },
          nb::arg("fractions"), nb::arg("files"), nb::arg("values"), nb::arg("order"))
      .def("split_where", &Loader::split_where, nb::arg("conditions"),
           nb::call_guard<nb::gil_scoped_release>())
      .def_prop_ro("rank", &Loader::rank)
      .def_prop_ro("world_size", &Loader::world_size)
      .def(
          "k_fold",
          [](const Loader& loader, int64_t folds, bool files, std::vector<std::string> values) {
            return loader.k_fold(folds, {files, std::move(values)});
          },
          nb::arg("folds"), nb::arg("files"), nb::arg("values"), nb::call_guard<nb::gil_scoped_release>())
      .def(
          "balance",
          [](const Loader& loader, std::string by, std::vector<std::pair<std::string, double>> fractions,
             const std::vector<std::pair<std::string, std::vector<double>>>& bins,
             std::optional<int64_t> rows, double most_copies) {
            Balance balance{std::move(by), std::move(fractions), {}, rows, most_copies};
            for (const auto& [value, edges] : bins) balance.bins.push_back({value, edges});
            return run_interruptibly([&](const std::stop_token&) { return loader.balance(balance); });
          },
          nb::arg("by"), nb::arg("fractions"), nb::arg("bins"), nb::arg("rows").none(),
          nb::arg("most_copies"))
      .def("share", &Loader::share, nb::arg("worker"), nb::arg("workers"),
           nb::call_guard<nb::gil_scoped_release>())
      .def_prop_ro("features", &Loader::features)
      .def_prop_ro("tensors", &Loader::tensors)
      .def_prop_ro("seed", &Loader::seed)
      .def_prop_ro("num_rows", &Loader::num_rows, nb::call_guard<nb::gil_scoped_release>())
      .def_prop_ro("num_batches", &Loader::num_batches, nb::call_guard<nb::gil_scoped_release>())
      .def("explain", &Loader::explain, nb::call_guard<nb::gil_scoped_release>())
      .def(
          "epoch",
          [](const Loader& loader, uint64_t number) {
            return Epoch{loader.tensors(), loader.state(number), loader.epoch(number)};
          },
          nb::arg("number"), nb::call_guard<nb::gil_scoped_release>(), "Starts reading an epoch.")
      .def(
          "resume",
          [](const Loader& loader, const nb::dict& state) {
            LoaderState at = state_from_dict(state);
            const nb::gil_scoped_release release;
            at = loader.adopt(at);
            return Epoch{loader.tensors(), at, loader.resume(at)};
          },
          nb::arg("state"), "Starts reading the rest of an epoch.")
      .def(
          "state",
          [](const Loader& loader, uint64_t epoch) {
            LoaderState state;
            {
              const nb::gil_scoped_release release;
              state = loader.state(epoch);
            }
            return state_to_dict(state);
          },
          nb::arg("epoch"), nb::sig("def state(self, epoch: int) -> dict[str, typing.Any]"),
          "The state before an epoch.")
      .def(
          "with_order_of",
          [](const Loader& loader, const nb::dict& state) {
            const LoaderState wanted = state_from_dict(state);
            const nb::gil_scoped_release release;
            return loader.with_order_of(wanted);
          },
          nb::arg("state"), "This loader with the seed and the buffer rows of the state.");
}
