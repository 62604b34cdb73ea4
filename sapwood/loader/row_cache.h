#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "sapwood/base/buffer.h"
#include "sapwood/base/error.h"
#include "sapwood/features/row_format.h"

namespace sapwood {

/// The rows of a unit that are in the part of a split, in the order of its entries.
class CachedRows {
 public:
  /// Writes rows of `writer`; `in_parts` as of a decoded unit.
  CachedRows(RowWriter& writer, std::vector<uint8_t> in_parts, const std::shared_ptr<MemoryPool>& pool);
  /// Bytes that they would take.
  static uint64_t bytes_of(const RowWriter& writer, const std::vector<uint8_t>& in_parts);

  /// Of an entry in the part.
  const std::byte* row(int64_t entry) const {
    return rows_.data() + size_t{8} * offsets_.as<const uint32_t>()[static_cast<size_t>(entry)];
  }
  /// Whether each entry is in the part of a split, or empty: all are.
  const std::vector<uint8_t>& in_parts() const { return in_parts_; }

 private:
  Buffer rows_;
  Buffer offsets_;  // uint32, in words of 8 bytes
  std::vector<uint8_t> in_parts_;
};

/// Rows that stay in memory from epoch to epoch, so that their units are read once: those that come first,
/// until the room is taken. Safe from many threads.
class RowCache {
 public:
  explicit RowCache(uint64_t room) : room_(room) {}
  /// The rows of `entries` of a unit, or null.
  std::shared_ptr<const CachedRows> find(size_t unit, EntryRange entries) const;
  /// Whether there was room for so many bytes, which is taken then.
  bool reserve(uint64_t bytes);
  /// Gives back what was reserved and not used.
  void release(uint64_t bytes);
  /// Keeps rows for which room was reserved; gives those that are kept, which another thread may have
  /// brought before.
  std::shared_ptr<const CachedRows> insert(size_t unit, EntryRange entries,
                                           std::shared_ptr<const CachedRows> rows, uint64_t bytes);
  uint64_t bytes() const;

 private:
  mutable std::mutex mutex_;
  uint64_t room_;
  uint64_t taken_ = 0;
  std::map<std::pair<size_t, int64_t>, std::pair<int64_t, std::shared_ptr<const CachedRows>>> units_;
};

}  // namespace sapwood
