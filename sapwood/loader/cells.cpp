#include "sapwood/loader/cells.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <mutex>
#include <unordered_map>

#include "sapwood/base/error.h"
#include "sapwood/base/hash.h"
#include "sapwood/base/parallel.h"
#include "sapwood/expr/expression.h"
#include "sapwood/features/convert.h"
#include "sapwood/loader/read_columns.h"

namespace sapwood {
namespace {

constexpr size_t kTile = 512;           // entries that are converted together
constexpr double kWholeBelow = 0x1p53;  // beyond it floating numbers are no longer next to each other

size_t place_of(ExpressionSet& expressions, const std::string& text, const Schema& schema) {
  const size_t place = expressions.add(text, schema);
  const Type& type = expressions.type(place);
  if (!type.is_primitive())
    throw SchemaError(point_at_result(
        text, concat("the value is ", type.to_string(), ", must be one number for each entry")));
  return place;
}

// Calls visit(first, values) for `values` of type Value, tile by tile.
template <class Value, class Visit>
void for_tiles(const Column& column, DType dtype, const Visit& visit) {
  std::array<Value, kTile> values;
  const auto length = static_cast<size_t>(column.length);
  for (size_t first = 0; first < length; first += kTile) {
    const size_t count = std::min(kTile, length - first);
    convert_values(column.values.data() + first * primitive_size(column.type.kind), column.type.kind, 1,
                   std::as_writable_bytes(std::span(values)).data(), dtype, count);
    visit(first, std::span<const Value>(values).first(count));
  }
}

}  // namespace

Cells::Cells(const Balance& balance, CellSource source, size_t threads, uint64_t memory)
    : source_(std::move(source)) {
  const Schema& schema = source_.dataset->schema();
  if (!balance.by.empty()) by_ = place_of(expressions_, balance.by, schema);
  for (const auto& [value, edges] : balance.bins) {
    axes_.push_back({place_of(expressions_, value, schema), edges});
    bins_ *= std::min(edges.size() - 1, kMostCells + 1);
    if (bins_ > kMostCells) throw ConfigError(concat("bins: more than ", kMostCells, " in all"));
  }
  if (!by_) {
    for (const Sample& sample : source_.dataset->source().samples()) classes_.push_back(sample.label);
    if (classes_.size() * bins_ > kMostCells)
      throw ConfigError(concat("samples and bins make more than ", kMostCells, " cells"));
  }
  if (expressions_.size() > 0 && expressions_.columns().empty())
    throw ConfigError("the values to balance by read no column");
  columns_ = expressions_.columns();
  for (const DivisionPart& divided : source_.divisions)
    division_columns_.push_back(add_columns(columns_, divided.division->columns()));
  count(threads, memory);
}

void Cells::count(size_t threads, uint64_t memory) {
  const std::vector<Unit>& units = *source_.units;
  RowsOfCodes rows_of(units.size());
  const std::vector<FileInfo>& files = source_.dataset->source().files();
  uint64_t entries = 0;
  for (const Unit& unit : units) entries += static_cast<uint64_t>(unit.entries.size());
  if (!each_unit_has_one() && entries * sizeof(uint16_t) <= memory / 4) {
    kept_.resize(files.size());
    for (const size_t file : source_.files) kept_[file].resize(static_cast<size_t>(files[file].num_entries));
  }

  std::mutex mutex;
  std::map<int64_t, size_t> found;  // numbers of classes as they come
  const ClassNumber number_of = [&](int64_t value) {
    const std::lock_guard lock(mutex);
    const size_t number = found.try_emplace(value, found.size()).first->second;
    if (found.size() * bins_ > kMostCells)
      throw ConfigError(concat("'", expressions_.text(*by_), "' has more than ", kMostCells / bins_,
                               " different values; classes and bins make at most ", kMostCells, " cells"));
    return number;
  };
  const auto add = [&](const Unit& read, const std::vector<uint16_t>& codes, int64_t outside) {
    if (codes.empty()) return;
    if (!kept_.empty()) std::ranges::copy(codes, kept_[read.file].begin() + read.entries.start);
    const auto before = [&](const Unit& unit) {
      return unit.file != read.file ? unit.file < read.file : unit.entries.stop <= read.entries.start;
    };
    std::vector<int64_t> counts(*std::ranges::max_element(codes) + size_t{1});
    for (auto unit = std::ranges::partition_point(units, before);
         unit != units.end() && unit->file == read.file && unit->entries.start < read.entries.stop; ++unit) {
      std::ranges::fill(counts, 0);
      const int64_t stop = std::min(unit->entries.stop, read.entries.stop);
      for (int64_t entry = std::max(unit->entries.start, read.entries.start); entry < stop; ++entry)
        ++counts[codes[static_cast<size_t>(entry - read.entries.start)]];
      const std::lock_guard lock(mutex);
      for (size_t code = 1; code < counts.size(); ++code) {
        if (counts[code] > 0) rows_of[static_cast<size_t>(unit - units.begin())][code] += counts[code];
      }
    }
    const std::lock_guard lock(mutex);
    outside_ += outside;
  };
  const auto visit = [&](const Unit& unit, const std::vector<Column>& columns,
                         const std::shared_ptr<MemoryPool>& pool) {
    int64_t outside = 0;
    const std::vector<uint16_t> codes = codes_of(unit, columns, pool, number_of, outside);
    add(unit, codes, outside);
  };
  if (each_unit_has_one()) {
    for (size_t u = 0; u < units.size(); ++u)
      rows_of[u][files[units[u].file].sample + 1] = units[u].entries.size();
  } else if (columns_.empty()) {
    parallel_for(units.size(), threads, [&](size_t u) { visit(units[u], {}, heap_pool()); });
  } else {
    read_columns(*source_.dataset, columns_, source_.files, work_bytes(), threads, memory, visit);
  }

  settle(found, rows_of, threads);
}

// Puts the classes in ascending order, whichever came first, and numbers the rows.
void Cells::settle(const std::map<int64_t, size_t>& found, const RowsOfCodes& rows_of, size_t threads) {
  std::vector<size_t> place_of_number(found.size());
  for (const auto& [value, number] : found) {
    place_of_number[number] = values_.size();
    values_.push_back(value);
    classes_.push_back(std::to_string(value));
  }
  const auto settled = [&](size_t code) {
    return code == 0 || !by_ ? code : place_of_number[(code - 1) / bins_] * bins_ + (code - 1) % bins_ + 1;
  };
  parallel_for(kept_.size(), threads, [&](size_t file) {
    for (uint16_t& code : kept_[file]) code = static_cast<uint16_t>(settled(code));
  });
  rows_.resize(classes_.size() * bins_);
  for (const auto& of_unit : rows_of) {
    std::vector<Run>& runs = runs_.emplace_back();
    for (const auto& [code, rows] : of_unit) {
      const size_t cell = settled(code) - 1;
      runs.push_back({cell, rows_[cell], rows});
      rows_[cell] += rows;
    }
  }
}

std::vector<uint16_t> Cells::codes_of(const Unit& unit, const std::vector<Column>& columns,
                                      const std::shared_ptr<MemoryPool>& pool, const ClassNumber& number_of,
                                      int64_t& outside) const {
  const auto length = static_cast<size_t>(unit.entries.size());
  std::vector<uint16_t> codes(length, 1);
  const std::vector<uint8_t> in_parts = rows_in_parts(source_.divisions, division_columns_, columns, pool);
  for (size_t i = 0; i < in_parts.size(); ++i) codes[i] = in_parts[i];
  for (size_t i = 0; !source_.part.everything() && i < length; ++i) {
    if (!in_part(source_.part, *source_.split, unit.file, unit.entries.start + static_cast<int64_t>(i)))
      codes[i] = 0;
  }
  std::vector<Column> values;
  if (expressions_.size() > 0) {
    const auto end = columns.begin() + static_cast<std::ptrdiff_t>(expressions_.columns().size());
    values = expressions_.evaluate({columns.begin(), end}, pool);
  }
  const auto in_cells = [&] { return static_cast<int64_t>(length) - std::ranges::count(codes, 0); };
  if (by_) {
    classify(values[*by_], number_of, codes);
  } else {
    const size_t sample = source_.dataset->source().files()[unit.file].sample;
    for (uint16_t& code : codes) code = static_cast<uint16_t>(code == 0 ? 0 : sample + 1);
  }
  const int64_t before = in_cells();
  for (const Axis& axis : axes_) bin(values[axis.place], axis.edges, codes);
  outside = before - in_cells();
  return codes;
}

// Codes of classes, of rows that come.
void Cells::classify(const Column& column, const ClassNumber& number_of, std::span<uint16_t> codes) const {
  std::unordered_map<int64_t, uint16_t> known;
  const auto code_of = [&](int64_t value) {
    const auto [at, is_new] = known.try_emplace(value, uint16_t{0});
    if (is_new) at->second = static_cast<uint16_t>(number_of(value) + 1);
    return at->second;
  };
  const auto refuse = [&](const auto value) {
    throw ConfigError(concat("'", expressions_.text(*by_), "' is ", value,
                             ": classes are whole numbers, of 64 bits with a sign"));
  };
  if (column.type.is_floating()) {
    for_tiles<double>(column, DType::kFloat64, [&](size_t first, std::span<const double> values) {
      for (size_t i = 0; i < values.size(); ++i) {
        if (codes[first + i] == 0) continue;
        if (!(std::abs(values[i]) <= kWholeBelow) || std::floor(values[i]) != values[i]) refuse(values[i]);
        codes[first + i] = code_of(static_cast<int64_t>(values[i]));
      }
    });
    return;
  }
  for_tiles<int64_t>(column, DType::kInt64, [&](size_t first, std::span<const int64_t> values) {
    for (size_t i = 0; i < values.size(); ++i) {
      if (codes[first + i] == 0) continue;
      if (column.type.kind == TypeKind::kUInt64 && (values[i] < 0 || values[i] == INT64_MAX))
        refuse("too large");
      codes[first + i] = code_of(values[i]);
    }
  });
}

// From codes of cells to those of cells with one axis more.
void Cells::bin(const Column& column, const std::vector<double>& edges, std::span<uint16_t> codes) {
  const size_t bins = edges.size() - 1;
  for_tiles<double>(column, DType::kFloat64, [&](size_t first, std::span<const double> values) {
    for (size_t i = 0; i < values.size(); ++i) {
      uint16_t& code = codes[first + i];
      if (code == 0) continue;
      const bool inside = values[i] >= edges.front() && values[i] <= edges.back();
      const auto above = static_cast<size_t>(std::ranges::upper_bound(edges, values[i]) - edges.begin());
      code = static_cast<uint16_t>(inside ? (code - 1u) * bins + std::min(above, bins) : 0);
    }
  });
}

Cells::Codes Cells::codes(size_t unit) const {
  const Unit& of = (*source_.units)[unit];
  Codes codes;
  if (each_unit_has_one()) {
    codes.of_all_ = source_.dataset->source().files()[of.file].sample + 1;
  } else if (!kept_.empty()) {
    codes.each_ = std::span(kept_[of.file])
                      .subspan(static_cast<size_t>(of.entries.start), static_cast<size_t>(of.entries.size()));
  } else {
    const ClassNumber number_of = [this](int64_t value) {
      const auto found = std::ranges::lower_bound(values_, value);
      if (found == values_.end() || *found != value)
        throw IoError(concat("class ", value, " was not there before: did the files change?"));
      return static_cast<size_t>(found - values_.begin());
    };
    int64_t outside = 0;
    std::vector<Column> columns;
    if (!columns_.empty()) {
      const Selection selection = source_.dataset->select(columns_);
      FetchedUnit fetched = source_.dataset->fetch(of, selection, heap_pool());
      columns = source_.dataset->decode(fetched, selection, heap_pool());
    }
    codes.read_ = codes_of(of, columns, heap_pool(), number_of, outside);
    codes.each_ = codes.read_;
  }
  return codes;
}

uint64_t Cells::kept_bytes() const {
  uint64_t bytes = 0;
  for (const std::vector<uint16_t>& of_file : kept_) bytes += of_file.size() * sizeof(uint16_t);
  return bytes;
}

double Cells::work_bytes() const {
  const std::vector<double> ones(columns_.size(), 1);
  double bytes = sizeof(uint16_t);
  if (expressions_.size() > 0) bytes += expressions_.formula_bytes(ones);
  for (const DivisionPart& divided : source_.divisions) bytes += divided.division->work_bytes();
  return bytes;
}

double Cells::code_bytes() const {
  return are_kept() ? 0 : work_bytes() + 16 * static_cast<double>(columns_.size());
}

uint64_t Cells::identity() const {
  std::string text;
  for (size_t e = 0; e < expressions_.size(); ++e) text += concat(expressions_.text(e), '\n');
  text += concat(by_.has_value(), ' ', axes_.size());
  std::vector<uint64_t> numbers{xxh3_64(std::as_bytes(std::span(text)))};
  for (const Axis& axis : axes_) {
    numbers.push_back(axis.place);
    for (const double edge : axis.edges) numbers.push_back(std::bit_cast<uint64_t>(edge));
  }
  for (const DivisionPart& divided : source_.divisions) {
    numbers.push_back(divided.division->identity());
    for (size_t p = 0; p < divided.parts.size(); ++p) numbers.push_back(divided.parts[p] ? 1 : 0);
  }
  return xxh3_64(std::as_bytes(std::span(numbers)));
}

}  // namespace sapwood
