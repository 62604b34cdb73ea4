#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "sapwood/runtime/model.h"
#include "sapwood/serve/batch.h"
#include "sapwood/serve/histogram.h"

namespace sapwood::serve {

/// Why a request that was accepted has no outputs.
struct Failure {
  enum class Kind : uint8_t {
    kModel,      ///< the model refused it; alone, not because of others in its batch
    kCancelled,  ///< its client is gone
    kStopped,    ///< the scheduler stopped before it was its turn
  };
  Kind kind = Kind::kModel;
  std::string message;
};

using Outcome = std::variant<OutputRows, Failure>;
using Completion = std::function<void(Outcome)>;

/// A request that is done.
struct Finished {
  Completion completion;
  Outcome outcome;
  void deliver() { completion(std::move(outcome)); }
};

/// Where requests are handed back: an event loop. Safe to call from any thread; must not block.
class Deliveries {
 public:
  virtual ~Deliveries() = default;
  /// Calls `deliver` of each soon, on the receiver's own thread.
  virtual void post(std::vector<Finished> finished) = 0;
};

/// One request: tensors that `count_rows` found right.
struct Request {
  std::vector<Tensor> inputs;
  int64_t rows = 1;
  Completion completion;                   ///< called once if accepted, through `deliveries`
  std::shared_ptr<Deliveries> deliveries;  ///< of the caller
  std::shared_ptr<const std::atomic<bool>>
      cancelled;  ///< may be none; looked at when the request's turn comes
};

struct SchedulerOptions {
  int64_t max_batch_rows = 1024;  ///< of a run that joins requests; a larger request runs alone
  int64_t max_queued_rows = 65536;
  uint64_t max_queued_bytes = 256u << 20;
  int runners = 1;             ///< threads, each with a run of its own
  bool joins_requests = true;  ///< false for models whose rows are not independent of each other
};

enum class Admission : uint8_t { kAccepted, kQueueFull, kStopped };

/// What a scheduler has done so far.
struct SchedulerCounters {
  uint64_t requests = 0;  ///< answered with outputs
  uint64_t rows = 0;      ///< of those
  uint64_t batches = 0;   ///< runs of the model that gave outputs
  uint64_t failures = 0;  ///< the model refused
  uint64_t cancelled = 0;
  uint64_t refused = 0;  ///< the queue was full
  int64_t queued_requests = 0;
  int64_t queued_rows = 0;
  Histogram::Reading queue_seconds;  ///< of each request, until its batch starts
  Histogram::Reading run_seconds;    ///< of each batch
  Histogram::Reading batch_rows;
  double request_run_seconds = 0;  ///< of the runs, counted once for each request in them
  int64_t last_run_ms = 0;         ///< since 1970; 0: never
};

/// Joins the requests of many clients into batches for one model. It never waits for more to come: when the
/// model is free it takes what is queued. Knows nothing of protocols. All methods may be called from any
/// thread.
class Scheduler {
 public:
  /// The runners' threads start at once.
  explicit Scheduler(std::shared_ptr<const Model> model, const SchedulerOptions& options = {});
  /// Like `stop(false)`.
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  /// Queues the request. It is moved from only when it is accepted.
  Admission submit(Request& request);
  /// Takes no more requests and returns when the runners have ended: with `drain` after answering what is
  /// queued, else by failing it. Not to be called from a completion that a runner's thread delivers.
  void stop(bool drain);

  SchedulerCounters counters() const;
  const SchedulerOptions& options() const;

 private:
  class Runner;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sapwood::serve
