#include "sapwood/source/friend_reader.h"

#include <utility>

namespace sapwood {
namespace {

struct FetchedBoth final : FetchedColumns {
  struct Place {
    bool is_friend;
    size_t position;  // among those fetched of the one
  };
  std::vector<Place> places;
  std::unique_ptr<FetchedColumns> of_table;
  FetchedFriend of_friend;
  uint64_t held_bytes() const override {
    uint64_t bytes = of_table ? of_table->held_bytes() : 0;
    for (const FetchedFriend::Piece& piece : of_friend.pieces)
      bytes += piece.columns ? piece.columns->held_bytes() : 0;
    return bytes;
  }
};

Schema joined_schema(const Schema& first, const Schema& second) {
  std::vector<ColumnInfo> columns = first.columns();
  columns.insert(columns.end(), second.columns().begin(), second.columns().end());
  return Schema(std::move(columns));
}

}  // namespace

FriendReader::FriendReader(std::shared_ptr<const Reader> wrapped,
                           std::shared_ptr<const FriendColumns> columns, EntryRange entries)
    : WrappedReader(std::move(wrapped)),
      columns_(std::move(columns)),
      entries_(entries),
      schema_(joined_schema(columns_->schema(), table().schema())) {}

std::vector<StorageBlock> FriendReader::blocks(size_t column) const {
  const size_t of_friend = columns_->schema().size();
  if (column < of_friend) return columns_->outline(column, entries_, entries_.start).blocks;
  return table().blocks(column - of_friend);
}

std::unique_ptr<FetchedColumns> FriendReader::fetch(std::span<const size_t> columns, EntryRange entries,
                                                    const std::shared_ptr<MemoryPool>& pool,
                                                    const std::stop_token& stop) const {
  const size_t num_of_friend = columns_->schema().size();
  auto fetched = std::make_unique<FetchedBoth>();
  std::vector<size_t> of_table;
  std::vector<size_t> of_friend;
  for (const size_t column : columns) {
    const bool is_friend = column < num_of_friend;
    std::vector<size_t>& wanted = is_friend ? of_friend : of_table;
    fetched->places.push_back({is_friend, wanted.size()});
    wanted.push_back(is_friend ? column : column - num_of_friend);
  }
  fetched->of_table = table().fetch(of_table, entries, pool, stop);
  fetched->of_friend = columns_->fetch(
      std::move(of_friend), {entries_.start + entries.start, entries_.start + entries.stop}, pool, stop);
  return fetched;
}

Column FriendReader::decode(const FetchedColumns& fetched, size_t position,
                            const std::shared_ptr<MemoryPool>& pool, const Buffer& destination) const {
  const auto& both = static_cast<const FetchedBoth&>(fetched);
  const auto& [is_friend, place] = both.places[position];
  if (is_friend) return columns_->decode(both.of_friend, place, pool, destination);
  return table().decode(*both.of_table, place, pool, destination);
}

}  // namespace sapwood
