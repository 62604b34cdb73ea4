#include "sapwood/source/filled_reader.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
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
  uint64_t held_bytes() const override { return of_table ? of_table->held_bytes() : 0; }
};

template <class T>
void fill_with(std::span<std::byte> values, double value) {
  if constexpr (std::is_integral_v<T>) {
    // Where a cast is defined, and loses nothing.
    const double end = std::ldexp(1.0, std::numeric_limits<T>::digits);
    if (!(value >= static_cast<double>(std::numeric_limits<T>::min()) && value < end) ||
        value != std::trunc(value))
      throw ConfigError(concat(value, " is no value of the column's type"));
  }
  const auto number = static_cast<T>(value);
  for (size_t at = 0; at < values.size(); at += sizeof number)
    std::memcpy(&values[at], &number, sizeof number);
}

void fill(std::span<std::byte> values, TypeKind kind, double value) {
  switch (kind) {
    case TypeKind::kBool:
      return fill_with<bool>(values, value);
    case TypeKind::kInt8:
      return fill_with<int8_t>(values, value);
    case TypeKind::kUInt8:
      return fill_with<uint8_t>(values, value);
    case TypeKind::kInt16:
      return fill_with<int16_t>(values, value);
    case TypeKind::kUInt16:
      return fill_with<uint16_t>(values, value);
    case TypeKind::kInt32:
      return fill_with<int32_t>(values, value);
    case TypeKind::kUInt32:
      return fill_with<uint32_t>(values, value);
    case TypeKind::kInt64:
      return fill_with<int64_t>(values, value);
    case TypeKind::kUInt64:
      return fill_with<uint64_t>(values, value);
    case TypeKind::kFloat32:
      return fill_with<float>(values, value);
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

FilledReader::FilledReader(std::shared_ptr<const Reader> wrapped, std::vector<Filling> fillings)
    : WrappedReader(std::move(wrapped)), fillings_(std::move(fillings)) {
  std::vector<ColumnInfo> columns = table().schema().columns();
  for (Filling& filling : fillings_) {
    filling.column.compressed_bytes = filling.column.uncompressed_bytes = 0;
    columns.push_back(filling.column);
  }
  schema_ = Schema(std::move(columns));
}

std::vector<StorageBlock> FilledReader::blocks(size_t column) const {
  return column < table().schema().size() ? table().blocks(column) : std::vector<StorageBlock>{};
}

std::unique_ptr<FetchedColumns> FilledReader::fetch(std::span<const size_t> columns, EntryRange entries,
                                                    const std::shared_ptr<MemoryPool>& pool,
                                                    const std::stop_token& stop) const {
  auto fetched = std::make_unique<FetchedFilled>();
  const size_t num_stored = table().schema().size();
  std::vector<size_t> stored;
  for (const size_t column : columns) {
    const bool is_filling = column >= num_stored;
    fetched->places.push_back({is_filling, is_filling ? column - num_stored : stored.size()});
    if (!is_filling) stored.push_back(column);
  }
  fetched->of_table = table().fetch(stored, entries, pool, stop);
  fetched->length = entries.size();
  return fetched;
}

Column FilledReader::decode(const FetchedColumns& fetched, size_t position,
                            const std::shared_ptr<MemoryPool>& pool, const Buffer& destination) const {
  const auto& both = static_cast<const FetchedFilled&>(fetched);
  const auto& [is_filling, place] = both.places[position];
  if (!is_filling) return table().decode(*both.of_table, place, pool, destination);
  const Filling& filling = fillings_[place];
  return filled_column(filling.column.type, filling.value, both.length, pool, destination);
}

}  // namespace sapwood
