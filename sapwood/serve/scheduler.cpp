#include "sapwood/serve/scheduler.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "sapwood/base/error.h"

namespace sapwood::serve {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_between(Clock::time_point start, Clock::time_point stop) {
  return std::chrono::duration<double>(stop - start).count();
}

struct Queued {
  Request request;
  uint64_t bytes = 0;
  Clock::time_point since;
};

uint64_t byte_size(const Request& request) {
  uint64_t bytes = 0;
  for (const Tensor& tensor : request.inputs) bytes += tensor.data.size();
  return bytes;
}

/// The answers of one batch, sorted by where they go, so that each receiver is woken once.
class Mail {
 public:
  void add(Request& request, Outcome outcome) {
    auto bag = std::ranges::find(bags_, request.deliveries, &Bag::first);
    if (bag == bags_.end()) bag = bags_.insert(bags_.end(), {request.deliveries, {}});
    bag->second.push_back({std::move(request.completion), std::move(outcome)});
  }
  void send() {
    for (auto& [receiver, finished] : bags_) receiver->post(std::move(finished));
    bags_.clear();
  }

 private:
  using Bag = std::pair<std::shared_ptr<Deliveries>, std::vector<Finished>>;
  std::vector<Bag> bags_;
};

}  // namespace

struct Scheduler::State {
  State(std::shared_ptr<const Model> model, const SchedulerOptions& options)
      : model(std::move(model)),
        options(options),
        batchable(options.joins_requests && is_batchable(*this->model)) {}

  const std::shared_ptr<const Model> model;
  const SchedulerOptions options;
  const bool batchable;

  mutable std::mutex mutex;
  std::condition_variable work;
  std::deque<Queued> queue;
  int64_t queued_rows = 0;
  uint64_t queued_bytes = 0;
  int idle_runners = 0;
  bool stopped = false;
  uint64_t refused = 0;

  std::atomic<uint64_t> requests{0};
  std::atomic<uint64_t> rows{0};
  std::atomic<uint64_t> batches{0};
  std::atomic<uint64_t> failures{0};
  std::atomic<uint64_t> cancelled{0};
  Histogram queue_seconds{seconds_bounds()};
  Histogram run_seconds{seconds_bounds()};
  Histogram batch_rows{rows_bounds()};
  std::atomic<double> request_run_seconds{0};
  std::atomic<int64_t> last_run_ms{0};

  std::mutex stop_mutex;
  std::vector<std::jthread> threads;
};

/// What one thread does: take what is queued, run it, hand the answers back.
class Scheduler::Runner {
 public:
  explicit Runner(State& state) : state_(state) {}

  void operator()() {
    while (take()) {
      drop_cancelled();
      if (!batch_.empty()) run_batch();
      batch_.clear();
      mail_.send();
    }
  }

 private:
  /// Waits for work and moves a batch out of the queue; false when there will be no more.
  bool take() {
    std::unique_lock lock(state_.mutex);
    ++state_.idle_runners;
    state_.work.wait(lock, [this] { return state_.stopped || !state_.queue.empty(); });
    --state_.idle_runners;
    int64_t rows = 0;
    while (!state_.queue.empty()) {
      Queued& next = state_.queue.front();
      if (!batch_.empty() && !joins(next.request, rows)) break;
      rows += next.request.rows;
      state_.queued_rows -= next.request.rows;
      state_.queued_bytes -= next.bytes;
      batch_.push_back(std::move(next));
      state_.queue.pop_front();
    }
    return !batch_.empty();
  }

  bool joins(const Request& next, int64_t rows) const {
    return state_.batchable && rows + next.rows <= state_.options.max_batch_rows &&
           can_join(batch_.front().request.inputs, next.inputs);
  }

  void drop_cancelled() {
    const auto is_cancelled = [this](Queued& queued) {
      const auto& flag = queued.request.cancelled;
      if (!flag || !flag->load(std::memory_order_relaxed)) return false;
      state_.cancelled.fetch_add(1, std::memory_order_relaxed);
      mail_.add(queued.request, Failure{Failure::Kind::kCancelled, "the client is gone"});
      return true;
    };
    std::erase_if(batch_, is_cancelled);
  }

  void run_batch() {
    const Clock::time_point start = Clock::now();
    for (const Queued& queued : batch_) state_.queue_seconds.observe(seconds_between(queued.since, start));
    if (batch_.size() > 1 && run_joined()) return;
    // One by one: a single request, or a batch that failed, in which only those to blame shall fail.
    for (Queued& queued : batch_) run_alone(queued.request);
  }

  bool run_joined() {
    parts_.clear();
    int64_t rows = 0;
    for (const Queued& queued : batch_) {
      parts_.push_back(&queued.request.inputs);
      rows += queued.request.rows;
    }
    std::shared_ptr<const std::vector<Tensor>> outputs;
    try {
      outputs = run(join_rows(parts_, pool_), rows);
    } catch (const std::exception&) {
      return false;  // The runs alone say why.
    }
    const auto holds_rows = [rows](const Tensor& output) {
      return !output.shape.empty() && output.shape[0] == rows;
    };
    if (!std::ranges::all_of(*outputs, holds_rows)) return false;
    count_run(batch_.size(), rows);
    int64_t first = 0;
    for (Queued& queued : batch_) {
      const int64_t count = queued.request.rows;
      mail_.add(queued.request, OutputRows{outputs, first, count, false});
      first += count;
    }
    return true;
  }

  void run_alone(Request& request) {
    try {
      OutputRows rows{run(request.inputs, request.rows), 0, request.rows, true};
      count_run(1, request.rows);
      mail_.add(request, std::move(rows));
    } catch (const Error& error) {
      fail(request, error.what());
    } catch (const std::exception& error) {
      fail(request, concat("the model failed: ", error.what()));
    }
  }

  std::shared_ptr<const std::vector<Tensor>> run(std::span<const Tensor> inputs, int64_t rows) {
    const Clock::time_point start = Clock::now();
    auto outputs = std::make_shared<const std::vector<Tensor>>(state_.model->run(inputs));
    last_run_seconds_ = seconds_between(start, Clock::now());
    state_.run_seconds.observe(last_run_seconds_);
    state_.batch_rows.observe(static_cast<double>(rows));
    return outputs;
  }

  void count_run(size_t requests, int64_t rows) {
    state_.batches.fetch_add(1, std::memory_order_relaxed);
    state_.requests.fetch_add(requests, std::memory_order_relaxed);
    state_.rows.fetch_add(static_cast<uint64_t>(rows), std::memory_order_relaxed);
    state_.request_run_seconds.fetch_add(last_run_seconds_ * static_cast<double>(requests),
                                         std::memory_order_relaxed);
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    state_.last_run_ms.store(std::chrono::duration_cast<std::chrono::milliseconds>(now).count(),
                             std::memory_order_relaxed);
  }

  void fail(Request& request, std::string message) {
    state_.failures.fetch_add(1, std::memory_order_relaxed);
    mail_.add(request, Failure{Failure::Kind::kModel, std::move(message)});
  }

  State& state_;
  std::vector<Queued> batch_;
  std::vector<const std::vector<Tensor>*> parts_;
  Mail mail_;
  double last_run_seconds_ = 0;
  static constexpr uint64_t kKeptBytes = 16u << 20;  // between batches
  const std::shared_ptr<MemoryPool> pool_ = std::make_shared<RecyclingPool>(kKeptBytes);
};

Scheduler::Scheduler(std::shared_ptr<const Model> model, const SchedulerOptions& options)
    : state_(std::make_unique<State>(std::move(model), options)) {
  for (int i = 0; i < std::max(options.runners, 1); ++i) {
    state_->threads.emplace_back([this] { Runner{*state_}(); });
  }
}

Scheduler::~Scheduler() { stop(false); }

Admission Scheduler::submit(Request& request) {
  Queued queued{.request = {}, .bytes = byte_size(request), .since = Clock::now()};
  State& state = *state_;
  bool wake = false;
  {
    const std::lock_guard lock(state.mutex);
    if (state.stopped) return Admission::kStopped;
    // A request that is larger than the bounds is let into an empty queue; what it may hold is for others to
    // say.
    const bool fits = state.queued_rows + request.rows <= state.options.max_queued_rows &&
                      state.queued_bytes + queued.bytes <= state.options.max_queued_bytes;
    if (!fits && !state.queue.empty()) {
      ++state.refused;
      return Admission::kQueueFull;
    }
    state.queued_rows += request.rows;
    state.queued_bytes += queued.bytes;
    queued.request = std::move(request);
    state.queue.push_back(std::move(queued));
    wake = state.idle_runners > 0;
  }
  if (wake) state.work.notify_one();
  return Admission::kAccepted;
}

void Scheduler::stop(bool drain) {
  const std::lock_guard stopping(state_->stop_mutex);
  std::deque<Queued> abandoned;
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopped = true;
    if (!drain) {
      abandoned.swap(state_->queue);
      state_->queued_rows = 0;
      state_->queued_bytes = 0;
    }
  }
  state_->work.notify_all();
  Mail mail;
  for (Queued& queued : abandoned) {
    mail.add(queued.request, Failure{Failure::Kind::kStopped, "the model is being unloaded"});
  }
  mail.send();
  state_->threads.clear();
}

const SchedulerOptions& Scheduler::options() const { return state_->options; }

SchedulerCounters Scheduler::counters() const {
  const State& state = *state_;
  SchedulerCounters counters;
  counters.requests = state.requests.load(std::memory_order_relaxed);
  counters.rows = state.rows.load(std::memory_order_relaxed);
  counters.batches = state.batches.load(std::memory_order_relaxed);
  counters.failures = state.failures.load(std::memory_order_relaxed);
  counters.cancelled = state.cancelled.load(std::memory_order_relaxed);
  counters.queue_seconds = state.queue_seconds.read();
  counters.run_seconds = state.run_seconds.read();
  counters.batch_rows = state.batch_rows.read();
  counters.request_run_seconds = state.request_run_seconds.load(std::memory_order_relaxed);
  counters.last_run_ms = state.last_run_ms.load(std::memory_order_relaxed);
  const std::lock_guard lock(state.mutex);
  counters.refused = state.refused;
  counters.queued_requests = static_cast<int64_t>(state.queue.size());
  counters.queued_rows = state.queued_rows;
  return counters;
}

}  // namespace sapwood::serve
