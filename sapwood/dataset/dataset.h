#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "sapwood/column/user_function.h"
#include "sapwood/source/source.h"
#include "sapwood/source/units.h"

namespace sapwood {

/// Columns of a data set, resolved once to be read many times.
struct Selection {
  struct Place {
    std::string name;
    Type type;
    std::optional<size_t>
        stored;  ///< place among the columns that are in the files; none for a sample's columns
  };
  std::vector<Place> columns;
  std::vector<std::string> stored;  ///< names of those in the files
};

/// A unit's stored bytes, between `Dataset::fetch` and `Dataset::decode`.
struct FetchedUnit {
  Unit unit;
  std::shared_ptr<const Reader> reader;
  std::unique_ptr<FetchedColumns> columns;

  /// For errors in what is made of it.
  ErrorContext context() const { return {reader->file(), reader->object(), {}, unit.entries}; }
};

/// What reading columns takes, from metadata.
struct Survey {
  std::vector<Unit> units{};
  std::vector<double> values_per_entry{};  ///< mean number of innermost values of each column, over all files
};

struct ArraysOptions {
  std::optional<EntryRange> entries{};  ///< all when not given; a range past the end is cut
  size_t threads = 0;                   ///< 0: as many as there are processors
  std::stop_token stop{};               ///< a requested stop ends the work with CancelledError
};

/// A condition that rows have to pass.
struct Filter {
  std::string name;  ///< for reports; the condition unless told
  std::string condition;
};

class Dataset;

/// By which columns of both a friend's entries are found: one of it at most for each.
struct FriendKeys {
  std::vector<std::string> columns{};  ///< of integers; none: entry i goes with entry i
  bool may_lack = false;               ///< entries without partner get 0 or what is empty
};

/// Opens files as a data set. `tree` as in `open_table`. Throws IoError, FormatError, SchemaError,
/// UnsupportedError, ConfigError.
std::shared_ptr<const Dataset> open(std::vector<Sample> samples, const std::string& tree = {},
                                    std::vector<Default> defaults = {});
/// The same for one unlabelled sample.
std::shared_ptr<const Dataset> open(std::vector<std::string> paths, const std::string& tree = {});

/// A lazy, immutable data set: the files of a `Source` and what is asked of them. Opened from labelled
/// samples it has two columns more: `sample_label`, int32, the sample's place among those given; and, when
/// every sample has a weight, `sample_weight`, float64: weight / entries of the sample, scaled to a mean of 1
/// over the data set, so that each sample counts in proportion to its weight (its cross-section). Any has a
/// column `entry_`, int64, the entry counted over all files, which comes where it is named. Formulas
/// may define further columns, and filters say which rows count. Safe from many threads.
class Dataset {
 public:
  /// A data set that was joined to another.
  struct Friend {
    std::shared_ptr<const Dataset> data;
    std::string prefix;
    std::vector<int64_t> entries;  ///< of each file of the other, when it was joined
    FriendKeys keys;
  };

  const Source& source() const { return *source_; }
  const Schema& schema() const { return schema_; }
  /// The schema's columns without `entry_`, which is in no file.
  std::vector<ColumnInfo> listed_columns() const;
  /// Of the files, whether they pass the filters or not.
  int64_t num_entries() const { return source_->num_entries(); }

  /// The first `entries` of the data set. Throws ConfigError: there are filters, which come after.
  std::shared_ptr<const Dataset> limit(int64_t entries) const;
  /// The first `entries[i]` of file i. Throws ConfigError: also not one number for each file.
  std::shared_ptr<const Dataset> limit_files(const std::vector<int64_t>& entries) const;

  /// With the columns in the files of another data set beside its own: entry i of that one goes with entry i
  /// of this one, whatever files and formats they are in. They are called `prefix.name` where there is a
  /// prefix. Of a friend with chosen columns those alone come. With `keys` the entry of the same values goes
  /// with each, as by ROOT's TTree::BuildIndex: the keys of both are read at once, and 8 bytes kept for each
  /// entry. Throws ConfigError: not as many entries; a name that is taken; a prefix that can't stand in
  /// formulas; a friend with filters or definitions; frames; keys that are no integers, that two of its
  /// entries have, or that none has; what reading throws.
  std::shared_ptr<const Dataset> with_friend(std::shared_ptr<const Dataset> other,
                                             const std::string& prefix = {},
                                             const FriendKeys& keys = {}) const;
  /// In the order in which they were joined.
  const std::vector<Friend>& friends() const { return friends_; }

  /// With a column more, whose values a formula gives (docs/expressions.md), and which formulas use as any
  /// other. Throws what formulas do, and ConfigError: a name that is taken, or can't stand in
  /// formulas.
  std::shared_ptr<const Dataset> define(const std::string& name, const std::string& formula) const;
  /// With a function that formulas may call. Throws ConfigError: a name that is taken, or can't stand in
  /// formulas.
  std::shared_ptr<const Dataset> with_function(std::shared_ptr<const UserFunction> function) const;
  /// The rows for which a formula is true, of those that pass the filters before. Throws what formulas do,
  /// and SchemaError: not true or false for each entry.
  std::shared_ptr<const Dataset> filter(const std::string& condition, const std::string& name = {}) const;
  /// So large a share of these rows, drawn one by one by seed and entry: the same rows each time. A filter.
  /// Throws ConfigError: not from 0 to 1.
  std::shared_ptr<const Dataset> sample(double fraction, uint64_t seed) const;
  /// In the order in which rows have to pass them.
  const std::vector<Filter>& filters() const { return filters_; }
  /// All filters as one formula; empty without.
  std::string condition() const;
  /// With these alone when all columns are asked for; formulas use the others all the same. Throws as
  /// `select`.
  std::shared_ptr<const Dataset> only(std::vector<std::string> columns) const;

  /// The columns that are read when all are asked for: those that can be, without members of records, unless
  /// others were chosen.
  std::vector<std::string> readable_columns() const;
  /// Those that were chosen.
  const std::optional<std::vector<std::string>>& chosen_columns() const { return chosen_; }

  /// Resolves names of columns that are no formulas. Throws SchemaError (unknown; with the nearest names),
  /// UnsupportedError.
  Selection select(const std::vector<std::string>& columns) const;

  /// The whole data set as units, in the order of files and entries.
  std::vector<Unit> units(const Selection& selection) const { return survey(selection).units; }
  /// The same with what metadata tell of the selected columns. Where there is little data, units `to_mix` are
  /// smaller, so that rows of many of them come together in a shuffle.
  Survey survey(const Selection& selection, bool to_mix = false) const;

  /// The entries in ranges, each of which takes about `bytes` to decode the stored columns that columns and
  /// formulas read, a unit at least; an empty one where there are none. Throws what formulas do.
  std::vector<EntryRange> pieces(const std::vector<std::string>& expressions, uint64_t bytes) const;

  /// The share of the units' decoded bytes that other units decode as well.
  double straddling(const std::vector<Unit>& units, const Selection& selection) const;

  /// Reads what is stored of the selected columns in one unit. Throws as `Reader::fetch`.
  FetchedUnit fetch(const Unit& unit, const Selection& selection, const std::shared_ptr<MemoryPool>& pool,
                    const std::stop_token& stop = {}) const;
  /// Decodes the `position`-th of the columns that were fetched; into `destination` when given (as
  /// `Reader::decode`).
  Column decode(const FetchedUnit& fetched, const Selection& selection, size_t position,
                const std::shared_ptr<MemoryPool>& pool, const Buffer& destination = {}) const;
  /// All columns that were fetched, whose stored bytes are freed. Throws CancelledError.
  std::vector<Column> decode(FetchedUnit& fetched, const Selection& selection,
                             const std::shared_ptr<MemoryPool>& pool, const std::stop_token& stop = {}) const;

  /// Columns and formulas over a range of entries (of the files), of the rows in it that pass the filters,
  /// decoded in parallel over units and columns.
  std::vector<Column> arrays(const std::vector<std::string>& columns,
                             const ArraysOptions& options = {}) const;

 private:
  static constexpr const char* kEntryColumn = "entry_";
  friend std::shared_ptr<const Dataset> open(std::vector<Sample> samples, const std::string& tree,
                                             std::vector<Default> defaults);
  explicit Dataset(std::shared_ptr<const Source> source);
  Column sample_column(const Selection::Place& column, const Unit& unit, Buffer values) const;

  std::shared_ptr<const Source> source_;
  Schema schema_;  // with the columns of samples and of definitions
  std::vector<Friend> friends_;
  std::vector<Filter> filters_;
  std::optional<std::vector<std::string>> chosen_;  // read when all columns are asked for
  std::vector<double> sample_weights_;              // per entry, of each sample
};

}  // namespace sapwood
