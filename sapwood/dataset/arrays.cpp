#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <utility>

#include "sapwood/base/parallel.h"
#include "sapwood/column/joiner.h"
#include "sapwood/dataset/dataset.h"
#include "sapwood/dataset/row_reader.h"
#include "sapwood/dataset/work_memory.h"

namespace sapwood {
namespace {

constexpr uint64_t kPieceBytes = uint64_t{512} << 10;  // decoded; stays in a core's own cache, as stored too

// Units cut to a range of entries counted over the whole source.
std::vector<Unit> units_within(const std::vector<Unit>& units, const Source& source, EntryRange range) {
  std::vector<Unit> result;
  for (Unit unit : units) {
    const int64_t first = source.files()[unit.file].first_entry;
    unit.entries.start = std::max(unit.entries.start, range.start - first);
    unit.entries.stop = std::min(unit.entries.stop, range.stop - first);
    if (unit.entries.size() > 0) result.push_back(unit);
  }
  return result;
}

// A selection in runs of columns that make about `kPieceBytes` each in a mean unit.
std::vector<Selection> pieces_of(const Dataset& dataset, const Selection& selection,
                                 const std::vector<Unit>& units) {
  uint64_t bytes = 0;
  for (const Unit& unit : units) bytes += unit.decoded_bytes;
  const size_t num_columns = selection.columns.size();
  const uint64_t column_bytes = bytes / std::max<uint64_t>(1, units.size() * num_columns);
  const size_t step = std::max<uint64_t>(1, kPieceBytes / std::max<uint64_t>(1, column_bytes));
  std::vector<Selection> pieces;
  for (size_t first = 0; first < num_columns; first += std::min(step, num_columns)) {
    std::vector<std::string> names;
    for (size_t c = first; c < num_columns && c - first < step; ++c)
      names.push_back(selection.columns[c].name);
    pieces.push_back(dataset.select(names));
  }
  return pieces;
}

// How much has come when each unit has, of the bytes of all.
std::vector<double> shares_of(const std::vector<Unit>& units) {
  std::vector<double> shares;
  double bytes = 0;
  for (const Unit& unit : units) shares.push_back(bytes += static_cast<double>(unit.decoded_bytes) + 1);
  for (double& share : shares) share /= bytes;
  return shares;
}

// A column of which threads give the parts unit by unit, whichever is done first, and which are joined in
// order.
class JoinedColumn {
 public:
  JoinedColumn(const std::vector<double>& shares, std::shared_ptr<MemoryPool> pool)
      : shares_(shares), joiner_(std::move(pool)) {}

  // `parts` of one unit, of which the first has one at least. They need not stay.
  void add(size_t unit, std::vector<Column> parts) {
    std::unique_lock lock(mutex_);
    waiting_.emplace(unit, std::move(parts));
    if (joining_) return;
    joining_ = true;
    while (!waiting_.empty() && waiting_.begin()->first == next_) {
      const std::vector<Column> now = std::move(waiting_.extract(waiting_.begin()).mapped());
      const double before = next_ == 0 ? 0 : shares_[next_ - 1];
      const double share = shares_[next_++] - before;
      lock.unlock();
      int64_t rows = 0;
      for (const Column& part : now) rows += part.length;
      int64_t joined = 0;
      for (const Column& part : now) {
        joined += part.length;
        const double of_unit = rows == 0 ? 1 : static_cast<double>(joined) / static_cast<double>(rows);
        joiner_.append(part, before + share * of_unit);
      }
      lock.lock();
    }
    joining_ = false;
  }

  Column finish() { return joiner_.finish(); }

 private:
  const std::vector<double>& shares_;
  ColumnJoiner joiner_;
  std::mutex mutex_;
  bool joining_ = false;  // a thread
  size_t next_ = 0;       // unit to be joined
  std::map<size_t, std::vector<Column>> waiting_;
};

// An `arrays` call. Columns of fixed width are decoded where they stay; of the others each unit gives a part,
// and the parts are joined. A thread decompresses what it has just read, and joins what it has just decoded,
// while they are in its cache.
class ArraysJob {
 public:
  ArraysJob(const Dataset& dataset, const Selection& selection, std::vector<Unit> units)
      : dataset_(dataset),
        selection_(selection),
        units_(std::move(units)),
        shares_(shares_of(units_)),
        pieces_(pieces_of(dataset, selection, units_)) {
    for (const Unit& unit : units_) {
      starts_.push_back(num_entries_);
      num_entries_ += unit.entries.size();
    }
    for (const Selection::Place& column : selection_.columns) {
      const size_t width = fixed_entry_size(column.type);
      whole_.push_back(width == 0 ? Buffer{}
                                  : Buffer(width * static_cast<size_t>(num_entries_), result_pool_));
      joined_.emplace_back(shares_, result_pool_);
    }
    size_t first = 0;
    for (const Selection& piece : pieces_) {
      piece_starts_.push_back(first);
      first += piece.columns.size();
    }
  }

  std::vector<Column> run(size_t threads, const std::stop_token& stop) {
    const auto piece_of_unit = [&](size_t i) {
      const size_t unit = i / pieces_.size();
      const Selection& piece = pieces_[i % pieces_.size()];
      const FetchedUnit fetched = dataset_.fetch(units_[unit], piece, work_.pool(), stop);
      for (size_t c = 0; c < piece.columns.size() && !stop.stop_requested(); ++c)
        decode(unit, fetched, piece, c, piece_starts_[i % pieces_.size()] + c);
    };
    parallel_for(units_.size() * pieces_.size(), threads, piece_of_unit, stop);
    std::vector<Column> result;
    for (size_t c = 0; c < selection_.columns.size(); ++c) {
      const Type& type = selection_.columns[c].type;
      result.push_back(fixed_entry_size(type) == 0 ? joined_[c].finish()
                                                   : make_fixed_width_column(type, num_entries_, whole_[c]));
    }
    return result;
  }

 private:
  // Decodes the `position`-th column of what was fetched of `piece`, the `column`-th of the result.
  void decode(size_t unit, const FetchedUnit& fetched, const Selection& piece, size_t position,
              size_t column) {
    const size_t width = fixed_entry_size(piece.columns[position].type);
    if (width == 0) {
      joined_[column].add(unit, {dataset_.decode(fetched, piece, position, work_.pool())});
      return;
    }
    const auto start = static_cast<size_t>(starts_[unit]) * width;
    const auto size = static_cast<size_t>(units_[unit].entries.size()) * width;
    const Buffer destination = Buffer::wrap(whole_[column].data() + start, size, nullptr);
    dataset_.decode(fetched, piece, position, work_.pool(), destination);
  }

  const Dataset& dataset_;
  const Selection& selection_;
  std::vector<Unit> units_;
  std::vector<double> shares_;  // see `shares_of`
  std::vector<Selection> pieces_;
  std::vector<size_t> piece_starts_;  // the first column of each
  std::vector<int64_t> starts_;       // of each unit in the result
  int64_t num_entries_ = 0;
  WorkMemory work_;  // for what doesn't stay
  std::shared_ptr<MemoryPool> result_pool_ = result_pool();
  std::vector<Buffer> whole_;        // of columns of fixed width
  std::deque<JoinedColumn> joined_;  // of the others
};

// Columns that formulas give, or of the rows that pass filters.
std::vector<Column> read_rows(const RowReader& rows, size_t num_columns, const std::vector<Unit>& units,
                              size_t threads, const std::stop_token& stop) {
  const WorkMemory work;
  const std::vector<double> shares = shares_of(units);
  std::deque<JoinedColumn> joined;
  for (size_t c = 0; c < num_columns; ++c) joined.emplace_back(shares, result_pool());
  parallel_for(
      units.size(), threads,
      [&](size_t u) {
        std::vector<std::vector<Column>> blocks(num_columns);  // of each column
        rows.read(units[u], work.pool(), stop, [&](std::vector<Column> values) {
          for (size_t c = 0; c < num_columns; ++c) blocks[c].push_back(std::move(values[c]));
        });
        for (size_t c = 0; c < num_columns; ++c) joined[c].add(u, std::move(blocks[c]));
      },
      stop);
  std::vector<Column> result;
  for (JoinedColumn& column : joined) result.push_back(column.finish());
  return result;
}

}  // namespace

std::vector<Column> Dataset::arrays(const std::vector<std::string>& columns,
                                    const ArraysOptions& options) const {
  const size_t threads = options.threads == 0 ? available_threads() : options.threads;
  EntryRange range = options.entries.value_or(EntryRange{0, num_entries()});
  if (range.start < 0 || range.stop < range.start) {
    throw ConfigError(concat("entries ", range.start, "..", range.stop, " are no range"));
  }
  range.stop = std::min(range.stop, num_entries());
  range.start = std::min(range.start, range.stop);
  // Without entries the first file still says what empty columns look like.
  const auto in_range = [&](const std::vector<Unit>& all) {
    std::vector<Unit> units = units_within(all, *source_, range);
    if (units.empty()) units.push_back(Unit{});
    return units;
  };
  const auto is_stored = [&](const std::string& column) {
    const auto place = schema_.find(column);
    return place && schema_[*place].definition.empty();
  };
  if (filters_.empty() && std::ranges::all_of(columns, is_stored)) {
    const Selection selection = select(columns);
    return ArraysJob(*this, selection, in_range(units(selection))).run(threads, options.stop);
  }
  const RowReader rows(*this, columns);
  return read_rows(rows, columns.size(), in_range(rows.units()), threads, options.stop);
}

}  // namespace sapwood
