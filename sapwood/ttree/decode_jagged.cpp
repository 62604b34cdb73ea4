#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <span>

#include "sapwood/kernels/decode.h"
#include "sapwood/ttree/fetched.h"
#include "sapwood/ttree/positions.h"

namespace sapwood::ttree {
namespace {

/// Entries shorter than this many bytes are swapped in place of a call for each.
constexpr int64_t kShortEntry = 48;
/// The header of a std::vector, which ends in the number of items.
constexpr int64_t kCollectionHeader = 10;

int64_t stored_count(const std::byte* header) {
  uint32_t raw;
  std::memcpy(&raw, header + kCollectionHeader - sizeof raw, sizeof raw);
  return __builtin_bswap32(raw);
}

/// The items before each of the positions, which come in whole items: `first` and those since the first
/// position. Gives whether all are whole.
bool count_items(std::span<const int64_t> positions, int64_t item_size, int64_t first, int64_t* out) {
  const int64_t begin = positions.front();
  bool whole = true;
  if (std::has_single_bit(static_cast<uint64_t>(item_size))) {
    // Most often; a division takes longer than all the rest.
    const int shift = std::countr_zero(static_cast<uint64_t>(item_size));
    uint64_t bytes_of_all = 0;
    for (size_t i = 0; i < positions.size(); ++i) {
      const auto bytes = static_cast<uint64_t>(positions[i] - begin);
      bytes_of_all |= bytes;
      out[i] = first + static_cast<int64_t>(bytes >> shift);
    }
    whole = (bytes_of_all & static_cast<uint64_t>(item_size - 1)) == 0;
  } else {
    for (size_t i = 0; i < positions.size(); ++i) {
      whole &= (positions[i] - begin) % item_size == 0;
      out[i] = first + (positions[i] - begin) / item_size;
    }
  }
  return whole;
}

template <class T>
int64_t sum_counts(const Column& counts, int64_t header_size, int64_t item_size, int64_t limit,
                   std::span<int64_t> positions, int64_t skip) {
  const auto values = counts.values.as<const T>();
  int64_t position = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    if (static_cast<int64_t>(i) >= skip) positions[i - static_cast<size_t>(skip)] = position;
    const auto count =
        static_cast<int64_t>(values[i]);  // NOLINT(bugprone-signed-char-misuse): counts, not text
    if (count < 0 || count > (limit - position) / item_size) return -1;
    position += header_size + count * item_size;
    if (position > limit) return -1;
  }
  return position;
}

/// The same where none are stored: from the counts of the entries, of all since the basket's first.
void counted_positions(const DecodeTask& task, const BasketPart& part, std::span<int64_t> positions) {
  if (task.counter_plan == nullptr) {
    throw UnsupportedError("an array of variable length without entry offsets and without a counter");
  }
  const EntryRange entries{part.first_entry, part.first_entry + part.local.stop};
  const DecodeTask count_task{
      .plan = *task.counter_plan, .data = *task.counter_data, .entries = entries, .pool = task.pool};
  const Column counts = decode_fixed(count_task, {});
  const int64_t item_size = task.plan.item_size();
  const auto limit = static_cast<int64_t>(part.basket.data.size());
  const int64_t skip = part.local.start;
  int64_t end = -1;
  const auto sum = [&]<class T>(T) {
    end = sum_counts<T>(counts, task.plan.header_size, item_size, limit, positions, skip);
  };
  switch (task.counter_plan->number.type) {
    case TypeKind::kInt8:
    case TypeKind::kBool:
      sum(int8_t{});
      break;
    case TypeKind::kUInt8:
      sum(uint8_t{});
      break;
    case TypeKind::kInt16:
      sum(int16_t{});
      break;
    case TypeKind::kUInt16:
      sum(uint16_t{});
      break;
    case TypeKind::kInt32:
      sum(int32_t{});
      break;
    case TypeKind::kUInt32:
      sum(uint32_t{});
      break;
    default:
      sum(int64_t{});
      break;
  }
  if (end < 0) {
    throw FormatError(concat("corrupt basket: the counts of its entries exceed its ", limit, " bytes"));
  }
  positions[static_cast<size_t>(part.local.size())] = end;
}

/// An upper bound, exact for whole baskets, of the stored bytes of the items in the wanted entries.
int64_t item_bytes_bound(const DecodeTask& task) {
  const StoredSizes sizes = stored_sizes(task);
  // Each entry has an offset, or a count in the counter's baskets.
  if (task.counter_plan != nullptr) {
    require_fixed_entries(
        {.plan = *task.counter_plan, .data = *task.counter_data, .entries = task.entries, .pool = task.pool});
  } else if (sizes.objects / 4 < task.entries.size()) {
    throw FormatError(
        concat("corrupt baskets: ", sizes.objects, " bytes for ", task.entries.size(), " entries"));
  }
  return std::max<int64_t>(0, sizes.data - sizes.headers);
}

template <class T>
void swap_short(const std::byte* in, std::byte* out, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    T raw;
    std::memcpy(&raw, in + i * static_cast<int64_t>(sizeof raw), sizeof raw);
    raw = sapwood::detail::byte_swapped(raw);
    std::memcpy(out + i * static_cast<int64_t>(sizeof raw), &raw, sizeof raw);
  }
}

/// Decodes the numbers of one entry, few of them without a call.
void decode_entry(const streamed::NumberFormat& format, const std::byte* in, std::byte* out, int64_t bytes) {
  if (format.packing == streamed::NumberFormat::Packing::kPlain && bytes <= kShortEntry) {
    switch (format.stored_size) {
      case 1:
        return swap_short<uint8_t>(in, out, bytes);
      case 2:
        return swap_short<uint16_t>(in, out, bytes / 2);
      case 4:
        return swap_short<uint32_t>(in, out, bytes / 4);
      default:
        return swap_short<uint64_t>(in, out, bytes / 8);
    }
  }
  streamed::decode_numbers(format, in, out, static_cast<size_t>(bytes / format.stored_size));
}

/// Whether a basket's wanted entries have as many items each as `offsets` say, one more than there are. Sets
/// where in the basket's data the items of the first one begin.
bool has_lists_of(const BasketPart& part, const int64_t* offsets, int64_t item_size, int64_t& begin) {
  const Basket& basket = part.basket;
  if (!basket.has_offsets()) return false;
  const auto size = static_cast<int64_t>(basket.data.size());
  const int64_t count = part.local.size();
  begin = basket.offset(part.local.start);
  const int64_t end = part.local.stop < basket.num_entries ? int64_t{basket.offset(part.local.stop)} : size;
  if (begin > end || end > size || end - begin != (offsets[count] - offsets[0]) * item_size) return false;
  // All are in between, where 32 bits tell them apart.
  const auto narrow = [](int64_t x) { return static_cast<uint32_t>(x); };
  const uint32_t shift = narrow(begin) + basket.offset_base - narrow(offsets[0]) * narrow(item_size);
  OffsetTile tile;
  uint32_t differing = 0;
  for (int64_t done = 0; done < count; done += std::ssize(tile)) {
    const std::span<const uint32_t> stored = load_offsets(part, done, tile);
    for (size_t i = 0; i < stored.size(); ++i)
      differing |= stored[i] ^ (narrow(offsets[done + static_cast<int64_t>(i)]) * narrow(item_size) + shift);
  }
  return differing == 0;
}

/// With the offsets of another column, where they are those that are stored here, too.
std::optional<Column> decode_known(const DecodeTask& task, int64_t bound) {
  const ColumnPlan& plan = task.plan;
  const auto offsets = task.known_offsets.as<const int64_t>();
  const int64_t item_size = plan.item_size();
  if (offsets.back() > bound / item_size) return std::nullopt;
  Column values = make_fixed_width_column(plan.type.item(), offsets.back(), task.pool);
  const size_t out_item_size = fixed_entry_size(plan.type.item());
  std::byte* const out = fixed_width_values(values).data();
  const int64_t* first = offsets.data();
  bool is_same = true;
  Scratch scratch(task.pool);
  for_each_basket(task.data, task.entries, scratch, [&](const BasketPart& part) {
    int64_t begin = 0;
    is_same = is_same && has_lists_of(part, first, item_size, begin);
    const int64_t items = first[part.local.size()] - *first;
    if (is_same) {
      streamed::decode_numbers(plan.number, part.basket.data.data() + begin,
                               out + static_cast<size_t>(*first) * out_item_size,
                               static_cast<size_t>(items * plan.values_per_item));
    }
    first += part.local.size();
  });
  if (!is_same) return std::nullopt;
  Column column{.type = plan.type, .length = task.entries.size(), .offsets = task.known_offsets};
  column.children.push_back(std::move(values));
  return column;
}

}  // namespace

// A basket of counted arrays: the items of entry after entry, or for a std::vector (header of 10 bytes)
//   uint32 byte count, uint16 version, uint32 count, items
// and for an array of variable length in a class (header of 1 byte)
//   uint8 whether there are any, items
Column decode_jagged(const DecodeTask& task) {
  const ColumnPlan& plan = task.plan;
  const int64_t length = task.entries.size();
  const int64_t item_size = plan.item_size();
  const int64_t bound = item_bytes_bound(task);
  if (!task.known_offsets.empty()) {
    if (auto column = decode_known(task, bound)) return std::move(*column);
  }
  const auto value_size = static_cast<int64_t>(primitive_size(plan.number.type));
  const int64_t out_item_size = plan.values_per_item * value_size;

  Buffer offsets(static_cast<size_t>(length + 1) * sizeof(int64_t), task.pool);
  Buffer values(static_cast<size_t>(bound / item_size * out_item_size), task.pool);
  const auto out_offsets = offsets.as<int64_t>();
  int64_t entry = 0;
  int64_t items = 0;
  ScratchBuffer position_memory(task.pool);
  Scratch scratch(task.pool);
  for_each_basket(task.data, task.entries, scratch, [&](const BasketPart& part) {
    const size_t num_positions = static_cast<size_t>(part.local.size()) + 1;
    std::byte* const memory = position_memory.get(num_positions * sizeof(int64_t)).data();
    const std::span positions(static_cast<int64_t*>(static_cast<void*>(memory)), num_positions);
    if (part.basket.has_offsets()) {
      stored_positions(part, positions);
    } else {
      counted_positions(task, part, positions);
    }
    const std::byte* data = part.basket.data.data();
    const int64_t header = plan.header_size;
    if (header == 0) {
      // Without headers the items of all entries are one run.
      const int64_t begin = positions.front();
      if (!count_items(positions, item_size, items, out_offsets.data() + entry))
        throw FormatError(concat("corrupt basket: an entry ends inside an item of ", item_size, " bytes"));
      entry += part.local.size();
      const int64_t count = (positions.back() - begin) / item_size;
      if (items + count > bound / item_size) {
        throw FormatError(
            concat("corrupt basket: ", positions.back() - begin, " bytes for items of ", item_size));
      }
      streamed::decode_numbers(plan.number, data + begin, values.data() + items * out_item_size,
                               static_cast<size_t>(count * plan.values_per_item));
      items += count;
      return;
    }
    for (size_t i = 0; i + 1 < positions.size(); ++i) {
      out_offsets[static_cast<size_t>(entry++)] = items;
      const int64_t size = positions[i + 1] - positions[i];
      const int64_t bytes = size - header;
      const int64_t count = bytes / item_size;
      if (bytes < 0 || bytes % item_size != 0 || items + count > bound / item_size ||
          (header == kCollectionHeader && stored_count(data + positions[i]) != count)) {
        throw FormatError(concat("corrupt basket: an entry of ", size, " bytes, for a header of ", header,
                                 " and items of ", item_size));
      }
      decode_entry(plan.number, data + positions[i] + header, values.data() + items * out_item_size, bytes);
      items += count;
    }
  });
  out_offsets[static_cast<size_t>(length)] = items;

  const auto used = static_cast<size_t>(items * out_item_size);
  if (used < values.size() / 2) {
    // A small part of large baskets: give the rest of the memory back.
    Buffer exact(used, task.pool);
    if (used != 0) std::memcpy(exact.data(), values.data(), used);
    values = std::move(exact);
  } else {
    values = values.first(used);
  }
  Column column{
      .type = plan.type, .length = length, .values = {}, .offsets = std::move(offsets), .children = {}};
  column.children.push_back(make_fixed_width_column(plan.type.item(), items, std::move(values)));
  return column;
}

}  // namespace sapwood::ttree
