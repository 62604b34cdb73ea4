#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <mutex>
#include <utility>

#include "sapwood/base/error.h"
#include "sapwood/io/missing_file.h"
#include "sapwood/io/random_access_file.h"

namespace sapwood::io {
namespace {

constexpr size_t kLargestRead = size_t{1} << 30;  // the kernel caps one read just below 2 GiB

constexpr size_t kLargestVector = 1024;  // IOV_MAX

constexpr uint64_t kLookEvery = uint64_t{128} << 10;  // the kernel reads ahead by as much

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  int get() const { return value_; }

 private:
  int value_;
};

struct Opened {
  Descriptor descriptor{-1};
  struct stat status {};
  int code = 0;  // errno, where it was not to be opened
};

Opened try_to_open(const std::string& path) {
  Opened opened;
  do {
    // Non-blocking, so that a named pipe is refused below instead of waited for.
    opened.descriptor = Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    opened.code = opened.descriptor.get() < 0 ? errno : 0;
  } while (opened.code == EINTR);
  if (opened.code == 0 && ::fstat(opened.descriptor.get(), &opened.status) != 0) opened.code = errno;
  return opened;
}

// Whether a byte is in the page cache, as far as the file system tells.
bool is_cached(int descriptor, uint64_t offset) {
  std::byte byte;
  iovec vector{&byte, 1};
  return ::preadv2(descriptor, &vector, 1, static_cast<off_t>(offset), RWF_NOWAIT) == 1;
}

class LocalFile final : public RandomAccessFile {
 public:
  LocalFile(std::string path, Opened opened, RetryOptions retries)
      : path_(std::move(path)),
        size_(static_cast<uint64_t>(opened.status.st_size)),
        modified_(opened.status.st_mtim.tv_sec),
        retries_(std::move(retries)),
        descriptor_(std::make_shared<Descriptor>(std::move(opened.descriptor))) {}

  const std::string& uri() const override { return path_; }
  uint64_t size() const override { return size_; }

  void read_at(uint64_t offset, std::span<std::byte> out, const std::stop_token& stop) const override {
    if (offset > size_ || out.size() > size_ - offset) fail_at_end(offset, out.size());
    std::shared_ptr<const Descriptor> descriptor = newest();
    Retries retries(retries_, stop);
    size_t done = 0;
    while (done < out.size()) {
      const size_t wanted = std::min(out.size() - done, kLargestRead);
      const ssize_t got =
          ::pread(descriptor->get(), out.data() + done, wanted, static_cast<off_t>(offset + done));
      if (got > 0) {
        done += static_cast<size_t>(got);
      } else if (got == 0) {
        fail_at_end(offset, out.size());  // somebody cut the file after it was opened
      } else if (errno != EINTR) {
        for (int code = errno; code != 0; code = reopen(descriptor)) {
          if (retries.wait_after(code)) continue;
          throw IoError(
              concat("can't read ", wanted, " bytes at ", offset + done, ": ", retries.failure(code)),
              {.file = path_});
        }
      }
    }
  }

  // Gaps go to memory that is used again and again.
  void read_vector(std::span<const ByteRange> ranges, std::span<const std::span<std::byte>> outs,
                   const std::stop_token& stop) const override {
    const std::shared_ptr<const Descriptor> descriptor = newest();
    std::array<std::byte, kLargestGap> gap;
    std::array<iovec, kLargestVector> vector;
    for (size_t done = 0; done < ranges.size();) {
      const uint64_t start = ranges[done].offset;
      size_t pieces = 0;
      size_t taken = done;
      uint64_t end = start;
      for (; taken < ranges.size() && pieces + 2 <= vector.size(); ++taken) {
        const ByteRange& range = ranges[taken];
        if (range.offset < end || range.offset - end > gap.size()) break;
        if (taken != done && range.offset + range.size - start > kLargestRead) break;
        if (range.offset != end) vector[pieces++] = {gap.data(), range.offset - end};
        vector[pieces++] = {outs[taken].data(), range.size};
        end = range.offset + range.size;
      }
      ssize_t got = -1;
      if (taken - done > 1 && end <= size_)
        got = ::preadv(descriptor->get(), vector.data(), static_cast<int>(pieces), static_cast<off_t>(start));
      // One range, or a read that failed or was cut short: `read_at` goes on or says why not.
      if (got != static_cast<ssize_t>(end - start)) {
        for (size_t i = done; i < taken; ++i) read_at(ranges[i].offset, outs[i].first(ranges[i].size), stop);
      }
      done = taken;
    }
  }

  bool is_at_hand(const ByteRange& range) const override {
    const std::shared_ptr<const Descriptor> descriptor = newest();
    for (uint64_t left = range.size; left > 0; left -= std::min(left, kLookEvery)) {
      if (!is_cached(descriptor->get(), range.offset + left - 1)) return false;
    }
    return true;
  }

 private:
  std::shared_ptr<const Descriptor> newest() const {
    const std::lock_guard lock(mutex_);
    return descriptor_;
  }

  // Opens the file again, unless another thread has: servers forget open files when they begin anew, and some
  // keep failing those that have failed once. Returns an errno or 0.
  int reopen(std::shared_ptr<const Descriptor>& failed) const {
    const std::lock_guard lock(mutex_);
    if (descriptor_ == failed) {
      Opened opened = try_to_open(path_);
      if (opened.code != 0) return opened.code;
      if (static_cast<uint64_t>(opened.status.st_size) != size_ || opened.status.st_mtim.tv_sec != modified_)
        throw IoError("the file changed since it was opened", {.file = path_});
      descriptor_ = std::make_shared<Descriptor>(std::move(opened.descriptor));
    }
    failed = descriptor_;
    return 0;
  }

  [[noreturn]] void fail_at_end(uint64_t offset, size_t wanted) const {
    throw FormatError(concat("the file ends too early: ", wanted, " bytes wanted at ", offset, " of ", size_),
                      {.file = path_});
  }

  std::string path_;
  uint64_t size_;
  time_t modified_;
  RetryOptions retries_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const Descriptor> descriptor_;
};

}  // namespace

std::unique_ptr<RandomAccessFile> open_local_file(const std::string& path, RetryOptions retries) {
  Opened opened = try_to_open(path);
  for (Retries tries(retries); opened.code != 0; opened = try_to_open(path)) {
    if (tries.wait_after(opened.code)) continue;
    if (opened.code == ENOENT || opened.code == ENOTDIR) throw_missing_file(path);
    throw IoError("can't open the file: " + tries.failure(opened.code), {.file = path});
  }
  if (S_ISDIR(opened.status.st_mode)) throw IoError("is a directory, not a file", {.file = path});
  if (!S_ISREG(opened.status.st_mode)) throw IoError("is not a regular file", {.file = path});
  return std::make_unique<LocalFile>(path, std::move(opened), std::move(retries));
}

}  // namespace sapwood::io
