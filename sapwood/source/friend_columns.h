#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "sapwood/source/source.h"

namespace sapwood {

/// What is stored of a friend's columns over a range of its entries, file by file.
struct FetchedFriend {
  struct Piece {
    std::shared_ptr<const Reader> reader{};
    EntryRange entries{};  ///< in the file's own entries
    std::unique_ptr<FetchedColumns> columns{};
  };
  std::vector<size_t> columns{};  ///< places among the friend's
  std::vector<Piece> pieces{};
  /// Of a friend that is joined by keys:
  std::vector<EntryRange> rows{};  ///< among the entries of all pieces, in the order of the table's entries
  std::vector<int64_t> places{};   ///< of these among the table's entries, some of which have none
  int64_t length = 0;              ///< the table's entries
};

/// Which entry of a friend goes with each of a table's, -1 where none does.
using FriendEntries = std::vector<int64_t>;

/// Columns of a source that go with another table's, entry by entry, whatever files either is in. Entries are
/// counted over the whole source; where the friend is joined by keys, over the whole table. Errors tell the
/// friend's file and its entries. Immutable; safe from many threads.
class FriendColumns {
 public:
  /// Of columns at these places of the source's schema. They are called `prefix.name` where there is a
  /// prefix. `entries`: null where entry i goes with entry i.
  FriendColumns(std::shared_ptr<const Source> source, const std::vector<size_t>& places,
                const std::string& prefix, std::shared_ptr<const FriendEntries> entries = nullptr);

  /// As they are called here.
  const Schema& schema() const { return schema_; }

  /// Of the blocks that hold these entries, counted from `origin`; the first one from `entries.start`.
  ColumnOutline outline(size_t column, EntryRange entries, int64_t origin) const;

  /// As `Reader::fetch`.
  FetchedFriend fetch(std::vector<size_t> columns, EntryRange entries,
                      const std::shared_ptr<MemoryPool>& pool, const std::stop_token& stop) const;
  /// As `Reader::decode`.
  Column decode(const FetchedFriend& fetched, size_t position, const std::shared_ptr<MemoryPool>& pool,
                const Buffer& destination) const;

 private:
  void find_rows(std::span<const int64_t> wanted, FetchedFriend& fetched,
                 std::vector<EntryRange>& ranges) const;
  Column decode_pieces(const FetchedFriend& fetched, size_t position, const std::shared_ptr<MemoryPool>& pool,
                       const Buffer& destination) const;

  std::shared_ptr<const Source> source_;
  std::shared_ptr<const FriendEntries> entries_;
  std::vector<std::string> names_;  // in the source
  Schema schema_;
};

}  // namespace sapwood
