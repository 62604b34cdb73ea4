#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "sapwood/base/error.h"
#include "sapwood/io/test_faults.h"
#include "sapwood/loader/loader.h"

namespace sapwood {
namespace {

using io::nothing_is_cached;
using io::read_fault;
using Clock = std::chrono::steady_clock;

class LoaderFaults : public testing::Test {
 protected:
  void TearDown() override {
    read_fault.disarm();
    nothing_is_cached = false;
  }
  Loader loader(OnError on_error = OnError::kSkip) const {
    LoaderOptions options;
    options.features = {{{.name = "part", .variables = {"part_px"}, .pad = 64}}};
    options.batch_size = 100;
    options.seed = 5;
    options.buffer_rows = 500;
    options.threads = 3;
    options.on_error = on_error;
    return {jets_, options};
  }
  static std::vector<std::byte> bytes_of(BatchStream& stream) {
    std::vector<std::byte> bytes;
    for (const Batch& batch : stream) {
      for (const Buffer& tensor : batch.tensors)
        bytes.insert(bytes.end(), tensor.data(), tensor.data() + tensor.size());
    }
    return bytes;
  }
  const std::string folder_ = std::string(SAPWOOD_TEST_DATA) + "/../../examples/data/";
  const std::shared_ptr<const Dataset> jets_ =
      sapwood::open({folder_ + "QCD_*.root", folder_ + "Tbqq_*.root"});
};

TEST_F(LoaderFaults, WhatFailsForAMomentChangesNothing) {
  const std::vector<std::byte> expected = bytes_of(*loader().epoch(0));
  for (const int code : {EIO, ESTALE}) {
    for (const int after : {0, 4, 20}) {
      const auto stream = loader().epoch(0);
      read_fault.arm(code, 2, after);
      EXPECT_EQ(bytes_of(*stream), expected);
      EXPECT_TRUE(stream->skipped().empty());
    }
  }
}

TEST_F(LoaderFaults, WhatTheSystemRefusesIsRaisedNotSkipped) {
  read_fault.arm(EACCES, 1000, 5);
  const auto stream = loader().epoch(0);
  EXPECT_THROW(bytes_of(*stream), IoError);
  EXPECT_TRUE(stream->skipped().empty());
}

TEST_F(LoaderFaults, EndsSoonWhileItWaits) {
  const Loader waiting = loader();
  read_fault.arm(EIO, 1000);
  auto stream = waiting.epoch(0);
  while (read_fault.failed < 4) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const auto start = Clock::now();
  stream.reset();
  EXPECT_LT(Clock::now() - start, std::chrono::seconds(1));
}

// One thread waits when another one fails for good.
TEST_F(LoaderFaults, AFailureEndsTheWaitOfOthers) {
  const Loader waiting = loader();
  read_fault.arm(EIO, 6);
  auto stream = waiting.epoch(0);
  while (read_fault.failed < 4) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  read_fault.arm(EACCES, 1000);
  EXPECT_THROW(bytes_of(*stream), IoError);
  const auto start = Clock::now();
  stream.reset();
  EXPECT_LT(Clock::now() - start, std::chrono::seconds(1));
}

// Its argument; each call waits until it runs beside another one.
class InPairs final : public UserFunction {
 public:
  explicit InPairs(int calls) : calls_(calls) {}
  const std::string& name() const override { return name_; }
  bool is_elementwise() const override { return true; }
  Type result_type(std::span<const Type> arguments) const override { return arguments[0]; }
  Column call(std::span<const Column> arguments, int64_t /*length*/,
              const std::shared_ptr<MemoryPool>& /*pool*/) const override {
    std::unique_lock lock(mutex_);
    ++begun_;
    changed_.notify_all();
    const int even = begun_ + begun_ % 2;
    const bool alone = !changed_.wait_for(lock, std::chrono::seconds(alone_ > 0 ? 0 : 20),
                                          [&] { return begun_ >= std::min(even, calls_); });
    alone_ += alone ? 1 : 0;
    return arguments[0];
  }
  int begun() const { return begun_; }
  int alone() const { return alone_; }

 private:
  std::string name_ = "in_pairs";
  int calls_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  mutable int begun_ = 0;
  mutable int alone_ = 0;
};

TEST_F(LoaderFaults, ReadingAheadLeavesRoomForAllThreadsToDecode) {
  constexpr int kUnits = 140;
  const auto function = std::make_shared<InPairs>(kUnits);
  const std::vector<std::string> files(kUnits / 7, folder_ + "QCD_ttree.root");
  LoaderOptions few{.batch_size = 100, .seed = 3, .memory = 4'000'000, .threads = 2, .buffer_rows = 500};
  few.features.groups = {{.name = "part", .variables = {"in_pairs(part_px)", "part_py"}, .pad = 8}};
  const Loader loader(sapwood::open(files)->with_function(function), few);
  const Explanation plan = loader.explain();
  ASSERT_EQ(plan.units, kUnits);
  ASSERT_GT(plan.stored_bytes, 2 * plan.unit_bytes);  // so that it can't be all read ahead
  nothing_is_cached = true;                           // and takes memory when it is read ahead
  const auto stream = loader.epoch(0);
  for (const Batch& batch : *stream) ASSERT_GT(batch.rows, 0);
  EXPECT_EQ(function->begun(), kUnits);  // else calls would not know when the last one is there
  EXPECT_EQ(function->alone(), 0);
}

}  // namespace
}  // namespace sapwood
