#include <algorithm>
#include <vector>

#include "sapwood/codec/decompress.h"
#include "sapwood/ttree/fetched.h"

namespace sapwood::ttree {
namespace {

/// Numbers gathered from scattered entries before they are decoded together.
constexpr int64_t kGatheredBytes = 16 << 10;

const std::byte* entries_of(const BasketPart& part, int64_t entry_size) {
  // Sizes are bounded by the plan and by int32 entry numbers, so the product can't overflow.
  const Basket& basket = part.basket;
  if (basket.num_entries * entry_size != static_cast<int64_t>(basket.data.size())) {
    throw FormatError(concat("corrupt basket: ", basket.data.size(), " bytes for ", basket.num_entries,
                             " entries of ", entry_size));
  }
  return part.basket.data.data() + part.local.start * entry_size;
}

/// The numbers of one plan, out of entries side by side.
void decode_entries(const ColumnPlan& plan, const std::byte* in, std::byte* out, int64_t count) {
  const int64_t size = plan.item_size();
  if (size == plan.entry_size) {
    streamed::decode_numbers(plan.number, in, out, static_cast<size_t>(count * plan.values_per_item));
    return;
  }
  const auto out_size = static_cast<int64_t>(primitive_size(plan.number.type)) * plan.values_per_item;
  const int64_t batch = std::max<int64_t>(1, kGatheredBytes / size);
  std::vector<std::byte> gathered(static_cast<size_t>(std::min(batch, count) * size));
  for (int64_t done = 0; done < count; done += batch) {
    const int64_t now = std::min(batch, count - done);
    const std::byte* from = in + done * plan.entry_size + plan.entry_offset;
    for (int64_t i = 0; i < now; ++i) {
      std::memcpy(gathered.data() + i * size, from + i * plan.entry_size, static_cast<size_t>(size));
    }
    streamed::decode_numbers(plan.number, gathered.data(), out + done * out_size,
                             static_cast<size_t>(now * plan.values_per_item));
  }
}

// Whether the entries take no more memory than such baskets often hold, so that it is no loss if they turn
// out to be corrupt: then their headers, each a request of its own, are read with them and not before.
bool is_plausible(const DecodeTask& task) {
  constexpr int64_t kUsualRatio = 64;
  int64_t stored = 0;
  for (const io::StoredBytes& record : task.data.records) stored += static_cast<int64_t>(record.size());
  return task.entries.size() <= stored * kUsualRatio / std::max<int64_t>(task.plan.entry_size, 1);
}

}  // namespace

StoredSizes stored_sizes(const DecodeTask& task) {
  StoredSizes sizes;
  uint64_t stored = 0;
  ScratchBuffer scratch(task.pool);
  for (size_t i = 0; i < task.data.records.size(); ++i) {
    const size_t index = task.data.first_basket + i;
    const EntryRange held = task.data.branch->basket_entries(index);
    if (held.start >= task.entries.stop || held.stop <= task.entries.start) continue;
    const io::StoredBytes& record = task.data.records[i];
    const BasketHeader header = read_basket_header(record, scratch);
    const bool is_embedded = task.data.branch->baskets[index].seek == 0;
    const uint64_t object_size = is_embedded ? record.size() : header.object_size;
    if (header.data_size > object_size)
      throw FormatError(
          concat("corrupt basket: entries of ", header.data_size, " bytes in an object of ", object_size));
    stored += record.size();
    sizes.data += header.data_size;
    sizes.objects += static_cast<int64_t>(object_size);
    sizes.headers += task.plan.header_size * header.num_entries;
  }
  if (codec::is_plausible_size(stored, static_cast<uint64_t>(sizes.objects))) return sizes;
  for (size_t i = 0; i < task.data.records.size(); ++i) {
    if (task.data.branch->baskets[task.data.first_basket + i].seek == 0) continue;
    const Bytes record = task.data.records[i].get(scratch);
    const BasketHeader header = read_basket_header(record);
    if (header.key_size > record.size()) throw FormatError("corrupt basket: it is shorter than its header");
    codec::require_size(record.subspan(header.key_size), header.object_size);
  }
  return sizes;
}

void require_fixed_entries(const DecodeTask& task) {
  if (is_plausible(task)) return;
  const int64_t held = stored_sizes(task).data / std::max<int64_t>(task.plan.entry_size, 1);
  if (held < task.entries.size()) {
    throw FormatError(
        concat("corrupt baskets: they hold ", held, " entries instead of ", task.entries.size()));
  }
}

// A basket of fixed entries: the entries, one after the other, numbers big-endian.
Column decode_fixed(const DecodeTask& task, const Buffer& destination) {
  require_fixed_entries(task);
  const int64_t length = task.entries.size();
  const size_t entry_size = fixed_entry_size(task.plan.type);
  const size_t size = entry_size * static_cast<size_t>(length);
  if (!destination.empty() && destination.size() != size)
    throw ConfigError(concat("a destination of ", destination.size(), " bytes for a column of ", size));
  Buffer values = destination.empty() ? Buffer(size, task.pool) : destination;
  std::byte* out = values.data();
  Scratch scratch(task.pool);
  const auto decode = [&](const BasketPart& part) {
    const std::byte* in = entries_of(part, task.plan.entry_size);
    decode_entries(task.plan, in, out, part.local.size());
    out += entry_size * static_cast<size_t>(part.local.size());
  };
  // Numbers that only change their byte order are decompressed to where they stay, and turned there.
  const bool in_place = task.plan.number.packing == streamed::NumberFormat::Packing::kPlain &&
                        task.plan.item_size() == task.plan.entry_size;
  const auto lend = [&](int64_t count) {
    return in_place ? std::span(out, entry_size * static_cast<size_t>(count)) : std::span<std::byte>();
  };
  for_each_basket(task.data, task.entries, scratch, decode, lend);
  return make_fixed_width_column(task.plan.type, length, std::move(values));
}

// A basket of a leaf list: entries one after the other, in each the leaves one after the other.
Column decode_leaf_list(const DecodeTask& task) {
  require_fixed_entries(task);
  const int64_t length = task.entries.size();
  Column column{.type = task.plan.type, .length = length, .values = {}, .offsets = {}, .children = {}};
  std::vector<std::byte*> outs;
  for (const ColumnPlan& member : task.plan.members) {
    column.children.push_back(make_fixed_width_column(member.type, length, task.pool));
    outs.push_back(fixed_width_values(column.children.back()).data());
  }
  Scratch scratch(task.pool);
  for_each_basket(task.data, task.entries, scratch, [&](const BasketPart& part) {
    const std::byte* in = entries_of(part, task.plan.entry_size);
    for (size_t i = 0; i < outs.size(); ++i) {
      const ColumnPlan& member = task.plan.members[i];
      decode_entries(member, in, outs[i], part.local.size());
      outs[i] += fixed_entry_size(member.type) * static_cast<size_t>(part.local.size());
    }
  });
  return column;
}

}  // namespace sapwood::ttree
