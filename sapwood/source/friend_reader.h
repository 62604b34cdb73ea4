#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sapwood/column/reader.h"
#include "sapwood/source/friend_columns.h"

namespace sapwood {

/// A table with a friend's columns beside its own. File, entries and clusters are those of the table.
class FriendReader final : public Reader {
 public:
  /// The table's entries, from its first, go with these of the friend.
  FriendReader(std::shared_ptr<const Reader> table, std::shared_ptr<const FriendColumns> columns,
               EntryRange entries);

  const std::string& file() const override { return table_->file(); }
  const std::string& object() const override { return table_->object(); }
  const char* format() const override { return table_->format(); }
  std::string warning() const override { return table_->warning(); }
  std::vector<Alias> aliases() const override { return table_->aliases(); }
  std::vector<FriendTable> friends() const override { return table_->friends(); }
  /// The friend's columns come first: where the table has one of that name that the data set's first file has
  /// not, the name means the friend's.
  const Schema& schema() const override { return schema_; }
  int64_t num_entries() const override { return table_->num_entries(); }
  std::span<const EntryRange> clusters() const override { return table_->clusters(); }
  std::vector<StorageBlock> blocks(size_t column) const override;
  std::unique_ptr<FetchedColumns> fetch(std::span<const size_t> columns, EntryRange entries,
                                        const std::shared_ptr<MemoryPool>& pool,
                                        const std::stop_token& stop = {}) const override;
  Column decode(const FetchedColumns& fetched, size_t position, const std::shared_ptr<MemoryPool>& pool,
                const Buffer& destination = {}) const override;

 private:
  std::shared_ptr<const Reader> table_;
  std::shared_ptr<const FriendColumns> columns_;
  EntryRange entries_;  // of the friend
  Schema schema_;
};

}  // namespace sapwood
