#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "sapwood/column/reader.h"

namespace sapwood {

/// A table with other columns than it has: all else is that of the table.
class WrappedReader : public Reader {
 public:
  explicit WrappedReader(std::shared_ptr<const Reader> table) : table_(std::move(table)) {}

  const std::string& file() const override { return table_->file(); }
  const std::string& object() const override { return table_->object(); }
  const char* format() const override { return table_->format(); }
  std::string warning() const override { return table_->warning(); }
  std::vector<Alias> aliases() const override { return table_->aliases(); }
  std::vector<FriendTable> friends() const override { return table_->friends(); }
  std::string row_column() const override { return table_->row_column(); }
  bool is_ordered() const override { return table_->is_ordered(); }
  int64_t num_entries() const override { return table_->num_entries(); }
  std::span<const EntryRange> clusters() const override { return table_->clusters(); }

 protected:
  const Reader& table() const { return *table_; }

 private:
  std::shared_ptr<const Reader> table_;
};

}  // namespace sapwood
