#include "sapwood/serve/worker.h"

#include <utility>

namespace sapwood::serve {

void Worker::run(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    tasks_.push_back(std::move(task));
  }
  wake_.notify_all();
}

bool Worker::stop(std::chrono::milliseconds patience) {
  std::deque<std::function<void()>> dropped;  // they end without the lock
  std::unique_lock lock(mutex_);
  stopped_ = true;
  dropped.swap(tasks_);
  const bool ended = wake_.wait_for(lock, patience, [this] { return !busy_; });
  lock.unlock();
  return ended;
}

void Worker::work(const std::stop_token& stop) {
  for (;;) {
    std::function<void()> task;
    {
      std::unique_lock lock(mutex_);
      if (!wake_.wait(lock, stop, [this] { return !tasks_.empty(); }) || stop.stop_requested()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
      busy_ = true;
    }
    task();
    task = {};
    const std::lock_guard lock(mutex_);
    busy_ = false;
    wake_.notify_all();
  }
}

}  // namespace sapwood::serve
