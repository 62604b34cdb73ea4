#include "sapwood/dataset/cut_flow.h"

#include "sapwood/base/parallel.h"
#include "sapwood/dataset/work_memory.h"
#include "sapwood/features/expression_set.h"

namespace sapwood {
namespace {

// Rows that pass each filter and all before it.
std::vector<int64_t> count_passing(const std::vector<Column>& passes) {
  std::vector<uint8_t> left(static_cast<size_t>(passes.front().length), 1);
  std::vector<int64_t> counts;
  for (const Column& column : passes) {
    const auto pass = column.values.as<const uint8_t>();
    int64_t count = 0;
    for (size_t i = 0; i < left.size(); ++i) {
      if (pass[i] == 0) left[i] = 0;
      count += left[i];
    }
    counts.push_back(count);
  }
  return counts;
}

}  // namespace

std::vector<Cut> cut_flow(const Dataset& dataset, const ScanOptions& options) {
  std::vector<Cut> cuts;
  if (dataset.filters().empty()) return cuts;
  ExpressionSet conditions;
  std::vector<size_t> places;  // a condition may be given twice
  for (const Filter& filter : dataset.filters())
    places.push_back(conditions.add(filter.condition, dataset.schema()));
  const Selection selection = dataset.select(conditions.columns());
  const std::vector<Unit> units = dataset.units(selection);
  const WorkMemory work;
  const std::shared_ptr<MemoryPool>& pool = work.pool();
  std::vector<std::vector<int64_t>> counts(units.size());
  const auto count_unit = [&](size_t u) {
    FetchedUnit fetched = dataset.fetch(units[u], selection, pool, options.stop);
    std::vector<Column> columns = dataset.decode(fetched, selection, pool, options.stop);
    with_context(fetched.context(), [&] {
      const std::vector<Column> values = conditions.evaluate(std::move(columns), pool);
      std::vector<Column> passes;
      for (const size_t place : places) passes.push_back(values[place]);
      counts[u] = count_passing(passes);
    });
  };
  const size_t threads = options.threads == 0 ? available_threads() : options.threads;
  parallel_for(units.size(), threads, count_unit, options.stop);
  int64_t before = dataset.num_entries();
  for (size_t f = 0; f < places.size(); ++f) {
    int64_t after = 0;
    for (const std::vector<int64_t>& of_unit : counts) after += of_unit[f];
    cuts.push_back({dataset.filters()[f].name, before, after});
    before = after;
  }
  return cuts;
}

}  // namespace sapwood
