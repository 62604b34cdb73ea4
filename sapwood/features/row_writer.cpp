#include <algorithm>
#include <cstring>

#include "sapwood/base/error.h"
#include "sapwood/features/convert.h"
#include "sapwood/features/row_format.h"
#include "sapwood/kernels/interleave.h"

namespace sapwood {

RowWriter::RowWriter(const RowFormat& format, std::vector<Column> columns,
                     const std::shared_ptr<MemoryPool>& pool)
    : format_(format), columns_(std::move(columns)), num_rows_(columns_.front().length) {
  for (const RowFormat::Group& group : format_.padded_) prepare_padded(group, pool);
}

void RowWriter::prepare_padded(const RowFormat::Group& group, const std::shared_ptr<MemoryPool>& pool) {
  JaggedGroup jagged;
  const Column& first = columns_[group.channels.front().column];
  for (const RowFormat::Channel& channel : group.channels) {
    const Column& column = columns_[channel.column];
    if (column.type.kind == TypeKind::kList) {
      const auto a = first.offset_span();
      const auto b = column.offset_span();
      const auto differing = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
      if (differing.first != a.end()) {
        throw SchemaError(
            concat("multiplicity differs from that of '", format_.columns_[group.channels.front().column],
                   "', the first of padded group '", group.spec.name, "', at entry ",
                   differing.first - a.begin() - 1, " of the range"),
            {.column = format_.columns_[channel.column]});
      }
      jagged.offsets = a.data();
    } else {
      jagged.fixed_size = column.type.fixed_size;
    }
    const Column& values = column.item();
    if (same_representation(channel.kind, group.spec.dtype)) {
      jagged.values.push_back(values.values.data());
    } else {
      const auto count = static_cast<size_t>(values.length);
      Buffer converted(count * group.element_size, pool);
      convert_values(values.values.data(), channel.kind, 1, converted.data(), group.spec.dtype, count);
      jagged.values.push_back(converted.data());
      converted_.push_back(std::move(converted));
    }
  }
  jagged_.push_back(std::move(jagged));
}

size_t RowWriter::row_size(int64_t entry) const {
  size_t bytes = format_.fixed_bytes_;
  for (size_t g = 0; g < jagged_.size(); ++g) {
    const RowFormat::Group& group = format_.padded_[g];
    const auto count = static_cast<size_t>(std::min(jagged_[g].count(entry), group.spec.pad));
    bytes += row_aligned(count * group.channels.size() * group.element_size);
  }
  return bytes;
}

void RowWriter::write(std::span<const int64_t> entries, std::span<std::byte* const> rows) {
  for (const RowFormat::Group& group : format_.flat_) write_flat(group, entries, rows);
  if (jagged_.empty()) return;
  for (size_t i = 0; i < entries.size(); ++i) {
    size_t offset = format_.fixed_bytes_;
    for (size_t g = 0; g < jagged_.size(); ++g) offset = write_padded(g, entries[i], rows[i], offset);
  }
}

void RowWriter::write_flat(const RowFormat::Group& group, std::span<const int64_t> entries,
                           std::span<std::byte* const> rows) {
  if (entries.empty()) return;
  const int64_t tile_start = entries.front() / kTile * kTile;
  const auto tile_size = static_cast<size_t>(std::min(kTile, num_rows_ - tile_start));
  const size_t channel_bytes = static_cast<size_t>(kTile) * group.element_size;
  if (tile_.size() < group.channels.size() * channel_bytes)
    tile_.resize(group.channels.size() * channel_bytes);
  channel_bases_.clear();
  for (const RowFormat::Channel& channel : group.channels) {
    const std::byte* values =
        fixed_width_values(columns_[channel.column]).data() +
        (static_cast<size_t>(tile_start) * channel.stride + channel.element) * primitive_size(channel.kind);
    if (channel.stride == 1 && same_representation(channel.kind, group.spec.dtype)) {
      channel_bases_.push_back(values);
    } else {
      std::byte* converted = tile_.data() + channel_bases_.size() * channel_bytes;
      convert_values(values, channel.kind, channel.stride, converted, group.spec.dtype, tile_size);
      channel_bases_.push_back(converted);
    }
  }
  const size_t row_bytes = group.channels.size() * group.element_size;
  if (tile_rows_.size() < static_cast<size_t>(kTile) * row_bytes)
    tile_rows_.resize(static_cast<size_t>(kTile) * row_bytes);
  kernels::interleave(channel_bases_.data(), channel_bases_.size(), tile_size, group.element_size,
                      tile_rows_.data());
  for (size_t i = 0; i < entries.size(); ++i) {
    const std::byte* row = tile_rows_.data() + static_cast<size_t>(entries[i] - tile_start) * row_bytes;
    std::memcpy(rows[i] + group.row_offset, row, row_bytes);
  }
}

size_t RowWriter::write_padded(size_t index, int64_t entry, std::byte* row, size_t offset) const {
  const RowFormat::Group& group = format_.padded_[index];
  const JaggedGroup& jagged = jagged_[index];
  const auto count = static_cast<uint32_t>(std::min(jagged.count(entry), group.spec.pad));
  std::memcpy(row + group.row_offset, &count, sizeof(count));
  const size_t size = group.element_size;
  const size_t start = static_cast<size_t>(jagged.start(entry)) * size;
  const size_t channels = jagged.values.size();
  std::byte* out = row + offset;
  if (group.spec.channels_last) {
    for (size_t c = 0; c < channels; ++c) {
      const std::byte* values = jagged.values[c] + start;
      for (size_t i = 0; i < count; ++i)
        std::memcpy(out + (i * channels + c) * size, values + i * size, size);
    }
  } else {
    for (size_t c = 0; c < channels; ++c)
      std::memcpy(out + c * count * size, jagged.values[c] + start, count * size);
  }
  return offset + row_aligned(count * channels * size);
}

}  // namespace sapwood
