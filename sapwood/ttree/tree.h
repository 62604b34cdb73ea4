#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sapwood/column/reader.h"
#include "sapwood/root/file.h"
#include "sapwood/root/object.h"
#include "sapwood/ttree/column_plan.h"

namespace sapwood::ttree {

/// Whether objects of a class are trees: TTree, TNtuple, TNtupleD.
bool is_tree_class(std::string_view class_name);

/// A TTree, read column by column.
///
/// A column is a branch that holds data, named as the branch; where several branches share a name, by the
/// names of its parents and its own with '/' between. A branch of several leaves is a struct, and each leaf a
/// member column "branch.leaf". Branches of split objects that hold no data of their own are no columns.
///
/// `StorageBlock::uncompressed_bytes` is the branch's mean ratio applied to each basket. Columns of arrays
/// whose baskets carry no entry offsets read their counter's baskets too.
class Tree final : public Reader {
 public:
  /// Reads the tree's record and the file's streamer infos, those that it shares with other files from
  /// `shared`. Throws IoError, FormatError, UnsupportedError.
  static std::shared_ptr<const Tree> open(std::shared_ptr<const root::File> file, const root::Key& key,
                                          root::SharedStreamerInfos* shared = nullptr);

  const std::string& file() const override { return file_->uri(); }
  const std::string& object() const override { return name_; }
  const char* format() const override { return "TTree"; }
  std::string warning() const override { return file_->warning(); }
  std::vector<Alias> aliases() const override { return aliases_; }
  std::vector<FriendTable> friends() const override { return friends_; }
  const Schema& schema() const override { return schema_; }
  int64_t num_entries() const override { return num_entries_; }
  std::span<const EntryRange> clusters() const override { return clusters_; }
  std::vector<StorageBlock> blocks(size_t column) const override;
  std::unique_ptr<FetchedColumns> fetch(std::span<const size_t> columns, EntryRange entries,
                                        const std::shared_ptr<MemoryPool>& pool,
                                        const std::stop_token& stop = {}) const override;
  Column decode(const FetchedColumns& fetched, size_t position, const std::shared_ptr<MemoryPool>& pool,
                const Buffer& destination = {}) const override;

 private:
  Tree() = default;
  void read_links(const root::Object& tree);
  void plan(const root::Object& tree);
  void find_lengths(std::vector<ColumnInfo>& columns);
  void find_unknown_clones(const PlannedColumns& planned, streamed::ClonesClasses& found) const;
  void keep_embedded_baskets();
  ErrorContext context(size_t column, EntryRange entries) const;

  std::shared_ptr<const root::File> file_;
  std::shared_ptr<const root::StreamerInfos> infos_;  // null where no column holds objects
  std::string name_;
  std::vector<Branch> branches_;
  std::vector<std::vector<std::byte>> embedded_;  // records of embedded baskets, which branches_ refer to
  std::vector<ColumnPlan> plans_;                 // beside the schema's columns
  std::vector<size_t> counter_of_;                // of each column, in counters_; SIZE_MAX for none
  std::vector<ColumnPlan> counters_;
  std::vector<size_t> lengths_of_;  // of each column, another column; SIZE_MAX for none
  std::vector<Alias> aliases_;
  std::vector<FriendTable> friends_;
  Schema schema_;
  int64_t num_entries_ = 0;
  std::vector<EntryRange> clusters_;
};

}  // namespace sapwood::ttree
