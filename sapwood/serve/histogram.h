#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace sapwood::serve {

/// Counts of observations in buckets with fixed upper bounds. Any thread may observe and read; a reader sees
/// each count whole, though not all counts of one moment.
class Histogram {
 public:
  static constexpr size_t kMaxBounds = 16;
  /// `bounds` ascend, at most `kMaxBounds` of them, and live as long as the histogram.
  explicit Histogram(std::span<const double> bounds) : bounds_(bounds) {}

  void observe(double value) {
    size_t bucket = 0;
    while (bucket < bounds_.size() && value > bounds_[bucket]) ++bucket;
    counts_[bucket].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
  }

  struct Reading {
    std::span<const double> bounds;
    std::array<uint64_t, kMaxBounds + 1> counts{};  ///< the last one in use: above all bounds
    double sum = 0;
    uint64_t count() const;
    Reading& operator+=(const Reading& other);
  };
  Reading read() const;

 private:
  std::span<const double> bounds_;
  std::array<std::atomic<uint64_t>, kMaxBounds + 1> counts_{};
  std::atomic<double> sum_{0};
};

/// From 50 us to 10 s.
std::span<const double> seconds_bounds();
/// Powers of two from 1 to 4096, and 16384.
std::span<const double> rows_bounds();

}  // namespace sapwood::serve
