#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sapwood/column/reader.h"

namespace sapwood {

/// A column that files may lack, and what its entries are there.
struct Default {
  std::string column;
  /// Of numbers, or of each of an array of fixed size; lists and strings are empty, and records all 0 or
  /// empty.
  double value = 0;
};

/// Throws ConfigError where the value is none of the type.
void check_default(const Default& missing, const Type& type);

/// A table with columns beside its own that are the same in all entries.
class FilledReader final : public Reader {
 public:
  struct Filling {
    ColumnInfo column;
    double value = 0;
  };
  /// The values are of their columns' types.
  FilledReader(std::shared_ptr<const Reader> table, std::vector<Filling> fillings);

  const std::string& file() const override { return table_->file(); }
  const std::string& object() const override { return table_->object(); }
  const char* format() const override { return table_->format(); }
  std::string warning() const override { return table_->warning(); }
  std::vector<Alias> aliases() const override { return table_->aliases(); }
  std::vector<FriendTable> friends() const override { return table_->friends(); }
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
  std::vector<Filling> fillings_;
  Schema schema_;  // the table's columns, then the fillings
};

}  // namespace sapwood
