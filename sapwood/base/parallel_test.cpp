#include "sapwood/base/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include "sapwood/base/error.h"

namespace sapwood {
namespace {

TEST(ParallelFor, VisitsEveryIndexOnce) {
  for (const size_t threads : {0, 1, 2, 7}) {
    std::vector<std::atomic<int>> visits(1000);
    parallel_for(visits.size(), threads, [&](size_t i) { ++visits[i]; });
    for (const auto& count : visits) EXPECT_EQ(count, 1);
  }
}

TEST(ParallelFor, DoesNothingForNothing) {
  parallel_for(0, 4, [](size_t) { FAIL(); });
}

TEST(ParallelFor, TakesTheCallingThreadAlone) {
  const auto caller = std::this_thread::get_id();
  parallel_for(10, 1, [&](size_t) { EXPECT_EQ(std::this_thread::get_id(), caller); });
}

TEST(ParallelFor, RethrowsTheFirstExceptionAndStops) {
  for (const size_t threads : {1, 4}) {
    std::atomic<size_t> calls = 0;
    const auto body = [&](size_t i) {
      ++calls;
      if (i == 3) throw FormatError("bad basket");
    };
    EXPECT_THROW(parallel_for(1000000, threads, body), FormatError);
    EXPECT_LT(calls, 1000000u);
  }
}

TEST(ParallelFor, StopsWhenAsked) {
  std::stop_source source;
  std::atomic<size_t> calls = 0;
  const auto body = [&](size_t i) {
    ++calls;
    if (i == 3) source.request_stop();
  };
  EXPECT_THROW(parallel_for(1000000, 2, body, source.get_token()), CancelledError);
  EXPECT_LT(calls, 1000000u);
}

TEST(ParallelFor, NestsWithoutDeadlock) {
  std::atomic<int> calls = 0;
  parallel_for(4, 2, [&](size_t) { parallel_for(4, 2, [&](size_t) { ++calls; }); });
  EXPECT_EQ(calls, 16);
}

TEST(AvailableThreads, IsAtLeastOne) { EXPECT_GE(available_threads(), 1u); }

}  // namespace
}  // namespace sapwood
