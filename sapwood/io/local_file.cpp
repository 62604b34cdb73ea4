#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "sapwood/base/error.h"
#include "sapwood/io/missing_file.h"
#include "sapwood/io/random_access_file.h"

namespace sapwood::io {
namespace {

constexpr size_t kLargestRead = size_t{1} << 30;  // the kernel caps one read just below 2 GiB

constexpr size_t kLargestVector = 1024;  // IOV_MAX

std::string system_message(int code) { return std::generic_category().message(code); }

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  int get() const { return value_; }

 private:
  int value_;
};

class LocalFile final : public RandomAccessFile {
 public:
  LocalFile(std::string path, Descriptor descriptor, uint64_t size)
      : path_(std::move(path)), descriptor_(std::move(descriptor)), size_(size) {}

  const std::string& uri() const override { return path_; }
  uint64_t size() const override { return size_; }

  void read_at(uint64_t offset, std::span<std::byte> out) const override {
    if (offset > size_ || out.size() > size_ - offset) fail_at_end(offset, out.size());
    size_t done = 0;
    while (done < out.size()) {
      const size_t wanted = std::min(out.size() - done, kLargestRead);
      const ssize_t got =
          ::pread(descriptor_.get(), out.data() + done, wanted, static_cast<off_t>(offset + done));
      if (got > 0) {
        done += static_cast<size_t>(got);
      } else if (got == 0) {
        fail_at_end(offset, out.size());  // somebody cut the file after it was opened
      } else if (errno != EINTR) {
        const std::string reason = system_message(errno);
        throw IoError(concat("can't read ", wanted, " bytes at ", offset + done, ": ", reason),
                      {.file = path_});
      }
    }
  }

  // Gaps go to memory that is used again and again.
  void read_vector(std::span<const ByteRange> ranges,
                   std::span<const std::span<std::byte>> outs) const override {
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
        got = ::preadv(descriptor_.get(), vector.data(), static_cast<int>(pieces), static_cast<off_t>(start));
      // One range, or a read that was cut short: `read_at` goes on or says why not.
      if (got != static_cast<ssize_t>(end - start)) {
        for (size_t i = done; i < taken; ++i) read_at(ranges[i].offset, outs[i].first(ranges[i].size));
      }
      done = taken;
    }
  }

 private:
  [[noreturn]] void fail_at_end(uint64_t offset, size_t wanted) const {
    throw FormatError(concat("the file ends too early: ", wanted, " bytes wanted at ", offset, " of ", size_),
                      {.file = path_});
  }

  std::string path_;
  Descriptor descriptor_;
  uint64_t size_;
};

int open_read_only(const std::string& path) {
  for (;;) {
    // Non-blocking, so that a named pipe is refused below instead of waited for.
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor >= 0 || errno != EINTR) return descriptor;
  }
}

}  // namespace

std::unique_ptr<RandomAccessFile> open_local_file(const std::string& path) {
  Descriptor descriptor(open_read_only(path));
  if (descriptor.get() < 0) {
    const int code = errno;
    if (code == ENOENT || code == ENOTDIR) throw_missing_file(path);
    throw IoError("can't open the file: " + system_message(code), {.file = path});
  }
  struct stat status {};
  if (::fstat(descriptor.get(), &status) != 0) {
    throw IoError("can't ask for the size: " + system_message(errno), {.file = path});
  }
  if (S_ISDIR(status.st_mode)) throw IoError("is a directory, not a file", {.file = path});
  if (!S_ISREG(status.st_mode)) throw IoError("is not a regular file", {.file = path});
  return std::make_unique<LocalFile>(path, std::move(descriptor), static_cast<uint64_t>(status.st_size));
}

}  // namespace sapwood::io
