#include "sapwood/base/parallel.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "sapwood/base/error.h"

namespace sapwood {

size_t available_threads() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return std::max(1u, std::thread::hardware_concurrency());
  return static_cast<size_t>(std::max(1, CPU_COUNT(&set)));
}

void parallel_for(size_t count, size_t threads, const std::function<void(size_t)>& body,
                  const std::stop_token& stop) {
  std::atomic<size_t> next{0};
  std::mutex mutex;
  std::exception_ptr failure;
  const auto work = [&] {
    for (;;) {
      if (stop.stop_requested()) return;
      const size_t index = next.fetch_add(1, std::memory_order_relaxed);
      if (index >= count) return;
      try {
        body(index);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
        next.store(count, std::memory_order_relaxed);
      }
    }
  };
  {
    std::vector<std::jthread> helpers;
    const size_t wanted = std::min(std::max<size_t>(threads, 1), count);
    try {
      for (size_t i = 1; i < wanted; ++i) helpers.emplace_back(work);
    } catch (const std::system_error&) {  // no more threads to be had: those that are there do the work
    }
    work();
  }
  if (failure) std::rethrow_exception(failure);
  if (stop.stop_requested()) throw CancelledError("cancelled");
}

}  // namespace sapwood
