#include "sapwood/dataset/row_reader.h"

#include <algorithm>
#include <span>
#include <utility>

namespace sapwood {
namespace {

constexpr double kBlockBytes = 1 << 18;  // of a block's columns
constexpr int64_t kFewestRows = 64;      // of a block

// A column, and the entry of the unit with which it begins.
struct Input {
  const Column* column = nullptr;
  int64_t first_entry = 0;
};

// Entries of a unit, and where that begins in its file. Those of the unit that are kept, unless all are.
struct Rows {
  int64_t unit_start = 0;
  std::span<const uint8_t> kept{};
  std::span<const EntryRange> ranges{};
};

// As many as there are where nothing is computed.
int64_t rows_in_block(const ExpressionSet& expressions, std::span<const Input> inputs) {
  bool computes = false;
  for (size_t e = 0; e < expressions.size(); ++e) computes = computes || expressions.is_formula(e);
  if (!computes) return INT64_MAX;
  double bytes = 1;  // of a row
  for (const auto& [column, _] : inputs)
    bytes +=
        static_cast<double>(column->byte_size()) / static_cast<double>(std::max<int64_t>(1, column->length));
  return std::max(kFewestRows, static_cast<int64_t>(kBlockBytes / bytes));
}

// Cuts ranges into blocks of `most` entries; one block without any where there are none.
template <class Action>
void for_each_block(std::span<const EntryRange> ranges, int64_t most, Action action) {
  std::vector<EntryRange> block;
  int64_t rows = 0;
  const auto act = [&] {
    action(std::span<const EntryRange>(block));
    block.clear();
    rows = 0;
  };
  for (EntryRange range : ranges) {
    while (range.size() > 0) {
      const int64_t taken = std::min(range.size(), most - rows);
      block.push_back({range.start, range.start + taken});
      range.start += taken;
      rows += taken;
      if (rows == most) act();
    }
  }
  if (rows > 0 || std::ranges::all_of(ranges, [](EntryRange range) { return range.size() == 0; })) act();
}

// The rows in `ranges` of each; columns that share their offsets do so again.
std::vector<Column> rows_of(std::span<const Input> inputs, std::span<const EntryRange> ranges,
                            const std::shared_ptr<MemoryPool>& pool) {
  std::vector<Column> result;
  std::vector<EntryRange> shifted;
  for (const Input& input : inputs) {
    const Column& column = *input.column;
    if (ranges.size() == 1 && ranges[0].start == input.first_entry && ranges[0].size() == column.length) {
      result.push_back(column);
      continue;
    }
    shifted.assign(ranges.begin(), ranges.end());
    for (EntryRange& range : shifted)
      range = {range.start - input.first_entry, range.stop - input.first_entry};
    const auto other = std::ranges::find_if(inputs.first(result.size()), [&](const Input& before) {
      return !column.offsets.empty() && before.column->offsets.data() == column.offsets.data() &&
             before.first_entry == input.first_entry;
    });
    const Buffer offsets = other == inputs.begin() + std::ssize(result)
                               ? Buffer{}
                               : result[static_cast<size_t>(other - inputs.begin())].offsets;
    result.push_back(entries_of(column, shifted, pool, offsets));
  }
  return result;
}

template <class Use>
void evaluate_blocks(const ExpressionSet& expressions, std::span<const Input> inputs, const Rows& rows,
                     const std::shared_ptr<MemoryPool>& pool, Use use) {
  for_each_block(rows.ranges, rows_in_block(expressions, inputs), [&](std::span<const EntryRange> block) {
    const EntryRange around =
        block.empty() ? EntryRange{} : EntryRange{block.front().start, block.back().stop};
    const EntryRange entries{rows.unit_start + around.start, rows.unit_start + around.stop};
    std::span<const uint8_t> kept = rows.kept;
    if (!kept.empty())
      kept = kept.subspan(static_cast<size_t>(around.start), static_cast<size_t>(around.size()));
    use(with_context({.entries = entries},
                     [&] { return expressions.evaluate(rows_of(inputs, block, pool), pool, kept); }));
  });
}

}  // namespace

RowReader::RowReader(const Dataset& dataset, const std::vector<std::string>& expressions)
    : dataset_(dataset) {
  for (const std::string& expression : expressions)
    places_.push_back(expressions_.add(expression, dataset.schema()));
  if (expressions_.columns().empty()) throw ConfigError("the expressions read no column");
  if (!dataset.filters().empty()) condition_.add(dataset.condition(), dataset.schema());
  std::vector<std::string> columns = condition_.columns();
  const size_t of_condition = columns.size();
  for (const std::string& column : expressions_.columns()) {
    const auto found = std::ranges::find(columns, column);
    inputs_.push_back(static_cast<size_t>(found - columns.begin()));
    if (found == columns.end()) columns.push_back(column);
  }
  everything_ = dataset.select(columns);
  const auto middle = columns.begin() + static_cast<std::ptrdiff_t>(of_condition);
  first_ = dataset.select({columns.begin(), middle});
  rest_ = dataset.select({middle, columns.end()});
}

void RowReader::read(const Unit& unit, const std::shared_ptr<MemoryPool>& pool, const std::stop_token& stop,
                     const Use& use) const {
  FetchedUnit fetched;
  const auto read_columns = [&](const Unit& of, const Selection& selection) {
    fetched = dataset_.fetch(of, selection, pool, stop);
    return dataset_.decode(fetched, selection, pool, stop);
  };
  const auto use_values = [&](const std::vector<Column>& values) {
    std::vector<Column> result;
    for (const size_t place : places_) result.push_back(values[place]);
    use(std::move(result));
  };
  const EntryRange all{0, unit.entries.size()};
  if (condition_.size() == 0) {
    const std::vector<Column> columns = read_columns(unit, rest_);
    std::vector<Input> inputs;
    for (const size_t place : inputs_) inputs.push_back({&columns[place], 0});
    with_context(fetched.context(), [&] {
      evaluate_blocks(expressions_, inputs, {unit.entries.start, {}, {&all, 1}}, pool, use_values);
    });
    return;
  }
  const bool at_once = !dataset_.source().is_ordered();
  const std::vector<Column> first = read_columns(unit, at_once ? everything_ : first_);
  const ErrorContext context = fetched.context();
  const size_t of_condition = first_.columns.size();
  std::vector<Input> inputs;
  for (size_t c = 0; c < of_condition; ++c) inputs.push_back({&first[c], 0});
  std::vector<uint8_t> kept;
  with_context(context, [&] {
    evaluate_blocks(condition_, inputs, {unit.entries.start, {}, {&all, 1}}, pool,
                    [&](const std::vector<Column>& values) {
                      const auto passes = values.front().values.as<const uint8_t>();
                      kept.insert(kept.end(), passes.begin(), passes.end());
                    });
  });
  const std::vector<EntryRange> rows = kept_ranges(kept);
  // Of the other columns what lies between the first row that passes and the last is read; where there is
  // none, no entry, of which the file says what empty columns look like.
  const EntryRange around = rows.empty() ? EntryRange{} : EntryRange{rows.front().start, rows.back().stop};
  std::vector<Column> rest;
  if (!at_once && !rest_.columns.empty()) {
    Unit left = unit;
    left.entries = {unit.entries.start + around.start, unit.entries.start + around.stop};
    rest = read_columns(left, rest_);
  }
  inputs.clear();
  for (const size_t place : inputs_) {
    const bool is_first = place < first.size();
    inputs.push_back(is_first ? Input{&first[place], 0} : Input{&rest[place - first.size()], around.start});
  }
  with_context(context, [&] {
    evaluate_blocks(expressions_, inputs, {unit.entries.start, kept, rows}, pool, use_values);
  });
}

}  // namespace sapwood
