#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "sapwood/base/error.h"
#include "sapwood/io/test_faults.h"
#include "sapwood/loader/loader.h"

namespace sapwood {
namespace {

using io::read_fault;
using Clock = std::chrono::steady_clock;

class LoaderFaults : public testing::Test {
 protected:
  void TearDown() override { read_fault.disarm(); }
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

}  // namespace
}  // namespace sapwood
