#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sapwood/column/reader.h"
#include "sapwood/source/friend_columns.h"
#include "sapwood/source/wrapped_reader.h"

namespace sapwood {

/// A table with a friend's columns beside its own. File, entries and clusters are those of the table.
class FriendReader final : public WrappedReader {
 public:
  /// The table's entries, from its first, go with these of the friend.
  FriendReader(std::shared_ptr<const Reader> wrapped, std::shared_ptr<const FriendColumns> columns,
               EntryRange entries);

  /// The friend's columns come first: where the table has one of that name that the data set's first file has
  /// not, the name means the friend's.
  const Schema& schema() const override { return schema_; }
  std::vector<StorageBlock> blocks(size_t column) const override;
  std::unique_ptr<FetchedColumns> fetch(std::span<const size_t> columns, EntryRange entries,
                                        const std::shared_ptr<MemoryPool>& pool,
                                        const std::stop_token& stop = {}) const override;
  Column decode(const FetchedColumns& fetched, size_t position, const std::shared_ptr<MemoryPool>& pool,
                const Buffer& destination = {}) const override;

 private:
  std::shared_ptr<const FriendColumns> columns_;
  EntryRange entries_;  // of the friend
  Schema schema_;
};

}  // namespace sapwood
