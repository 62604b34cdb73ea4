#include "sapwood/loader/read_columns.h"

#include <algorithm>

#include "sapwood/base/buffer.h"
#include "sapwood/base/error.h"
#include "sapwood/base/parallel.h"

namespace sapwood {

void read_columns(
    const Dataset& dataset, const std::vector<std::string>& columns, std::span<const size_t> files,
    double work_bytes, size_t threads, uint64_t memory,
    const std::function<void(const Unit&, std::vector<Column>, const std::shared_ptr<MemoryPool>&)>& visit) {
  const Selection selection = dataset.select(columns);
  std::vector<Unit> units = dataset.units(selection);
  if (!files.empty())
    std::erase_if(units, [&](const Unit& unit) { return !std::ranges::binary_search(files, unit.file); });
  uint64_t largest = 1;
  for (const Unit& unit : units) {
    const double work = work_bytes * static_cast<double>(unit.entries.size());
    largest = std::max(largest, unit.stored_bytes + 2 * unit.decoded_bytes + static_cast<uint64_t>(work));
  }
  threads = std::clamp<size_t>(memory / 2 / largest, 1, threads);
  const auto pool = std::make_shared<RecyclingPool>(memory / 2);
  parallel_for(units.size(), threads, [&](size_t u) {
    const Unit& unit = units[u];
    FetchedUnit fetched = dataset.fetch(unit, selection, pool);
    std::vector<Column> read = dataset.decode(fetched, selection, pool);
    with_context(fetched.context(), [&] { visit(unit, std::move(read), pool); });
  });
}

}  // namespace sapwood
