#include "sapwood/source/filled_reader.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace sapwood {
namespace {

struct FetchedFilled final : FetchedColumns {
  struct Place {
    bool is_filling;
    size_t position;  // among the fillings, or among those fetched of the table
  };
  std::vector<Place> places;
  std::unique_ptr<FetchedColumns> of_table;
  int64_t length = 0;
};

template <class T>
void fill_with(std::span<std::byte> values, double value) {
  const auto number = static_cast<T>(value);
  if (static_cast<double>(number) != value && !(value != value))
    throw ConfigError(concat(value, " is no value of the column's type"));
  for (size_t at = 0; at < values.size(); at += sizeof number)
    std::memcpy(&values[at], &number, sizeof number);
}

void fill(std::span<std::byte> values, TypeKind kind, double value) {
  const auto require = [&](double least, double end) {  // where a cast is defined
    if (value < least || value >= end || value != value)
      throw ConfigError(concat(value, " is no value of the column's type"));
  };
  switch (kind) {
    case TypeKind::kBool:
      require(0, 2);
      return fill_with<bool>(values, value);
    case TypeKind::kInt8:
      require(-0x1p7, 0x1p7);
      return fill_with<int8_t>(values, value);
    case TypeKind::kUInt8:
      require(0, 0x1p8);
      return fill_with<uint8_t>(values, value);
    case TypeKind::kInt16:
      require(-0x1p15, 0x1p15);
      return fill_with<int16_t>(values, value);
    case TypeKind::kUInt16:
      require(0, 0x1p16);
      return fill_with<uint16_t>(values, value);
    case TypeKind::kInt32:
      require(-0x1p31, 0x1p31);
      return fill_with<int32_t>(values, value);
    case TypeKind::kUInt32:
      require(0, 0x1p32);
      return fill_with<uint32_t>(values, value);
    case TypeKind::kInt64:
      require(-0x1p63, 0x1p63);
      return fill_with<int64_t>(values, value);
    case TypeKind::kUInt64:
      require(0, 0x1p64);
      return fill_with<uint64_t>(values, value);
    case TypeKind::kFloat32: {
      const auto number = static_cast<float>(value);
      for (size_t at = 0; at < values.size(); at += sizeof number)
        std::memcpy(&values[at], &number, sizeof number);
      return;
    }
    default:
      return fill_with<double>(values, value);
  }
}

TypeKind innermost_kind(const Type& type) {
  return type.kind == TypeKind::kFixedList ? innermost_kind(type.children.front().type) : type.kind;
}

Column filled_column(const Type& type, double value, int64_t length, const std::shared_ptr<MemoryPool>& pool,
                     const Buffer& destination) {
  const size_t width = fixed_entry_size(type);
  if (width == 0) {
    if (value != 0)
      throw ConfigError(concat("a column of ", type.to_string(), " can be filled with what is empty only"));
    return blank_column(type, length, pool);
  }
  const Buffer values = destination.empty() ? Buffer(width * static_cast<size_t>(length), pool) : destination;
  fill({values.data(), values.size()}, innermost_kind(type), value);
  return make_fixed_width_column(type, length, values);
}

}  // namespace

void check_default(const Default& missing, const Type& type) {
  with_context({.column = missing.column}, [&] { filled_column(type, missing.value, 1, heap_pool(), {}); });
}

FilledReader::FilledReader(std::shared_ptr<const Reader> table, std::vector<Filling> fillings)
    : table_(std::move(table)), fillings_(std::move(fillings)) {
  std::vector<ColumnInfo> columns = table_->schema().columns();
  for (Filling& filling : fillings_) {
    filling.column.compressed_bytes = filling.column.uncompressed_bytes = 0;
    columns.push_back(filling.column);
  }
  schema_ = Schema(std::move(columns));
}

std::vector<StorageBlock> FilledReader::blocks(size_t column) const {
  return column < table_->schema().size() ? table_->blocks(column) : std::vector<StorageBlock>{};
}

std::unique_ptr<FetchedColumns> FilledReader::fetch(std::span<const size_t> columns, EntryRange entries,
                                                    const std::shared_ptr<MemoryPool>& pool,
                                                    const std::stop_token& stop) const {
  auto fetched = std::make_unique<FetchedFilled>();
  const size_t num_stored = table_->schema().size();
  std::vector<size_t> stored;
  for (const size_t column : columns) {
    const bool is_filling = column >= num_stored;
    fetched->places.push_back({is_filling, is_filling ? column - num_stored : stored.size()});
    if (!is_filling) stored.push_back(column);
  }
  fetched->of_table = table_->fetch(stored, entries, pool, stop);
  fetched->length = entries.size();
  return fetched;
}

Column FilledReader::decode(const FetchedColumns& fetched, size_t position,
                            const std::shared_ptr<MemoryPool>& pool, const Buffer& destination) const {
  const auto& both = static_cast<const FetchedFilled&>(fetched);
  const auto& [is_filling, place] = both.places[position];
  if (!is_filling) return table_->decode(*both.of_table, place, pool, destination);
  const Filling& filling = fillings_[place];
  return filled_column(filling.column.type, filling.value, both.length, pool, destination);
}

}  // namespace sapwood
