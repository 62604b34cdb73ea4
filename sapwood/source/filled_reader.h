#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sapwood/source/wrapped_reader.h"

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
class FilledReader final : public WrappedReader {
 public:
  struct Filling {
    ColumnInfo column;
    double value = 0;
  };
  /// The values are of their columns' types.
  FilledReader(std::shared_ptr<const Reader> wrapped, std::vector<Filling> fillings);

  const Schema& schema() const override { return schema_; }
  std::vector<StorageBlock> blocks(size_t column) const override;
  std::unique_ptr<FetchedColumns> fetch(std::span<const size_t> columns, EntryRange entries,
                                        const std::shared_ptr<MemoryPool>& pool,
                                        const std::stop_token& stop = {}) const override;
  Column decode(const FetchedColumns& fetched, size_t position, const std::shared_ptr<MemoryPool>& pool,
                const Buffer& destination = {}) const override;

 private:
  std::vector<Filling> fillings_;
  Schema schema_;  // the table's columns, then the fillings
};

}  // namespace sapwood
