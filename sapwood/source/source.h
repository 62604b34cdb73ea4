#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sapwood/column/reader.h"
#include "sapwood/source/filled_reader.h"
#include "sapwood/source/units.h"

namespace sapwood {

class FriendColumns;

/// Files that belong together: a class, a process, a data-taking period.
struct Sample {
  std::string label;                                    ///< empty when the user gave none
  std::vector<std::string> paths;                       ///< paths, globs or URIs
  std::optional<double> weight{};                       ///< such as a cross-section
  std::vector<std::shared_ptr<const Reader>> tables{};  ///< those that are open already, beside files
};

/// What stays in memory of each file.
struct FileInfo {
  std::string path;
  int64_t first_entry = 0;                ///< of the file, counted over the whole source
  int64_t num_entries = 0;                ///< that belong to the source: the first ones of the file
  int64_t stored_entries = 0;             ///< that the file holds
  size_t sample = 0;                      ///< index of its `Sample`
  std::vector<EntryRange> clusters;       ///< in the file's own entries
  std::string warning;                    ///< as `Reader::warning`
  std::shared_ptr<const Reader> table{};  ///< where it was given open
};

/// Many files as one table: entries are counted through all files in order. Columns and types are those of
/// the first file; another file is held to them when its columns are read. Columns with defaults may be
/// missing in any file but one. Immutable; safe from many threads.
class Source {
 public:
  /// Resolves and opens all files once (on several threads) and keeps their entries and clusters; the files
  /// themselves are opened again when needed, so that thousands stay within the limit of open files. `tree`
  /// as in `open_table`. Throws IoError, FormatError, SchemaError (also: no file has a column that has a
  /// default), ConfigError (no paths, a label twice; a default that is no value of its column).
  static std::shared_ptr<const Source> open(std::vector<Sample> samples, const std::string& tree,
                                            std::vector<Default> defaults = {});
  /// The same files with only the first `entries[i]` of file i (all that it has, when those are fewer).
  /// Throws ConfigError: a negative number, or not one for each file.
  std::shared_ptr<const Source> limited(const std::vector<int64_t>& entries) const;
  /// The same files with a friend's columns beside their own: entry i of the friend goes with entry i of all
  /// files. It has as many, no column is called as one of theirs, and no table was given open.
  static std::shared_ptr<const Source> joined(std::shared_ptr<const Source> main,
                                              std::shared_ptr<const FriendColumns> friend_columns);

  const std::vector<Sample>& samples() const { return samples_; }
  const std::vector<FileInfo>& files() const { return files_; }
  const Schema& schema() const { return schema_; }
  const std::string& tree() const { return tree_; }
  const std::vector<Default>& defaults() const { return defaults_; }
  /// "TTree" or "RNTuple"; "TTree and RNTuple" when files of both are mixed.
  const std::string& format() const { return format_; }
  int64_t num_entries() const { return num_entries_; }
  /// As `Reader::is_ordered`, of all files.
  bool is_ordered() const;

  /// The reader of a file, from a cache of those last used.
  std::shared_ptr<const Reader> reader(size_t file) const;
  /// What planning needs of these columns in a file. Does not open it where `open` had room to keep that.
  /// Throws SchemaError as `column_indices`.
  TableOutline outline(size_t file, const std::vector<std::string>& names) const;
  /// The same of one column, of the blocks that hold these entries of the file.
  ColumnOutline outline(size_t file, const std::string& name, EntryRange entries) const;
  /// The columns of that name and type in the file. Throws SchemaError where it differs from the first file.
  std::vector<size_t> column_indices(const Reader& reader, const std::vector<std::string>& names) const;

 private:
  Source();
  Source(const Source&) = default;
  void count_entries();
  void add_missing_columns();
  std::shared_ptr<const Reader> filled(std::shared_ptr<const Reader> table) const;
  struct Cache;
  struct Outlines;
  struct Friend;
  std::vector<Sample> samples_;
  std::vector<FileInfo> files_;
  Schema schema_;
  std::string tree_;
  std::vector<Default> defaults_;
  std::string format_;
  int64_t num_entries_ = 0;
  std::shared_ptr<Cache> cache_;
  std::shared_ptr<const Outlines> outlines_;
  std::shared_ptr<const Friend> friend_;  // where there is one
};

}  // namespace sapwood
