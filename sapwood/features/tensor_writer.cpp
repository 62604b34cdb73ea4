#include <algorithm>
#include <cstring>

#include "sapwood/features/convert.h"
#include "sapwood/features/row_format.h"

namespace sapwood {
namespace {

// Rows are fetched into the cache before their turn: first their fixed part, and when that is there, the
// beginning of their jagged groups, after which the processor sees where it goes on.
constexpr size_t kBytesAhead = 6144;  // of rows, but in at least and at most so many of them
constexpr size_t kFewestAhead = 16;
constexpr size_t kMostAhead = 64;
constexpr size_t kTogether = 4;
constexpr size_t kValuesAhead = 4;        // rows
constexpr size_t kMostValueBytes = 4096;  // of a row
constexpr size_t kLine = 64;
constexpr size_t kLongestRun = 256;

void prefetch_row(const std::byte* row, size_t bytes) {
  for (size_t offset = 0; offset < bytes; offset += kLine) __builtin_prefetch(row + offset);
  if (bytes % kLine != 0) __builtin_prefetch(row + bytes - 1);
}

template <size_t Bytes>
void copy_items(std::span<const std::byte* const> rows, size_t offset, std::byte* to) {
  for (size_t i = 0; i < rows.size(); ++i) std::memcpy(to + i * Bytes, rows[i] + offset, Bytes);
}

// Copies `bytes` bytes from each row, one after the other. Short runs take no call.
void copy_items(std::span<const std::byte* const> rows, size_t offset, size_t bytes, std::byte* to) {
  constexpr size_t kStep = 16;
  if (bytes == 4) return copy_items<4>(rows, offset, to);
  if (bytes == 8) return copy_items<8>(rows, offset, to);
  for (size_t i = 0; i < rows.size(); ++i, to += bytes) {
    const std::byte* from = rows[i] + offset;
    if (bytes < kStep || bytes > kLongestRun) {
      std::memcpy(to, from, bytes);
      continue;
    }
    for (size_t at = 0; at + kStep <= bytes; at += kStep) std::memcpy(to + at, from + at, kStep);
    std::memcpy(to + bytes - kStep, from + bytes - kStep, kStep);
  }
}

uint32_t load_count(const std::byte* from) {
  uint32_t count = 0;
  std::memcpy(&count, from, sizeof(count));
  return count;
}

void store(std::byte* to, int32_t value) { std::memcpy(to, &value, sizeof(value)); }

}  // namespace

std::vector<uint64_t> RowFormat::packed_values(std::span<const std::byte* const> rows) const {
  std::vector<uint64_t> values;
  std::vector<size_t> places;
  for (const Group& group : jagged_) {
    if (group.spec.is_packed()) places.push_back(group.row_offset);
  }
  values.resize(places.size());
  if (places.empty()) return values;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i + kFewestAhead < rows.size()) prefetch_row(rows[i + kFewestAhead], fixed_bytes_);
    for (size_t p = 0; p < places.size(); ++p) values[p] += load_count(rows[i] + places[p]);
  }
  return values;
}

TensorWriter::TensorWriter(const RowFormat& format, std::vector<std::byte*> tensors)
    : format_(format), next_(std::move(tensors)), packed_(next_.size()) {
  for (const RowFormat::Group& group : format_.jagged_) {
    if (!group.spec.is_packed()) continue;
    store(next_[group.first_tensor + 1], 0);
    store(next_[group.first_tensor + 2], 0);
    next_[group.first_tensor + 1] += sizeof(int32_t);
  }
}

void TensorWriter::append(std::span<const std::byte* const> rows) {
  const size_t ahead = std::clamp(kBytesAhead / format_.fixed_bytes_, kFewestAhead, kMostAhead);
  for (size_t first = 0; first < rows.size(); first += kTogether) {
    const std::span<const std::byte* const> left = rows.subspan(first);
    const std::span<const std::byte* const> now = left.first(std::min(kTogether, left.size()));
    for (size_t i = ahead; i < std::min(ahead + kTogether, left.size()); ++i)
      prefetch_row(left[i], format_.fixed_bytes_);
    for (const RowFormat::Group& group : format_.flat_) {
      const size_t bytes = group.channels.size() * group.element_size;
      copy_items(now, group.row_offset, bytes, next_[group.first_tensor] + first * bytes);
    }
    if (format_.jagged_.empty()) continue;
    for (size_t i = 0; i < now.size(); ++i) {
      if (i + kValuesAhead < left.size()) prefetch_values(left[i + kValuesAhead]);
      append_jagged(first + i, now[i]);
    }
  }
  for (size_t t = 0; t < next_.size(); ++t) {
    if (format_.tensors_[t].axis == Axis::kRows) next_[t] += rows.size() * format_.item_bytes_[t];
  }
}

void TensorWriter::append_jagged(size_t row, const std::byte* from) {
  const std::byte* values = from + format_.fixed_bytes_;
  for (const RowFormat::Group& group : format_.jagged_) {
    const size_t count = load_count(from + group.row_offset);
    if (group.spec.is_packed()) {
      append_packed(group, values, count);
    } else {
      append_padded(group, row, values, count);
    }
    values += row_aligned(count * group.channels.size() * group.element_size);
  }
}

void TensorWriter::prefetch_values(const std::byte* row) const {
  size_t bytes = 0;
  for (const RowFormat::Group& group : format_.jagged_)
    bytes += load_count(row + group.row_offset) * group.channels.size() * group.element_size;
  prefetch_row(row + format_.fixed_bytes_, std::min(bytes, kMostValueBytes));
}

void TensorWriter::append_padded(const RowFormat::Group& group, size_t row, const std::byte* values,
                                 size_t count) const {
  const auto length = static_cast<size_t>(group.spec.pad);
  const size_t channels = group.channels.size();
  std::byte* out = next_[group.first_tensor] + row * channels * length * group.element_size;
  const size_t runs = group.spec.layout == Layout::kChannelsLast ? 1 : channels;
  const size_t width = channels / runs;  // elements that one particle takes in a run
  for (size_t run = 0; run < runs; ++run) {
    const size_t used = count * width;
    std::memcpy(out, values, used * group.element_size);
    fill_elements(out + used * group.element_size, group.spec.dtype, group.spec.pad_value,
                  (length - count) * width);
    values += used * group.element_size;
    out += length * width * group.element_size;
  }
  if (group.spec.mask == Mask::kNone) return;
  const bool at_values = group.spec.mask == Mask::kValues;
  std::byte* mask = next_[group.first_tensor + 1] + row * length;
  std::memset(mask, at_values ? 1 : 0, count);
  std::memset(mask + count, at_values ? 0 : 1, length - count);
}

// `tensor_bytes` has seen to it that int32 holds all values.
void TensorWriter::append_packed(const RowFormat::Group& group, const std::byte* values, size_t count) {
  std::byte*& out = next_[group.first_tensor];
  const size_t bytes = count * group.channels.size() * group.element_size;
  if (bytes != 0) std::memcpy(out, values, bytes);  // a tensor without values may have no memory
  out += bytes;
  Packed& packed = packed_[group.first_tensor];
  packed.values += static_cast<int32_t>(count);
  packed.longest = std::max(packed.longest, static_cast<int32_t>(count));
  std::byte*& offsets = next_[group.first_tensor + 1];
  store(offsets, packed.values);
  offsets += sizeof(int32_t);
  store(next_[group.first_tensor + 2], packed.longest);
}

}  // namespace sapwood
