#include "sapwood/loader/row_cache.h"

#include <algorithm>
#include <array>

namespace sapwood {
namespace {

bool is_in(const std::vector<uint8_t>& in_parts, int64_t entry) {
  return in_parts.empty() || in_parts[static_cast<size_t>(entry)] != 0;
}

}  // namespace

uint64_t CachedRows::bytes_of(const RowWriter& writer, const std::vector<uint8_t>& in_parts) {
  uint64_t bytes = 0;
  for (int64_t entry = 0; entry < writer.num_rows(); ++entry)
    bytes += is_in(in_parts, entry) ? writer.row_size(entry) : 0;
  // Pools round sizes up, by a sixteenth on average.
  return bytes + bytes / 16 + static_cast<uint64_t>(writer.num_rows()) * (sizeof(uint32_t) + 1);
}

CachedRows::CachedRows(RowWriter& writer, std::vector<uint8_t> in_parts,
                       const std::shared_ptr<MemoryPool>& pool)
    : offsets_(static_cast<size_t>(writer.num_rows()) * sizeof(uint32_t), pool),
      in_parts_(std::move(in_parts)) {
  const std::span<uint32_t> offsets = offsets_.as<uint32_t>();
  uint64_t words = 0;
  for (size_t i = 0; i < offsets.size(); ++i) {
    if (words > UINT32_MAX) throw ConfigError("the rows of one unit take more than 32 GiB");
    offsets[i] = static_cast<uint32_t>(words);
    const auto entry = static_cast<int64_t>(i);
    if (is_in(in_parts_, entry)) words += writer.row_size(entry) / 8;
  }
  rows_ = Buffer(words * 8, pool);
  std::array<int64_t, RowWriter::kTile> entries;
  std::array<std::byte*, RowWriter::kTile> rows;
  for (int64_t tile = 0; tile < writer.num_rows(); tile += RowWriter::kTile) {
    size_t count = 0;
    for (int64_t entry = tile; entry < std::min(tile + RowWriter::kTile, writer.num_rows()); ++entry) {
      if (!is_in(in_parts_, entry)) continue;
      entries[count] = entry;
      rows[count++] = rows_.data() + size_t{8} * offsets[static_cast<size_t>(entry)];
    }
    writer.write({entries.data(), count}, {rows.data(), count});
  }
}

std::shared_ptr<const CachedRows> RowCache::find(size_t unit, EntryRange entries) const {
  const std::lock_guard lock(mutex_);
  const auto found = units_.find({unit, entries.start});
  return found != units_.end() && found->second.first == entries.stop ? found->second.second : nullptr;
}

bool RowCache::reserve(uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  if (bytes > room_ - taken_) return false;
  taken_ += bytes;
  return true;
}

std::shared_ptr<const CachedRows> RowCache::insert(size_t unit, EntryRange entries,
                                                   std::shared_ptr<const CachedRows> rows, uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  const auto [kept, is_new] =
      units_.try_emplace({unit, entries.start}, std::pair(entries.stop, std::move(rows)));
  if (!is_new) taken_ -= bytes;
  return kept->second.first == entries.stop ? kept->second.second : nullptr;
}

void RowCache::release(uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  taken_ -= bytes;
}

uint64_t RowCache::bytes() const {
  const std::lock_guard lock(mutex_);
  return taken_;
}

}  // namespace sapwood
