#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace sapwood::serve {

/// One thread for what would keep an event loop too long: loading and removing models. Tasks run in order.
class Worker {
 public:
  Worker() : thread_([this](const std::stop_token& stop) { work(stop); }) {}
  /// Tasks that have not begun are dropped.
  ~Worker() = default;
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// From any thread. `task` throws nothing. Dropped after `stop`.
  void run(std::function<void()> task);
  /// Drops the tasks that have not begun and waits for the one that runs, but no longer than `patience`;
  /// whether it has ended.
  bool stop(std::chrono::milliseconds patience);

 private:
  void work(const std::stop_token& stop);

  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<std::function<void()>> tasks_;
  bool stopped_ = false;
  bool busy_ = false;
  std::jthread thread_;  // last: it ends before the rest goes
};

}  // namespace sapwood::serve
