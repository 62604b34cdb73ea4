#include "sapwood/loader/pipeline.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <stop_token>
#include <system_error>
#include <thread>

#include "sapwood/base/error.h"
#include "sapwood/loader/block.h"
#include "sapwood/loader/staging.h"
#include "sapwood/loader/unit_decoder.h"

namespace sapwood {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

constexpr int64_t kBlockBytes = 1 << 20;  // batches are made, and waited for, in blocks of about this size
constexpr uint64_t kSmallestChunk = 512;  // of a worker's rows of one bucket
constexpr uint64_t kLargestChunk = 1 << 20;
constexpr uint64_t kChunksOfABucket = 8;  // of each worker, so that the last one, half empty, does not weigh
constexpr uint64_t kSlabsOfAll = 32;      // that rows are staged in
constexpr size_t kMostFetched = 64;       // units, since each keeps its file open
constexpr int64_t kSegmentsAhead = 1;     // staged beyond those that the next bucket waits for
constexpr size_t kDecodedAhead = 2;       // units of each thread, since the first may be done last

int64_t batch_bytes(const EpochPlan& plan) {
  return std::max<int64_t>(1, std::llround(plan.batch_row_bytes * static_cast<double>(plan.batch_size)));
}

// Rows that have left the window still take memory: no more than those of a bucket, or of one batch.
int64_t batches_per_block(const EpochPlan& plan) {
  const int64_t bucket_rows =
      std::llround(plan.kept * static_cast<double>(plan.stream.window.segment_entries));
  return std::max<int64_t>(1, std::min(kBlockBytes / batch_bytes(plan), bucket_rows / plan.batch_size));
}

class Pipeline final : public BatchStream {
 public:
  explicit Pipeline(EpochPlan plan);
  ~Pipeline() override;
  Status next(Batch& batch, double timeout_seconds) override;
  void cancel() override;
  LoaderStats stats() const override;
  std::vector<SkippedRange> skipped() const override;

 private:
  enum class Task { kNone, kAssemble, kSort, kStage, kDecode, kFetch };

  void work(size_t worker, bool only_fetch);
  Task choose_task(bool only_fetch) const;
  bool can_assemble() const;
  bool can_sort() const;
  bool can_stage() const;
  bool can_decode() const;
  bool can_fetch() const;
  int64_t stage_limit() const;  // the stream position up to which rows may be staged
  bool finished() const;
  // Each of these is entered and left with the lock held, and gives it up while it works.
  void fetch_unit(std::unique_lock<std::mutex>& lock);
  void decode_unit(std::unique_lock<std::mutex>& lock);
  void stage_unit(std::unique_lock<std::mutex>& lock, WorkerStaging& staging);
  void sort_bucket(std::unique_lock<std::mutex>& lock);
  void assemble_block(std::unique_lock<std::mutex>& lock);

  void wake_all();
  void give_back(uint64_t& taken, uint64_t bytes);
  void repeat_rows();
  void pass_delivered();
  void put_back(std::unique_ptr<DecodedUnit> decoded);
  void mark_staged(int64_t begin, int64_t end);
  void check_memory() const;

  // Counts the epochs that share the pools; declared first, so that all memory is back when it ends.
  class Share {
   public:
    explicit Share(std::shared_ptr<LoaderPools> pools) : pools_(std::move(pools)) { ++pools_->running; }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share() { --pools_->running; }

   private:
    std::shared_ptr<LoaderPools> pools_;
  };

  void start_threads();

  const EpochPlan plan_;
  const std::vector<StreamUnit>& units_;
  const Window& window_;
  const Share share_;
  const std::shared_ptr<RecyclingPool> pool_;
  const std::shared_ptr<RecyclingPool> batch_pool_;
  std::stop_source stop_;  // for threads that wait for files to be readable again
  const UnitDecoder decoder_;
  BlockCutter blocks_;
  std::vector<WorkerStaging> staging_;  // one for each worker
  int64_t blocks_ahead_ = 1;
  uint64_t decoding_room_ = 0;  // of the memory for units, that reading ahead leaves to decoding

  mutable std::mutex mutex_;
  std::condition_variable work_changed_;
  std::condition_variable room_changed_;  // what the thread that reads ahead waits for
  std::condition_variable block_ready_;
  bool stopping_ = false;
  std::exception_ptr failure_;

  size_t next_fetch_ = 0;
  uint64_t fetched_bytes_ = 0;
  std::map<size_t, FetchedRows> fetched_;  // by place in the order
  size_t next_decode_ = 0;
  uint64_t decoding_bytes_ = 0;
  std::deque<std::unique_ptr<DecodedUnit>> decoded_;  // by position; not staged whole, and nobody is at it
  std::vector<int64_t> segment_entries_left_;         // not yet staged
  int64_t complete_segments_ = 0;                     // leading segments that are staged whole
  int64_t next_sort_ = 0;                             // bucket
  bool sorting_ = false;
  std::vector<SkippedRange> skipped_;
  std::deque<Block> to_assemble_;
  int64_t blocks_delivered_ = 0;
  size_t assembling_ = 0;
  std::map<int64_t, Block> ready_;
  uint64_t ready_bytes_ = 0;

  Block current_;  // being handed out; the consumer's alone
  size_t current_batch_ = 0;
  LoaderStats stats_;
  std::vector<std::jthread> threads_;  // last: they end before the rest goes
};

Pipeline::Pipeline(EpochPlan plan)
    : plan_(std::move(plan)),
      units_(plan_.stream.units),
      window_(plan_.stream.window),
      share_(plan_.pools),
      pool_(plan_.pools->work),
      batch_pool_(plan_.pools->batches),
      decoder_(plan_, pool_, stop_.get_token()),
      blocks_(plan_, batches_per_block(plan_) * plan_.batch_size) {
  // Each worker fills a chunk in every bucket of the window: all of them are to be small beside the rows.
  const double bucket_bytes = static_cast<double>(window_.segment_entries) * plan_.kept *
                              (plan_.row_bytes + static_cast<double>(sizeof(StagedRow)));
  const double share = bucket_bytes / static_cast<double>(plan_.threads * kChunksOfABucket);
  const auto bytes = static_cast<uint64_t>(std::min(share, static_cast<double>(kLargestChunk)));
  const uint64_t chunk = std::max(std::bit_floor(bytes), kSmallestChunk);
  const uint64_t slab = std::max(std::bit_floor(plan_.memory.staging / kSlabsOfAll), chunk);
  const auto chunks = std::make_shared<SlabPool>(chunk, pool_, slab);
  for (size_t i = 0; i < plan_.threads; ++i) staging_.emplace_back(window_.num_buckets(), chunk, chunks);

  segment_entries_left_.assign(static_cast<size_t>(window_.num_segments), window_.segment_entries);
  segment_entries_left_.back() =
      plan_.stream.num_entries - (window_.num_segments - 1) * window_.segment_entries;
  uint64_t largest = 0;
  for (const StreamUnit& next : units_) {
    largest = std::max(largest, decoding_bytes(next.unit, plan_.selection, plan_.work_bytes));
  }
  // For whichever unit comes first, and for as many as keep all threads busy.
  const uint64_t for_all = largest * plan_.threads * (1 + kDecodedAhead);
  decoding_room_ = std::max(largest, std::min(for_all, plan_.memory.units / 4 * 3));
  if (plan_.stream.num_entries == 0) complete_segments_ = window_.num_segments;
  if (plan_.after.bucket >= 0) pass_delivered();

  const int64_t block_bytes = batches_per_block(plan_) * batch_bytes(plan_);
  blocks_ahead_ = std::max<int64_t>(2, static_cast<int64_t>(plan_.memory.ready) / block_bytes);
  start_threads();
}

void Pipeline::start_threads() {
  try {
    for (size_t i = 0; i < plan_.threads; ++i) threads_.emplace_back([this, i] { work(i, false); });
    threads_.emplace_back([this] { work(0, true); });  // reads ahead while the workers compute
  } catch (const std::system_error& error) {
    cancel();
    throw IoError(concat("can't start a thread for the loader: ", error.what()));
  }
}

// Begins at the bucket of the last delivered row; units that come before all its rows need not be read.
void Pipeline::pass_delivered() {
  next_sort_ = plan_.after.bucket;
  int64_t end = 0;
  for (; next_fetch_ < units_.size(); ++next_fetch_) {
    const int64_t unit_end = units_[next_fetch_].position + units_[next_fetch_].unit.entries.size();
    const int64_t last_segment = window_.segment(std::max<int64_t>(unit_end - 1, 0));
    if (window_.last_bucket(last_segment) >= plan_.after.bucket) break;
    end = unit_end;
  }
  next_decode_ = next_fetch_;
  mark_staged(0, end);
}

Pipeline::~Pipeline() {
  cancel();
  threads_.clear();
}

void Pipeline::cancel() {
  stop_.request_stop();
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  wake_all();
}

LoaderStats Pipeline::stats() const {
  const std::lock_guard lock(mutex_);
  LoaderStats stats = stats_;
  stats.peak_bytes = pool_->peak_bytes_held();
  return stats;
}

std::vector<SkippedRange> Pipeline::skipped() const {
  const std::lock_guard lock(mutex_);
  return skipped_;
}

bool Pipeline::finished() const {
  return next_sort_ == window_.num_buckets() && !sorting_ && to_assemble_.empty() && assembling_ == 0;
}

// Blocks of packed groups may be larger than on average: their share of the memory holds all but two.
bool Pipeline::can_assemble() const {
  if (to_assemble_.empty()) return false;
  const int64_t ahead = to_assemble_.front().number - blocks_delivered_;
  return ahead < blocks_ahead_ && (ahead < 2 || ready_bytes_ < plan_.memory.ready);
}

bool Pipeline::can_sort() const {
  return !sorting_ && next_sort_ < window_.num_buckets() &&
         window_.segments_of(next_sort_) <= complete_segments_ && to_assemble_.size() <= plan_.threads;
}

int64_t Pipeline::stage_limit() const {
  return (window_.segments_of(next_sort_) + kSegmentsAhead) * window_.segment_entries;
}

bool Pipeline::can_stage() const { return !decoded_.empty() && decoded_.front()->begin() < stage_limit(); }

bool Pipeline::can_decode() const {
  if (fetched_.empty() || fetched_.begin()->first != next_decode_) return false;
  const size_t enough = plan_.threads * kDecodedAhead;
  if (units_[next_decode_].position >= stage_limit() && decoded_.size() >= enough) return false;
  const FetchedRows& fetched = fetched_.begin()->second;
  const Unit& unit = fetched.unit.unit;
  if (!fetched.unit.columns && unit.stored_bytes == 0) return true;  // its rows are there already
  const uint64_t needed = decoding_bytes(unit, plan_.selection, plan_.work_bytes);
  return decoding_bytes_ == 0 || fetched_bytes_ + decoding_bytes_ + needed <= plan_.memory.units;
}

bool Pipeline::can_fetch() const {
  if (next_fetch_ == units_.size() || fetched_.size() >= kMostFetched) return false;
  const uint64_t decoding = std::max(decoding_bytes_, decoding_room_);
  const Unit& unit = units_[next_fetch_].unit;
  return fetched_bytes_ == 0 ||
         fetched_bytes_ + unit.stored_bytes + plan_.fetching_bytes(unit) + decoding <= plan_.memory.units;
}

Pipeline::Task Pipeline::choose_task(bool only_fetch) const {
  // What is nearest to the consumer goes first; reading ahead only when there is nothing else.
  if (!only_fetch) {
    if (can_assemble()) return Task::kAssemble;
    if (can_sort()) return Task::kSort;
    if (can_stage()) return Task::kStage;
    if (can_decode()) return Task::kDecode;
  }
  return can_fetch() ? Task::kFetch : Task::kNone;
}

void Pipeline::work(size_t worker, bool only_fetch) {
  std::unique_lock lock(mutex_);
  try {
    while (!stopping_ && !finished() && !(only_fetch && next_fetch_ == units_.size())) {
      switch (choose_task(only_fetch)) {
        case Task::kAssemble:
          assemble_block(lock);
          break;
        case Task::kSort:
          sort_bucket(lock);
          break;
        case Task::kStage:
          stage_unit(lock, staging_[worker]);
          break;
        case Task::kDecode:
          decode_unit(lock);
          break;
        case Task::kFetch:
          fetch_unit(lock);
          break;
        case Task::kNone: {
          const auto start = Clock::now();
          (only_fetch ? room_changed_ : work_changed_).wait(lock);
          if (!only_fetch) stats_.idle_seconds += seconds_since(start);
          continue;
        }
      }
      work_changed_.notify_all();
    }
  } catch (...) {
    if (!lock.owns_lock()) lock.lock();
    if (!failure_) failure_ = std::current_exception();
    stopping_ = true;
    stop_.request_stop();
  }
  wake_all();
}

void Pipeline::wake_all() {
  work_changed_.notify_all();
  room_changed_.notify_all();
  block_ready_.notify_all();
}

// Of the memory for units.
void Pipeline::give_back(uint64_t& taken, uint64_t bytes) {
  taken -= bytes;
  if (bytes != 0) room_changed_.notify_one();
}

void Pipeline::fetch_unit(std::unique_lock<std::mutex>& lock) {
  const size_t place = next_fetch_++;
  FetchedRows fetched{.unit = {units_[place].unit, {}, {}}};
  Unit& unit = fetched.unit.unit;
  if (plan_.pools->cache.find(units_[place].reading.unit, unit.entries)) {
    unit.stored_bytes = 0;
    fetched_.emplace(place, std::move(fetched));
    return;
  }
  const uint64_t stored_bytes = unit.stored_bytes;
  const uint64_t fetching_bytes = plan_.fetching_bytes(unit);
  fetched.held_bytes = stored_bytes;  // also where it can't be read whole: decoding reads what it can
  fetched_bytes_ += stored_bytes + fetching_bytes;
  lock.unlock();
  const auto start = Clock::now();
  try {
    fetched = decoder_.fetch(units_[place].unit);
  } catch (const FormatError&) {
    if (plan_.on_error == OnError::kRaise) throw;
  }
  const double seconds = seconds_since(start);
  lock.lock();
  fetched_bytes_ += fetched.held_bytes;
  give_back(fetched_bytes_, stored_bytes + fetching_bytes);
  stats_.fetch_seconds += seconds;
  if (!fetched.none_pass) stats_.stored_bytes += stored_bytes;
  fetched_.emplace(place, std::move(fetched));
}

void Pipeline::decode_unit(std::unique_lock<std::mutex>& lock) {
  const size_t place = next_decode_++;
  FetchedRows fetched = std::move(fetched_.extract(place).mapped());
  const StreamUnit& unit = units_[place];
  const uint64_t held_bytes = fetched.held_bytes;
  if (auto cached = decoder_.find(unit)) {
    give_back(fetched_bytes_, held_bytes);
    put_back(std::move(cached));
    return;
  }
  const uint64_t needed = decoding_bytes(unit.unit, plan_.selection, plan_.work_bytes);
  decoding_bytes_ += needed;
  lock.unlock();
  const auto start = Clock::now();
  DecodedPieces decoded = decoder_.decode(unit, std::move(fetched));
  check_memory();
  int64_t lost = 0;
  for (const auto& [piece, error] : decoded.failed) lost += decoder_.count_rows(piece);
  const double seconds = seconds_since(start);
  lock.lock();
  stats_.decode_seconds += seconds;
  stats_.skipped_rows += lost;
  give_back(fetched_bytes_, held_bytes);
  give_back(decoding_bytes_, needed);
  for (auto& piece : decoded.pieces) {
    if (!piece->cached) {
      piece->decoding_bytes = needed / decoded.pieces.size();
      decoding_bytes_ += piece->decoding_bytes;
    }
    put_back(std::move(piece));
  }
  for (const auto& [piece, error] : decoded.failed) {
    const std::string& file = plan_.dataset->source().files()[piece.unit.file].path;
    skipped_.push_back({file, piece.unit.entries, error});
    mark_staged(piece.position, piece.position + piece.unit.entries.size());
  }
}

// Where its turn is: several workers stage units at a time, and one that must wait may not hide an earlier
// one.
void Pipeline::put_back(std::unique_ptr<DecodedUnit> decoded) {
  const auto later = std::ranges::find_if(
      decoded_, [&](const auto& other) { return other->place.position > decoded->place.position; });
  decoded_.insert(later, std::move(decoded));
}

void Pipeline::stage_unit(std::unique_lock<std::mutex>& lock, WorkerStaging& staging) {
  std::unique_ptr<DecodedUnit> decoded = std::move(decoded_.front());
  decoded_.pop_front();
  const int64_t begin = decoded->begin();
  const int64_t end = std::min(decoded->end(), stage_limit());
  lock.unlock();
  const auto start = Clock::now();
  with_context(decoded->context, [&] { decoded->stage(plan_, end, staging); });
  check_memory();
  const bool whole = end == decoded->end();
  const uint64_t released = whole ? decoded->decoding_bytes : 0;
  if (whole) decoded.reset();
  const double seconds = seconds_since(start);
  lock.lock();
  stats_.stage_seconds += seconds;
  give_back(decoding_bytes_, released);
  if (decoded) put_back(std::move(decoded));
  mark_staged(begin, end);
}

void Pipeline::mark_staged(int64_t begin, int64_t end) {
  for (int64_t at = begin; at < end;) {
    const int64_t segment = window_.segment(at);
    const int64_t segment_end = std::min(end, (segment + 1) * window_.segment_entries);
    segment_entries_left_[static_cast<size_t>(segment)] -= segment_end - at;
    at = segment_end;
  }
  while (complete_segments_ < window_.num_segments &&
         segment_entries_left_[static_cast<size_t>(complete_segments_)] == 0) {
    ++complete_segments_;
  }
}

void Pipeline::check_memory() const {
  const uint64_t used = pool_->bytes_in_use();
  const uint64_t allowed = (plan_.memory.total - plan_.memory.ready) * plan_.pools->running;
  if (used <= allowed) return;
  std::string remedy = "more memory";
  if (window_.shuffle) {
    const int64_t fewer = window_.segment_entries * window_.delays / 4;
    remedy = concat("buffer_rows=", std::max<int64_t>(fewer, 1), " or ", remedy);
  }
  throw ConfigError(concat("the loader needs ", used, " bytes for rows and units where memory leaves ",
                           allowed, ": rows are larger in this part of the data than on average; give ",
                           remedy));
}

void Pipeline::sort_bucket(std::unique_lock<std::mutex>& lock) {
  const int64_t number = next_sort_++;
  sorting_ = true;
  std::shared_ptr<SortedBucket> bucket;
  if (number >= window_.first) {
    lock.unlock();
    const auto start = Clock::now();
    std::vector<StagingChunk> chunks;
    for (WorkerStaging& staging : staging_) {
      for (StagingChunk& chunk : staging.take(number)) chunks.push_back(std::move(chunk));
    }
    bucket = std::make_shared<SortedBucket>(number, std::move(chunks), pool_);
    const double seconds = seconds_since(start);
    lock.lock();
    stats_.assemble_seconds += seconds;
  }
  sorting_ = false;
  if (bucket) blocks_.add(std::move(bucket));
  const bool last = next_sort_ == window_.num_buckets();
  if (last && blocks_.missing_rows() > 0) repeat_rows();
  blocks_.cut(last, to_assemble_);
}

// Of a rank that skipped some, so that it has as many batches as the others.
void Pipeline::repeat_rows() {
  const int64_t missing = blocks_.missing_rows();
  if (!plan_.may_repeat())
    throw IoError(concat(missing, " rows are missing that were counted before: did the files change?"));
  if (!blocks_.repeat_rows()) {
    throw FormatError(concat("none of the ", missing, " rows of this rank can be read",
                             skipped_.empty() ? "" : ": " + skipped_.front().error));
  }
  stats_.repeated_rows = missing;
}

void Pipeline::assemble_block(std::unique_lock<std::mutex>& lock) {
  Block block = std::move(to_assemble_.front());
  to_assemble_.pop_front();
  ++assembling_;
  lock.unlock();
  const auto start = Clock::now();
  block.make_batches(plan_, batch_pool_);
  const double seconds = seconds_since(start);
  lock.lock();
  --assembling_;
  stats_.assemble_seconds += seconds;
  const int64_t number = block.number;
  ready_bytes_ += block.bytes;
  ready_.emplace(number, std::move(block));
  if (number == blocks_delivered_) block_ready_.notify_all();
}

BatchStream::Status Pipeline::next(Batch& batch, double timeout_seconds) {
  if (current_batch_ == current_.batches.size()) {
    std::unique_lock lock(mutex_);
    const auto start = Clock::now();
    const auto settled = [&] { return stopping_ || ready_.contains(blocks_delivered_) || finished(); };
    const bool in_time = block_ready_.wait_for(lock, std::chrono::duration<double>(timeout_seconds), settled);
    stats_.consumer_wait_seconds += seconds_since(start);
    if (!in_time) return Status::kNotReady;
    if (failure_) std::rethrow_exception(failure_);
    if (stopping_) throw CancelledError("the loader was cancelled");
    if (!ready_.contains(blocks_delivered_)) return Status::kEnd;
    current_ = std::move(ready_.extract(blocks_delivered_).mapped());
    current_batch_ = 0;
    ready_bytes_ -= current_.bytes;
    ++blocks_delivered_;
    work_changed_.notify_all();
  }
  batch = std::move(current_.batches[current_batch_++]);
  const std::lock_guard lock(mutex_);
  stats_.rows += batch.rows;
  ++stats_.batches;
  return Status::kBatch;
}

}  // namespace

uint64_t decoding_bytes(const Unit& unit, const Selection& selection, double work_bytes) {
  // Values of fixed width are decoded in place of what is decompressed; jagged ones get wider offsets
  // besides.
  const auto fixed = [](const Selection::Place& column) { return fixed_entry_size(column.type) != 0; };
  const uint64_t more = std::ranges::all_of(selection.columns, fixed) ? 8 : 2;
  const double work = work_bytes * static_cast<double>(unit.entries.size());
  return unit.decoded_bytes + unit.decoded_bytes / more + static_cast<uint64_t>(work);
}

std::optional<Batch> BatchStream::next() {
  Batch batch;
  Status status = Status::kNotReady;
  while (status == Status::kNotReady) status = next(batch, 60);
  if (status == Status::kEnd) return std::nullopt;
  return batch;
}

std::unique_ptr<BatchStream> start_pipeline(EpochPlan plan) {
  return std::make_unique<Pipeline>(std::move(plan));
}

}  // namespace sapwood
