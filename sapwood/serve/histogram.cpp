#include "sapwood/serve/histogram.h"

#include <numeric>

namespace sapwood::serve {

Histogram::Reading Histogram::read() const {
  Reading reading{.bounds = bounds_};
  for (size_t i = 0; i < counts_.size(); ++i) reading.counts[i] = counts_[i].load(std::memory_order_relaxed);
  reading.sum = sum_.load(std::memory_order_relaxed);
  return reading;
}

uint64_t Histogram::Reading::count() const {
  return std::accumulate(counts.begin(), counts.end(), uint64_t{0});
}

Histogram::Reading& Histogram::Reading::operator+=(const Reading& other) {
  bounds = other.bounds;
  for (size_t i = 0; i < counts.size(); ++i) counts[i] += other.counts[i];
  sum += other.sum;
  return *this;
}

std::span<const double> seconds_bounds() {
  static constexpr std::array kBounds{5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2,
                                      2e-2, 5e-2, 0.1,  0.2,  0.5,  1.0,  2.0,  10.0};
  return kBounds;
}

std::span<const double> rows_bounds() {
  static constexpr std::array kBounds{1.0,   2.0,   4.0,   8.0,    16.0,   32.0,   64.0,
                                      128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0, 16384.0};
  return kBounds;
}

}  // namespace sapwood::serve
