#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "sapwood/base/buffer.h"
#include "sapwood/base/cursor.h"
#include "sapwood/io/retries.h"

namespace sapwood::io {

struct ByteRange {
  uint64_t offset = 0;
  uint64_t size = 0;
};

/// A file whose bytes can be read anywhere, from many threads at once. The seam for tests with faults.
class RandomAccessFile {
 public:
  static constexpr uint64_t kLargestGap = uint64_t{64} << 10;

  virtual ~RandomAccessFile() = default;
  /// Path or URI, as given.
  virtual const std::string& uri() const = 0;
  virtual uint64_t size() const = 0;
  /// Fills `out` from `offset`. Throws IoError when the system refuses, FormatError when the file ends
  /// before; CancelledError where a stop is requested while it waits to try again.
  virtual void read_at(uint64_t offset, std::span<std::byte> out, const std::stop_token& stop = {}) const = 0;
  /// Several ranges, ascending and apart from each other by less than `kLargestGap`, in one request where the
  /// medium has such; here one `read_at` after the other.
  virtual void read_vector(std::span<const ByteRange> ranges, std::span<const std::span<std::byte>> outs,
                           const std::stop_token& stop = {}) const;
  /// Whether a range, which is not empty, can probably be read without waiting for a disk or a network: it is
  /// in the system's page cache, as far as looking here and there tells.
  virtual bool is_at_hand(const ByteRange& range) const;
};

/// Opens a local file. Throws IoError: missing, a directory, not permitted. What the system refuses for a
/// reason that may pass (`is_transient`) is tried again, on the file opened anew, which must be the same
/// still.
std::unique_ptr<RandomAccessFile> open_local_file(const std::string& path, RetryOptions retries = {});

/// Opens by URI: a path or file://. root://, http(s)://, s3:// throw `UnsupportedError`: not built in yet.
std::unique_ptr<RandomAccessFile> open_file(const std::string& uri);

class CoalescedRead;

/// Bytes of a file that have been fetched: they are in memory already, or at hand in the system's cache.
class StoredBytes {
 public:
  StoredBytes() = default;
  StoredBytes(Bytes bytes) : bytes_(bytes), range_{.size = bytes.size()} {}  // NOLINT(*-explicit-*)
  StoredBytes(const CoalescedRead& read, const ByteRange& range) : read_(&read), range_(range) {}
  size_t size() const { return range_.size; }
  /// The bytes, or the first of them; those that are not in memory come to lie in `scratch`. Throws as
  /// `RandomAccessFile::read_at`.
  Bytes get(ScratchBuffer& scratch) const { return first(size(), scratch); }
  Bytes first(size_t count, ScratchBuffer& scratch) const;

 private:
  Bytes bytes_;
  const CoalescedRead* read_ = nullptr;
  ByteRange range_;
};

/// The bytes of several ranges, read together. The file outlives it.
class CoalescedRead {
 public:
  /// Ranges of at least so many bytes that are at hand are left where they are until they are used: then they
  /// stay in the processor's cache from being read to being decompressed.
  static constexpr uint64_t kSmallestLeft = uint64_t{8} << 10;

  /// Reads `ranges` (any order, may overlap); neighbours less than `max_gap` bytes apart share a request.
  /// What lies between them is not kept.
  CoalescedRead(const RandomAccessFile& file, std::span<const ByteRange> ranges,
                const std::shared_ptr<MemoryPool>& pool, uint64_t max_gap = RandomAccessFile::kLargestGap,
                std::stop_token stop = {});
  // What refers to it would refer to another one.
  CoalescedRead(const CoalescedRead&) = delete;
  CoalescedRead& operator=(const CoalescedRead&) = delete;
  /// The bytes of the i-th range; valid as long as this object.
  const StoredBytes& operator[](size_t i) const { return views_[i]; }
  size_t requests() const { return buffers_.size(); }
  /// The memory that they take, without those that were left at hand.
  uint64_t held_bytes() const;

 private:
  friend class StoredBytes;
  // Ranges near each other: some of the ascending order, and the bytes that they span.
  struct Run {
    size_t first = 0;
    size_t stop = 0;
    uint64_t begin = 0;
    uint64_t end = 0;
    bool at_hand = false;
  };
  void leave_at_hand(std::span<const ByteRange> ranges, std::vector<size_t>& order, uint64_t max_gap);
  void look_for(std::span<Run> runs) const;

  const RandomAccessFile& file_;
  std::stop_token stop_;
  std::vector<Buffer> buffers_;
  std::vector<StoredBytes> views_;
};

/// The files that a path, glob (*, ?, [..], ** ) or URI names, globs sorted bytewise. Throws IoError when a
/// path does not exist or a glob matches nothing, naming the near ones in the folder.
std::vector<std::string> resolve_paths(const std::string& pattern);

}  // namespace sapwood::io
