#include "sapwood/loader/division.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "sapwood/base/hash.h"
#include "sapwood/base/random.h"
#include "sapwood/expr/expression.h"
#include "sapwood/features/convert.h"
#include "sapwood/loader/read_columns.h"

namespace sapwood {
namespace {

constexpr size_t kTile = 512;  // entries that are hashed together

// The 8 bytes that are hashed of values [start, start + bits.size()).
void hashed_bits(const Column& column, size_t start, std::span<uint64_t> bits) {
  const TypeKind kind = column.type.kind;
  const size_t size = primitive_size(kind);
  const std::byte* in = column.values.data() + start * size;
  if (kind == TypeKind::kUInt64) {  // half of them are no int64
    std::memcpy(bits.data(), in, bits.size_bytes());
    return;
  }
  const bool floating = kind == TypeKind::kFloat32 || kind == TypeKind::kFloat64;
  convert_values(in, kind, 1, std::as_writable_bytes(bits).data(), floating ? DType::kFloat64 : DType::kInt64,
                 bits.size());
}

}  // namespace

std::shared_ptr<const Division> Division::by_conditions(const Schema& schema,
                                                        const std::vector<std::string>& conditions) {
  if (conditions.empty() || conditions.size() >= kMostParts)
    throw ConfigError(concat(conditions.size(), " conditions, must be 1 to ", kMostParts - 1));
  std::shared_ptr<Division> division(new Division(Kind::kConditions));
  for (const std::string& condition : conditions) {
    if (std::ranges::count(conditions, condition) > 1)
      throw ConfigError(concat("the condition '", condition, "' is given twice"));
    const size_t place = division->expressions_.add(condition, schema);
    const Type& type = division->expressions_.type(place);
    if (type.kind != TypeKind::kBool) {
      throw SchemaError(point_at_result(
          condition, concat("the condition is ", type.to_string(), ", must be bool for each entry")));
    }
  }
  if (division->columns().empty()) throw ConfigError("the conditions read no column");
  return division;
}

std::shared_ptr<const Division> Division::by_values(const Schema& schema,
                                                    const std::vector<std::string>& values,
                                                    const std::vector<double>& fractions, uint64_t seed) {
  if (fractions.size() > kMostParts)
    throw ConfigError(concat(fractions.size(), " parts, must be at most ", kMostParts));
  std::shared_ptr<Division> division(new Division(Kind::kValues));
  for (const std::string& value : values) {
    const size_t place = division->expressions_.add(value, schema);
    const Type& type = division->expressions_.type(place);
    if (!type.is_primitive()) {
      throw SchemaError(point_at_result(
          value, concat("the value is ", type.to_string(), ", must be one number for each entry")));
    }
  }
  if (division->columns().empty()) throw ConfigError("the values to divide by read no column");
  division->seed_ = seed;
  double end = 0;
  for (const double fraction : fractions) division->ends_.push_back(end += fraction);
  if (end > 1 - 1e-9) division->ends_.back() = 1;
  return division;
}

double Division::share(const Parts& parts) const {
  if (kind_ == Kind::kConditions) return 1;
  double sum = 0;
  double start = 0;
  for (size_t p = 0; p < ends_.size(); start = ends_[p++]) sum += parts[p] ? ends_[p] - start : 0;
  return sum;
}

uint64_t Division::identity() const {
  std::string text = concat(static_cast<int>(kind_), ' ', seed_);
  for (size_t e = 0; e < expressions_.size(); ++e) text += concat('\n', expressions_.text(e));
  for (const auto& [name, formula] : expressions_.definitions()) text += concat('\n', name, '=', formula);
  for (const double end : ends_) text += concat(' ', std::bit_cast<uint64_t>(end));
  return xxh3_64(std::as_bytes(std::span(text)));
}

std::vector<uint8_t> Division::parts_of(std::vector<Column> columns,
                                        const std::shared_ptr<MemoryPool>& pool) const {
  const std::vector<Column> values = expressions_.evaluate(std::move(columns), pool);
  const auto length = static_cast<size_t>(values.front().length);
  std::vector<uint8_t> parts(length);
  if (kind_ == Kind::kConditions) {
    for (size_t c = values.size(); c-- > 0;) {
      const auto is_true = values[c].values.as<const uint8_t>();
      for (size_t i = 0; i < length; ++i) {
        if (is_true[i] != 0) parts[i] = static_cast<uint8_t>(c + 1);
      }
    }
    return parts;
  }
  const size_t words = values.size() + 1;
  std::vector<uint64_t> rows(kTile * words, seed_);
  std::array<uint64_t, kTile> bits;
  for (size_t start = 0; start < length; start += kTile) {
    const size_t count = std::min(kTile, length - start);
    for (size_t v = 0; v < values.size(); ++v) {
      hashed_bits(values[v], start, std::span(bits).first(count));
      for (size_t i = 0; i < count; ++i) rows[i * words + v + 1] = bits[i];
    }
    for (size_t i = 0; i < count; ++i) {
      const uint64_t hash = xxh3_64(std::as_bytes(std::span(rows).subspan(i * words, words)));
      const double place = uniform_from_bits(static_cast<uint32_t>(hash >> 32), static_cast<uint32_t>(hash));
      parts[start + i] = static_cast<uint8_t>(std::ranges::upper_bound(ends_, place) - ends_.begin());
    }
  }
  return parts;
}

double Division::work_bytes() const {
  const std::vector<double> ones(columns().size(), 1);
  return expressions_.formula_bytes(ones) + 2;
}

const std::vector<std::vector<uint8_t>>& Division::parts_of_all(const Dataset& dataset, size_t threads,
                                                                uint64_t memory) const {
  const std::lock_guard lock(mutex_);
  if (!all_.empty()) return all_;
  std::vector<std::vector<uint8_t>> all;
  for (const FileInfo& file : dataset.source().files()) all.emplace_back(file.num_entries);
  read_columns(dataset, columns(), {}, work_bytes(), threads, memory,
               [&](const Unit& unit, std::vector<Column> read, const std::shared_ptr<MemoryPool>& pool) {
                 std::ranges::copy(parts_of(std::move(read), pool),
                                   all[unit.file].begin() + unit.entries.start);
               });
  all_ = std::move(all);
  return all_;
}

std::vector<size_t> add_columns(std::vector<std::string>& columns, const std::vector<std::string>& wanted) {
  std::vector<size_t> places;
  for (const std::string& column : wanted) {
    const auto found = std::ranges::find(columns, column);
    places.push_back(static_cast<size_t>(found - columns.begin()));
    if (found == columns.end()) columns.push_back(column);
  }
  return places;
}

std::vector<uint8_t> rows_in_parts(const std::vector<DivisionPart>& divisions,
                                   const std::vector<std::vector<size_t>>& places,
                                   const std::vector<Column>& columns,
                                   const std::shared_ptr<MemoryPool>& pool, std::vector<uint8_t> in_parts) {
  for (size_t d = 0; d < divisions.size(); ++d) {
    const auto& [division, parts] = divisions[d];
    std::vector<Column> read;
    for (const size_t place : places[d]) read.push_back(columns[place]);
    const std::vector<uint8_t> numbers = division->parts_of(std::move(read), pool);
    in_parts.resize(numbers.size(), 1);
    for (size_t i = 0; i < numbers.size(); ++i) {
      if (!parts[numbers[i]]) in_parts[i] = 0;
    }
  }
  return in_parts;
}

DivisionTest::DivisionTest(const std::vector<DivisionPart>& divisions, const Dataset& dataset, size_t threads,
                           uint64_t memory) {
  for (const DivisionPart& part : divisions)
    tests_.push_back({part, &part.division->parts_of_all(dataset, threads, memory)});
}

bool DivisionTest::operator()(size_t file, int64_t entry) const {
  return std::ranges::all_of(tests_, [&](const Test& test) {
    return test.part.parts[(*test.all)[file][static_cast<size_t>(entry)]];
  });
}

}  // namespace sapwood
