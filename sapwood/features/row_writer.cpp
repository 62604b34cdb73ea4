#include <algorithm>
#include <cstring>

#include "sapwood/base/error.h"
#include "sapwood/features/row_format.h"
#include "sapwood/features/transform.h"
#include "sapwood/kernels/element_size.h"
#include "sapwood/kernels/interleave.h"

namespace sapwood {
namespace {

void copy_strided(const std::byte* in, size_t step, size_t size, std::byte* out, size_t count) {
  kernels::with_element(size, [=]<class T>(T) {
    for (size_t i = 0; i < count; ++i) std::memcpy(out + i * sizeof(T), in + i * step, sizeof(T));
  });
}

}  // namespace

RowWriter::RowWriter(const RowFormat& format, std::vector<Column> columns,
                     const std::shared_ptr<MemoryPool>& pool)
    : format_(format),
      num_rows_(columns.front().length),
      values_(format.expressions_.evaluate(std::move(columns), pool)),
      spare_row_(format.fixed_bytes_) {
  prepare_slots(pool);
  for (const RowFormat::Group& group : format_.flat_) prepare_flat(group);
  for (const RowFormat::Group& group : format_.jagged_) prepare_jagged(group, pool);
}

void RowWriter::prepare_slots(const std::shared_ptr<MemoryPool>& pool) {
  for (const RowFormat::SlotColumn& column : format_.slot_columns_) {
    if (!column.value) {
      slots_.emplace_back(static_cast<size_t>(num_rows_), pool);
      std::ranges::fill(slots_.back().as<uint8_t>(), column.at_values ? 1 : 0);
    } else if (column.is_mask) {
      slots_.push_back(make_slot_mask(values_[*column.value], column.layout.slots, column.at_values, pool));
    } else {
      slots_.push_back(make_slots(values_[*column.value], column.transforms, column.layout, pool));
    }
  }
}

void RowWriter::prepare_flat(const RowFormat::Group& group) {
  std::vector<FlatChannel> channels;
  for (const RowFormat::Channel& channel : group.channels) {
    const std::byte* values = channel.slot_column ? slots_[*channel.slot_column].data()
                                                  : fixed_width_values(values_[channel.value]).data();
    const size_t size = channel.slot_column ? group.element_size : primitive_size(channel.kind);
    channels.push_back(
        {values + channel.element * size, channel.stride * size, channel.is_stored_as(group.spec.dtype)});
  }
  flat_.push_back(std::move(channels));
}

void RowWriter::prepare_jagged(const RowFormat::Group& group, const std::shared_ptr<MemoryPool>& pool) {
  JaggedGroup jagged;
  const ExpressionSet& expressions = format_.expressions_;
  const size_t first_value = group.channels.front().value;
  const Column& first = values_[first_value];
  for (const RowFormat::Channel& channel : group.channels) {
    const Column& column = values_[channel.value];
    if (column.type.kind == TypeKind::kList) {
      const auto a = first.offset_span();
      const auto b = column.offset_span();
      const auto differing = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
      if (differing.first != a.end()) {
        throw SchemaError(concat("multiplicity differs from that of '", expressions.text(first_value),
                                 "', the first of group '", group.spec.name, "', at entry ",
                                 differing.first - a.begin() - 1, " of the range"),
                          {.column = expressions.text(channel.value)});
      }
      jagged.offsets = a.data();
    } else {
      jagged.fixed_size = column.type.fixed_size;
    }
    const Column& values = column.item();
    if (channel.is_stored_as(group.spec.dtype)) {
      jagged.values.push_back(values.values.data());
    } else {
      const auto count = static_cast<size_t>(values.length);
      Buffer converted(count * group.element_size, pool);
      transform_values(values.values.data(), channel.kind, 1, channel.transforms, converted.data(),
                       group.spec.dtype, count);
      jagged.values.push_back(converted.data());
      converted_.push_back(std::move(converted));
    }
  }
  jagged_.push_back(std::move(jagged));
}

size_t RowWriter::jagged_row_size(int64_t entry) const {
  size_t bytes = format_.fixed_bytes_;
  for (size_t g = 0; g < jagged_.size(); ++g) {
    const RowFormat::Group& group = format_.jagged_[g];
    const auto count = static_cast<size_t>(std::min(jagged_[g].count(entry), group.most));
    bytes += row_aligned(count * group.channels.size() * group.element_size);
  }
  return bytes;
}

std::vector<uint64_t> RowWriter::packed_values() const {
  std::vector<uint64_t> values;
  for (size_t g = 0; g < jagged_.size(); ++g) {
    const RowFormat::Group& group = format_.jagged_[g];
    if (!group.spec.is_packed()) continue;
    uint64_t sum = 0;
    for (int64_t entry = 0; entry < num_rows_; ++entry)
      sum += static_cast<uint64_t>(std::min(jagged_[g].count(entry), group.most));
    values.push_back(sum);
  }
  return values;
}

void RowWriter::write(std::span<const int64_t> entries, std::span<std::byte* const> rows) {
  if (entries.empty()) return;
  const int64_t tile_start = entries.front() / kTile * kTile;
  tile_rows_.fill(spare_row_.data());
  for (size_t i = 0; i < entries.size(); ++i)
    tile_rows_[static_cast<size_t>(entries[i] - tile_start)] = rows[i];
  for (size_t g = 0; g < flat_.size(); ++g) write_flat(g, tile_start);
  if (jagged_.empty()) return;
  for (size_t i = 0; i < entries.size(); ++i) {
    size_t offset = format_.fixed_bytes_;
    for (size_t g = 0; g < jagged_.size(); ++g) offset = write_jagged(g, entries[i], rows[i], offset);
  }
}

void RowWriter::write_flat(size_t index, int64_t tile_start) {
  const RowFormat::Group& group = format_.flat_[index];
  const auto tile_size = static_cast<size_t>(std::min(kTile, num_rows_ - tile_start));
  const size_t channel_bytes = static_cast<size_t>(kTile) * group.element_size;
  if (tile_.size() < group.channels.size() * channel_bytes)
    tile_.resize(group.channels.size() * channel_bytes);
  channel_bases_.clear();
  for (size_t c = 0; c < group.channels.size(); ++c) {
    const RowFormat::Channel& channel = group.channels[c];
    const FlatChannel& flat = flat_[index][c];
    const std::byte* values = flat.values + static_cast<size_t>(tile_start) * flat.step;
    if (flat.is_stored) {
      channel_bases_.push_back(values);
    } else {
      std::byte* converted = tile_.data() + c * channel_bytes;
      if (channel.slot_column) {
        copy_strided(values, flat.step, group.element_size, converted, tile_size);
      } else {
        transform_values(values, channel.kind, channel.stride, channel.transforms, converted,
                         group.spec.dtype, tile_size);
      }
      channel_bases_.push_back(converted);
    }
  }
  kernels::scatter(channel_bases_.data(), channel_bases_.size(), tile_size, group.element_size,
                   tile_rows_.data(), group.row_offset);
}

size_t RowWriter::write_jagged(size_t index, int64_t entry, std::byte* row, size_t offset) {
  const RowFormat::Group& group = format_.jagged_[index];
  const JaggedGroup& jagged = jagged_[index];
  const auto count = static_cast<uint32_t>(std::min(jagged.count(entry), group.most));
  std::memcpy(row + group.row_offset, &count, sizeof(count));
  const size_t size = group.element_size;
  const size_t start = static_cast<size_t>(jagged.start(entry)) * size;
  const size_t channels = jagged.values.size();
  std::byte* out = row + offset;
  if (group.spec.layout == Layout::kChannelsFirst) {
    for (size_t c = 0; c < channels; ++c)
      std::memcpy(out + c * count * size, jagged.values[c] + start, count * size);
  } else {
    channel_bases_.clear();
    for (const std::byte* values : jagged.values) channel_bases_.push_back(values + start);
    kernels::interleave(channel_bases_.data(), channels, count, size, out);
  }
  return offset + row_aligned(count * channels * size);
}

}  // namespace sapwood
