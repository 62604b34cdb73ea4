#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "sapwood/column/reader.h"
#include "sapwood/ttree/basket.h"
#include "sapwood/ttree/column_plan.h"

namespace sapwood::ttree {

/// The records of consecutive baskets of a branch.
struct FetchedBranch {
  const Branch* branch = nullptr;
  size_t first_basket = 0;
  std::vector<io::StoredBytes> records;
};

/// Some entries of one column, with all that decoding them takes.
struct DecodeTask {
  const ColumnPlan& plan;
  const FetchedBranch& data;
  const ColumnPlan* counter_plan = nullptr;  ///< null when no counts were fetched
  const FetchedBranch* counter_data = nullptr;
  EntryRange entries;
  const std::shared_ptr<MemoryPool>& pool;
  const root::StreamerInfos* infos = nullptr;  ///< for kStream
  const Column* lengths = nullptr;             ///< of the arrays in each of an entry's objects, as lists
  Buffer known_offsets{};  ///< of the same entries' lists in another column that has the same counter
};

/// The wanted part of one basket.
struct BasketPart {
  Basket basket;
  EntryRange local;         ///< wanted entries, counted from the basket's first
  int64_t first_entry = 0;  ///< the basket's, in the tree
};

/// Unpacks the baskets that overlap the task's entries one after the other and calls `use(const
/// BasketPart&)`. `lend(count)` may give memory that a basket is to be unpacked into of which all `count`
/// entries are wanted.
template <class Use, class Lend>
void for_each_basket(const FetchedBranch& data, EntryRange entries, Scratch& scratch, Use&& use,
                     Lend&& lend) {
  const Branch& branch = *data.branch;
  for (size_t i = 0; i < data.records.size(); ++i) {
    const size_t index = data.first_basket + i;
    const EntryRange held = branch.basket_entries(index);
    const EntryRange part{std::max(held.start, entries.start) - held.start,
                          std::min(held.stop, entries.stop) - held.start};
    if (part.size() <= 0) continue;
    const bool embedded = branch.baskets[index].seek == 0;
    scratch.lend(part.size() == held.size() ? lend(part.size()) : std::span<std::byte>());
    const Bytes record = data.records[i].get(scratch.record());
    const Basket basket = embedded ? unpack_embedded_basket(record) : unpack_basket(record, scratch);
    if (basket.num_entries < part.stop) {
      throw FormatError(
          concat("corrupt basket ", index, ": ", basket.num_entries, " entries instead of ", held.size()));
    }
    use(BasketPart{basket, part, held.start});
  }
}

template <class Use>
void for_each_basket(const FetchedBranch& data, EntryRange entries, Scratch& scratch, Use&& use) {
  for_each_basket(data, entries, scratch, std::forward<Use>(use),
                  [](int64_t) { return std::span<std::byte>(); });
}

/// Bytes of the entries in the task's baskets, and of their records' objects, by their headers; checked
/// against the compressed sizes, so that memory may be allocated by them.
struct StoredSizes {
  int64_t data = 0;
  int64_t objects = 0;
  int64_t headers = 0;  ///< entries times the plan's header size
};
StoredSizes stored_sizes(const DecodeTask& task);

/// Throws FormatError when the baskets, by their sizes or by their headers, can't hold the task's entries,
/// all of the plan's fixed size.
void require_fixed_entries(const DecodeTask& task);

/// Decode by layout. They throw FormatError when the bytes do not fit the plan.
Column decode_fixed(const DecodeTask& task, const Buffer& destination);
Column decode_leaf_list(const DecodeTask& task);
Column decode_jagged(const DecodeTask& task);
Column decode_stream(const DecodeTask& task, const Buffer& destination);

}  // namespace sapwood::ttree
