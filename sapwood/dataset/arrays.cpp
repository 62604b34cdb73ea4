#include <algorithm>
#include <utility>

#include "sapwood/base/parallel.h"
#include "sapwood/dataset/dataset.h"
#include "sapwood/dataset/row_reader.h"
#include "sapwood/dataset/work_memory.h"

namespace sapwood {
namespace {

constexpr size_t kUnitsAtOnce = 64;                    // fetched, since each keeps its file open
constexpr uint64_t kPieceBytes = uint64_t{256} << 10;  // decoded; stays in a core's own cache, as stored too

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

// An `arrays` call. Columns of fixed width are decoded where they stay; of the others each unit gives a part,
// and the parts are joined.
class ArraysJob {
 public:
  ArraysJob(const Dataset& dataset, const Selection& selection, std::vector<Unit> units)
      : dataset_(dataset), selection_(selection), units_(std::move(units)) {
    for (const Unit& unit : units_) {
      starts_.push_back(num_entries_);
      num_entries_ += unit.entries.size();
    }
    for (const Selection::Place& column : selection_.columns) {
      const size_t width = fixed_entry_size(column.type);
      if (width == 0) all_fixed_ = false;
      whole_.push_back(width == 0 ? Buffer{}
                                  : Buffer(width * static_cast<size_t>(num_entries_), result_pool_));
      parts_.emplace_back(width == 0 ? units_.size() : 0);
    }
  }

  std::vector<Column> run(size_t threads, const std::stop_token& stop) {
    const size_t num_columns = selection_.columns.size();
    std::vector<Column> result(num_columns);
    if (all_fixed_ && units_.size() >= threads) {
      // A thread decompresses what it has just read, while it is in its cache.
      const std::vector<Selection> pieces = pieces_of(dataset_, selection_, units_);
      const auto whole_unit = [&](size_t u) {
        size_t column = 0;
        for (const Selection& piece : pieces) {
          if (stop.stop_requested()) return;
          const FetchedUnit fetched = dataset_.fetch(units_[u], piece, work_.pool(), stop);
          for (size_t c = 0; c < piece.columns.size(); ++c) decode_in_place(u, fetched, piece, c, column++);
        }
      };
      parallel_for(units_.size(), threads, whole_unit, stop);
      for (size_t c = 0; c < num_columns; ++c) result[c] = join(c);
      return result;
    }
    const size_t at_once = std::max(kUnitsAtOnce, 4 * threads);
    for (size_t first = 0; first < units_.size(); first += at_once) {
      const size_t count = std::min(at_once, units_.size() - first);
      std::vector<FetchedUnit> fetched(count);
      parallel_for(
          count, threads,
          [&](size_t u) { fetched[u] = dataset_.fetch(units_[first + u], selection_, work_.pool(), stop); },
          stop);
      if (count == units_.size() && num_columns >= 2 * threads) {
        // The parts of one column are joined while they are in the cache; then the next takes their memory.
        const auto whole_column = [&](size_t c) {
          for (size_t u = 0; u < count; ++u) {
            if (stop.stop_requested()) return;
            decode(u, fetched[u], c);
          }
          result[c] = join(c);
        };
        parallel_for(num_columns, threads, whole_column, stop);
        return result;
      }
      const auto one_part = [&](size_t i) {
        decode(first + i / num_columns, fetched[i / num_columns], i % num_columns);
      };
      parallel_for(count * num_columns, threads, one_part, stop);
    }
    parallel_for(
        num_columns, threads, [&](size_t c) { result[c] = join(c); }, stop);
    return result;
  }

 private:
  void decode(size_t unit, const FetchedUnit& fetched, size_t column) {
    if (fixed_entry_size(selection_.columns[column].type) != 0) {
      return decode_in_place(unit, fetched, selection_, column, column);
    }
    parts_[column][unit] = dataset_.decode(fetched, selection_, column, work_.pool());
  }

  // Decodes the `position`-th column of what was fetched of `selection`, the `column`-th of the result.
  void decode_in_place(size_t unit, const FetchedUnit& fetched, const Selection& selection, size_t position,
                       size_t column) {
    const size_t width = fixed_entry_size(selection.columns[position].type);
    const auto start = static_cast<size_t>(starts_[unit]) * width;
    const auto size = static_cast<size_t>(units_[unit].entries.size()) * width;
    const Buffer destination = Buffer::wrap(whole_[column].data() + start, size, nullptr);
    dataset_.decode(fetched, selection, position, work_.pool(), destination);
  }

  Column join(size_t column) {
    const Type& type = selection_.columns[column].type;
    if (fixed_entry_size(type) != 0) return make_fixed_width_column(type, num_entries_, whole_[column]);
    const std::vector<Column> parts = std::move(parts_[column]);
    return concatenate(parts, result_pool_);
  }

  const Dataset& dataset_;
  const Selection& selection_;
  std::vector<Unit> units_;
  std::vector<int64_t> starts_;  // of each unit in the result
  int64_t num_entries_ = 0;
  bool all_fixed_ = true;
  WorkMemory work_;  // for what doesn't stay
  std::shared_ptr<MemoryPool> result_pool_ = result_pool();
  std::vector<Buffer> whole_;               // of columns of fixed width
  std::vector<std::vector<Column>> parts_;  // of the others: one for each unit
};

// Columns that formulas give, or of the rows that pass filters.
std::vector<Column> read_rows(const RowReader& rows, size_t num_columns, const std::vector<Unit>& units,
                              size_t threads, const std::stop_token& stop) {
  const WorkMemory work;
  std::vector<std::vector<std::vector<Column>>> blocks(units.size());  // of each unit: all columns of each
  parallel_for(
      units.size(), threads,
      [&](size_t u) {
        rows.read(units[u], work.pool(), stop,
                  [&](std::vector<Column> values) { blocks[u].push_back(std::move(values)); });
      },
      stop);
  std::vector<Column> result(num_columns);
  parallel_for(
      num_columns, threads,
      [&](size_t c) {
        std::vector<Column> parts;
        for (auto& of_unit : blocks) {
          for (std::vector<Column>& block : of_unit) parts.push_back(std::move(block[c]));
        }
        result[c] = concatenate(parts, result_pool());
      },
      stop);
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
