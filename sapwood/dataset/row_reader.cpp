#include "sapwood/dataset/row_reader.h"

#include <algorithm>
#include <iterator>

namespace sapwood {

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

std::vector<Column> RowReader::read(const Unit& unit, const std::shared_ptr<MemoryPool>& pool,
                                    const std::stop_token& stop) const {
  if (condition_.size() > 0) return read_filtered(unit, pool, stop);
  FetchedUnit fetched = dataset_.fetch(unit, rest_, pool, stop);
  std::vector<Column> columns = dataset_.decode(fetched, rest_, pool, stop);
  return with_context(fetched.context(), [&] { return evaluate(std::move(columns), pool); });
}

std::vector<Column> RowReader::read_filtered(const Unit& unit, const std::shared_ptr<MemoryPool>& pool,
                                             const std::stop_token& stop) const {
  const bool at_once = !dataset_.source().is_ordered();
  const Selection& read_first = at_once ? everything_ : first_;
  FetchedUnit fetched = dataset_.fetch(unit, read_first, pool, stop);
  std::vector<Column> columns = dataset_.decode(fetched, read_first, pool, stop);
  const ErrorContext context = fetched.context();
  const size_t of_condition = first_.columns.size();
  const auto middle = columns.begin() + static_cast<std::ptrdiff_t>(of_condition);
  const Column passes = with_context(context, [&] {
    return condition_.evaluate({columns.begin(), middle}, pool).front();
  });
  const std::span<const uint8_t> kept = passes.values.as<const uint8_t>();
  // Of the other columns what lies between the first row that passes and the last is read; where there is
  // none, no entry, of which the file says what empty columns look like.
  const auto is_kept = [](uint8_t pass) { return pass != 0; };
  const auto first = std::ranges::find_if(kept, is_kept);
  const auto last = std::find_if(kept.rbegin(), kept.rend(), is_kept).base();
  const auto before = at_once || first == kept.end() ? 0 : first - kept.begin();
  const auto length = at_once ? std::ssize(kept) : first == kept.end() ? 0 : last - first;
  Unit left = unit;
  left.entries.start = unit.entries.start + before;
  left.entries.stop = left.entries.start + length;
  if (!rest_.columns.empty() && !at_once) {
    fetched = dataset_.fetch(left, rest_, pool, stop);
    std::ranges::move(dataset_.decode(fetched, rest_, pool, stop), std::back_inserter(columns));
  }
  const auto kept_of_rest = kept.subspan(static_cast<size_t>(before), static_cast<size_t>(length));
  return with_context(context, [&] {
    const std::vector<EntryRange> ranges = kept_ranges(kept);
    const std::vector<EntryRange> of_rest = kept_ranges(kept_of_rest);
    std::vector<Column> inputs;
    for (const size_t place : inputs_)
      inputs.push_back(entries_of(columns[place], place < of_condition ? ranges : of_rest, pool));
    return evaluate(std::move(inputs), pool, kept);
  });
}

std::vector<Column> RowReader::evaluate(std::vector<Column> inputs, const std::shared_ptr<MemoryPool>& pool,
                                        std::span<const uint8_t> kept) const {
  const std::vector<Column> values = expressions_.evaluate(std::move(inputs), pool, kept);
  std::vector<Column> result;
  for (const size_t place : places_) result.push_back(values[place]);
  return result;
}

}  // namespace sapwood
