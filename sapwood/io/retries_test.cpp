#include "sapwood/io/retries.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "sapwood/base/error.h"
#include "sapwood/io/random_access_file.h"
#include "sapwood/io/test_faults.h"
#include "sapwood/io/test_folder.h"

namespace sapwood::io {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

const RetryOptions kQuick{.waits = {milliseconds(1), milliseconds(2), milliseconds(4)}};

class RetriesTest : public testing::Test {
 protected:
  void TearDown() override {
    read_fault.disarm();
    open_fault.disarm();
  }
  std::string read(const RandomAccessFile& file, uint64_t offset, size_t size, std::stop_token stop = {}) {
    std::string text(size, '\0');
    file.read_at(offset, std::as_writable_bytes(std::span(text)), stop);
    return text;
  }
  template <class E>
  std::string error_of(const RandomAccessFile& file) {
    try {
      read(file, 3, 4);
    } catch (const E& error) {
      return error.what();
    }
    return "nothing thrown";
  }
  const TestFolder folder_;
  const std::string path_ = folder_.write("a.root", "0123456789");
};

TEST_F(RetriesTest, ReadsWhatFailedForAMoment) {
  for (const int code : {EIO, ETIMEDOUT, ESTALE, ENOTCONN, EHOSTUNREACH, EAGAIN}) {
    const auto file = open_local_file(path_, kQuick);
    for (const int times : {1, 3}) {
      read_fault.arm(code, times);
      EXPECT_EQ(read(*file, 3, 4), "3456");
      EXPECT_EQ(read_fault.failed, times);
    }
  }
}

TEST_F(RetriesTest, SaysWhatFailedWhereAndHowOften) {
  const auto file = open_local_file(path_, kQuick);
  read_fault.arm(EIO, 100);
  const std::string message = error_of<IoError>(*file);
  EXPECT_EQ(read_fault.failed, 4);
  EXPECT_NE(message.find("can't read 4 bytes at 3: Input/output error (4 tries)"), std::string::npos)
      << message;
  EXPECT_NE(message.find(path_), std::string::npos) << message;
}

TEST_F(RetriesTest, DoesNotTryAgainWhatWillNotPass) {
  const auto file = open_local_file(path_, kQuick);
  for (const int code : {EACCES, EPERM, EINVAL, ENXIO}) {
    read_fault.arm(code, 100);
    const std::string message = error_of<IoError>(*file);
    EXPECT_EQ(read_fault.failed, 1);
    EXPECT_EQ(message.find("tries"), std::string::npos) << message;
  }
}

TEST_F(RetriesTest, OpensTheFileAnew) {
  const auto file = open_local_file(path_, kQuick);
  read(*file, 0, 1);
  read_fault.arm(ESTALE, 100);
  read_fault.descriptor = last_descriptor.load();  // for good
  EXPECT_EQ(read(*file, 3, 4), "3456");
  EXPECT_EQ(read_fault.failed, 1);
  EXPECT_EQ(read(*file, 5, 2), "56");
  EXPECT_EQ(read_fault.failed, 1);
}

TEST_F(RetriesTest, WaitsWhileTheFileCannotBeOpenedAnew) {
  const auto file = open_local_file(path_, kQuick);
  read_fault.arm(ESTALE, 1);
  open_fault.arm(EHOSTDOWN, 2);
  EXPECT_EQ(read(*file, 3, 4), "3456");
  EXPECT_EQ(open_fault.failed, 2);
}

TEST_F(RetriesTest, DoesNotGoOnInAnotherFile) {
  const auto file = open_local_file(path_, kQuick);
  folder_.write("b.root", "another file");
  std::filesystem::rename(folder_.path("b.root"), path_);
  EXPECT_EQ(read(*file, 3, 4), "3456");
  read_fault.arm(ESTALE, 1);
  const std::string changed = error_of<IoError>(*file);
  EXPECT_NE(changed.find("the file changed since it was opened"), std::string::npos) << changed;
  std::filesystem::remove(path_);
  read_fault.arm(ESTALE, 100);
  const std::string gone = error_of<IoError>(*file);
  EXPECT_NE(gone.find("No such file or directory"), std::string::npos) << gone;
  EXPECT_EQ(read_fault.failed, 1);
}

TEST_F(RetriesTest, OpensWhatFailedForAMoment) {
  open_fault.arm(ETIMEDOUT, 3);
  EXPECT_EQ(open_local_file(path_, kQuick)->size(), 10u);
  open_fault.arm(ETIMEDOUT, 100);
  EXPECT_THROW(open_local_file(path_, kQuick), IoError);
  EXPECT_EQ(open_fault.failed, 4);
  for (const int code : {EACCES, ENOENT, EMFILE}) {
    open_fault.arm(code, 100);
    EXPECT_THROW(open_local_file(path_, kQuick), IoError);
    EXPECT_EQ(open_fault.failed, 1);
  }
}

TEST_F(RetriesTest, ManyRangesGoOnWhereOneFailed) {
  std::string content;
  for (int i = 0; i < 200'000; ++i) content += static_cast<char>('a' + i % 23);
  const auto file = open_local_file(folder_.write("data", content), kQuick);
  std::vector<ByteRange> ranges;
  for (uint64_t offset = 5; offset < 190'000; offset += 1'000) ranges.push_back({offset, 100});
  for (const int after : {0, 1, 5}) {
    read_fault.arm(EIO, 3, after);
    const CoalescedRead reading(*file, ranges, heap_pool());
    ScratchBuffer scratch(heap_pool());
    for (size_t i = 0; i < ranges.size(); ++i) {
      const Bytes bytes = reading[i].get(scratch);
      ASSERT_EQ(std::memcmp(bytes.data(), content.data() + ranges[i].offset, 100), 0);
    }
  }
}

TEST_F(RetriesTest, ManyThreadsOpenItAnew) {
  const auto file = open_local_file(path_, kQuick);
  read_fault.arm(ESTALE, 30);
  std::vector<std::jthread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        try {
          EXPECT_EQ(read(*file, 3, 4), "3456");
        } catch (const IoError&) {  // one thread may get all faults
        }
      }
    });
  }
}

TEST_F(RetriesTest, EndsTheWaitWhenAskedToStop) {
  const auto file = open_local_file(path_, {.waits = {std::chrono::minutes(10)}});
  read_fault.arm(EIO, 100);
  std::stop_source stop;
  const std::jthread other([&] {
    while (read_fault.failed == 0) std::this_thread::sleep_for(milliseconds(1));
    stop.request_stop();
  });
  const auto start = Clock::now();
  EXPECT_THROW(read(*file, 3, 4, stop.get_token()), CancelledError);
  EXPECT_LT(Clock::now() - start, std::chrono::seconds(5));
}

}  // namespace
}  // namespace sapwood::io
