#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sapwood/serve/histogram.h"
#include "sapwood/serve/registry.h"

namespace sapwood::serve {

/// Counts of HTTP requests. Each event loop has counters of its own, so that loops do not wait for each
/// other.
class HttpMetrics {
 public:
  HttpMetrics(size_t num_loops, size_t num_routes);
  void observe(size_t loop, size_t route, int status, std::chrono::nanoseconds time);

  struct RouteReading {
    std::vector<std::pair<int, uint64_t>> by_status;  ///< those that occurred
    Histogram::Reading seconds;
  };
  RouteReading read(size_t route) const;

 private:
  static constexpr std::array kStatuses{200, 400, 401, 403, 404, 405, 408, 409,
                                        413, 415, 431, 499, 500, 501, 503};
  struct alignas(64) Counters {
    std::array<std::atomic<uint64_t>, kStatuses.size() + 1> by_status{};  ///< the last: all others
    Histogram seconds{seconds_bounds()};
  };
  size_t num_routes_;
  std::vector<std::unique_ptr<Counters>> counters_;  ///< [loop][route]
};

/// The text that Prometheus reads: requests by route and status, what each model has done, the process's
/// memory.
std::string prometheus_text(const HttpMetrics& http, std::span<const std::string_view> routes,
                            const Registry& registry);

/// Bytes of this process in memory; 0 where the system does not say.
uint64_t resident_bytes();

}  // namespace sapwood::serve
