#include "sapwood/dataset/scan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "sapwood/base/parallel.h"
#include "sapwood/dataset/moments.h"
#include "sapwood/dataset/row_reader.h"
#include "sapwood/dataset/work_memory.h"
#include "sapwood/features/convert.h"
#include "sapwood/features/transform.h"

namespace sapwood {
namespace {

// What some rows say of an item.
struct Partial {
  int64_t rows = 0;
  Moments moments;
  int64_t max_multiplicity = 0;

  void add(const Column& column, const std::vector<Transform>& transforms);
  void merge(const Partial& other) {
    rows += other.rows;
    moments.merge(other.moments);
    max_multiplicity = std::max(max_multiplicity, other.max_multiplicity);
  }
};

// Where entry `entry` starts among the innermost values.
int64_t first_value(const Column& column, int64_t entry) {
  const Column* level = &column;
  for (; !level->type.is_primitive(); level = &level->item()) {
    entry = level->type.kind == TypeKind::kList ? level->offset_span()[static_cast<size_t>(entry)]
                                                : entry * level->type.fixed_size;
  }
  return entry;
}

int64_t most_values(const Column& column) {
  if (column.type.is_primitive()) return std::min<int64_t>(column.length, 1);
  int64_t most = 0;
  int64_t start = 0;
  for (int64_t entry = 0; entry < column.length; ++entry) {
    const int64_t stop = first_value(column, entry + 1);
    most = std::max(most, stop - start);
    start = stop;
  }
  return most;
}

void Partial::add(const Column& column, const std::vector<Transform>& transforms) {
  const Column* innermost = &column;
  while (!innermost->type.is_primitive()) innermost = &innermost->item();
  rows += column.length;
  max_multiplicity = std::max(max_multiplicity, most_values(column));
  const TypeKind kind = innermost->type.kind;
  const auto count = static_cast<size_t>(innermost->length);
  std::array<double, kTransformTile> tile;
  for (size_t done = 0; done < count; done += kTransformTile) {
    const auto values = std::span(tile).first(std::min(kTransformTile, count - done));
    transform_values(innermost->values.data() + done * primitive_size(kind), kind, 1, transforms,
                     std::as_writable_bytes(values).data(), DType::kFloat64, values.size());
    moments.add(values);
  }
}

class Scan {
 public:
  Scan(const Dataset& dataset, const std::vector<ScanItem>& items)
      : items_(items), rows_(dataset, expressions_of(items)) {
    for (size_t i = 0; i < items.size(); ++i) {
      if (innermost_type(rows_.type(i)).is_primitive()) continue;
      throw SchemaError(concat("the column is a ", rows_.type(i).to_string(), ", where numbers are wanted"),
                        {.column = items[i].expression});
    }
  }

  std::vector<Statistics> run(const ScanOptions& options) {
    const std::vector<Unit> units = rows_.units();
    std::vector<std::vector<Partial>> partials(units.size());
    const size_t threads = options.threads == 0 ? available_threads() : options.threads;
    parallel_for(
        units.size(), threads, [&](size_t u) { partials[u] = scan_unit(units[u], options.stop); },
        options.stop);
    std::vector<Statistics> result;
    for (size_t i = 0; i < items_.size(); ++i) {
      Partial whole;
      for (const std::vector<Partial>& part : partials) whole.merge(part[i]);
      result.push_back(statistics(i, whole));
    }
    return result;
  }

 private:
  std::vector<Partial> scan_unit(const Unit& unit, const std::stop_token& stop) const {
    std::vector<Partial> partials(items_.size());
    rows_.read(unit, work_.pool(), stop, [&](const std::vector<Column>& values) {
      for (size_t i = 0; i < items_.size(); ++i) partials[i].add(values[i], items_[i].transforms);
    });
    return partials;
  }

  Statistics statistics(size_t item, const Partial& whole) const {
    const Moments& moments = whole.moments;
    Statistics result;
    result.expression = items_[item].expression;
    result.entries = whole.rows;
    result.values = moments.values;
    result.nans = moments.nans;
    result.max_multiplicity = whole.max_multiplicity;
    if (moments.values == 0) return result;
    result.min = moments.min;
    result.max = moments.max;
    result.mean = moments.mean;
    result.standard_deviation = std::sqrt(moments.squares / static_cast<double>(moments.values));
    if (std::isinf(moments.min) || std::isinf(moments.max)) {
      result.mean = moments.min + moments.max;  // the infinity, or NaN where there are both
      result.standard_deviation = std::numeric_limits<double>::quiet_NaN();
    }
    return result;
  }

  static std::vector<std::string> expressions_of(const std::vector<ScanItem>& items) {
    std::vector<std::string> expressions;
    for (const ScanItem& item : items) expressions.push_back(item.expression);
    return expressions;
  }

  const std::vector<ScanItem>& items_;
  const RowReader rows_;
  WorkMemory work_;
};

}  // namespace

std::vector<Statistics> scan(const Dataset& dataset, const std::vector<ScanItem>& items,
                             const ScanOptions& options) {
  if (items.empty()) return {};
  return Scan(dataset, items).run(options);
}

std::vector<Statistics> scan(const Dataset& dataset, const std::vector<std::string>& expressions,
                             const ScanOptions& options) {
  std::vector<ScanItem> items;
  for (const std::string& expression : expressions) items.push_back({expression});
  return scan(dataset, items, options);
}

}  // namespace sapwood
