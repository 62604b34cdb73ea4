#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sapwood/column/reader.h"
#include "sapwood/frame/frame_calls.h"

namespace sapwood {

/// Whether a row comes of an entry: a bool column of every frame, which is no column of the frame's own.
inline constexpr const char* kFramePasses = "frame_passes";

/// A frame as a table. Its entries are those of the data that it reads, before its filters; of entries that
/// don't pass these all values are 0, false or empty, and `frame_passes` is false. How many values lists have
/// is estimated from a few entries. An event loop is not stopped before it ends.
class FrameReader final : public Reader {
 public:
  /// Takes `calls` over, which it closes. Throws IoError: the event loop fails.
  explicit FrameReader(const FrameCalls* calls);

  const std::string& file() const override { return file_; }
  const std::string& object() const override { return object_; }
  const char* format() const override { return "RDataFrame"; }
  const Schema& schema() const override { return schema_; }
  std::string row_column() const override { return calls_->drops_rows ? kFramePasses : ""; }
  bool is_ordered() const override { return calls_->ordered; }
  int64_t num_entries() const override { return calls_->num_entries; }
  std::span<const EntryRange> clusters() const override { return clusters_; }
  std::vector<StorageBlock> blocks(size_t column) const override;
  /// Throws IoError (the event loop fails), UnsupportedError (these entries can't be read apart from others).
  std::unique_ptr<FetchedColumns> fetch(std::span<const size_t> columns, EntryRange entries,
                                        const std::shared_ptr<MemoryPool>& pool,
                                        const std::stop_token& stop = {}) const override;
  Column decode(const FetchedColumns& fetched, size_t position, const std::shared_ptr<MemoryPool>& pool,
                const Buffer& destination = {}) const override;

 private:
  std::vector<Column> read_rows(const std::vector<size_t>& columns, EntryRange entries,
                                const std::shared_ptr<MemoryPool>& pool) const;
  void check_rows(const std::vector<Column>& rows, EntryRange entries) const;
  bool is_whole_clusters(EntryRange entries) const;
  std::vector<EntryRange> sampled_ranges() const;
  void estimate_sizes(std::vector<ColumnInfo>& columns) const;

  std::unique_ptr<const FrameCalls, void (*)(const FrameCalls*)> calls_;
  std::string file_;
  std::string object_{};
  std::vector<Type> types_{};  // of the frame's own columns
  Schema schema_{};
  std::vector<EntryRange> clusters_{};
};

}  // namespace sapwood
