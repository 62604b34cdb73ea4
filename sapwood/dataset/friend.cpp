#include <algorithm>
#include <cstring>
#include <iterator>
#include <numeric>
#include <span>
#include <utility>

#include "sapwood/dataset/dataset.h"
#include "sapwood/expr/expression.h"
#include "sapwood/features/convert.h"
#include "sapwood/source/friend_columns.h"

namespace sapwood {
namespace {

void check_friend(const Dataset& data, const Dataset& other, const std::string& prefix,
                  const FriendKeys& keys) {
  const auto is_frame = [](const FileInfo& file) { return file.table != nullptr; };
  if (std::ranges::any_of(data.source().files(), is_frame) ||
      std::ranges::any_of(other.source().files(), is_frame)) {
    throw ConfigError("frames have no friends here: give ROOT the friend, by TTree::AddFriend, before");
  }
  if (!other.filters().empty()) {
    throw ConfigError(
        "the friend has filters, and its entries must be those of the data set: filter what joins both");
  }
  for (const ColumnInfo& column : other.schema().columns()) {
    if (column.definition.empty()) continue;
    throw ConfigError(concat("the friend has a definition, '", column.name,
                             "': define it for what joins both, where formulas use the columns of either"));
  }
  if (keys.columns.empty() && other.num_entries() != data.num_entries()) {
    throw ConfigError(concat("the friend has ", other.num_entries(), " entries, the data set ",
                             data.num_entries(), ": each must go with one, or one of the same keys"));
  }
  if (!prefix.empty() && !is_name_in_formulas(prefix))
    throw ConfigError(concat("'", prefix, "' can't be a prefix: letters, digits and _ make one"));
}

// The places of a friend's columns in the schema of its source.
std::vector<size_t> joined_places(const Dataset& other) {
  const Schema& stored = other.source().schema();
  std::vector<size_t> places;
  if (!other.chosen_columns()) {
    places.resize(stored.size());
    std::iota(places.begin(), places.end(), size_t{0});
    return places;
  }
  for (const std::string& name : *other.chosen_columns()) {
    const auto place = stored.find(name);
    if (!place) throw ConfigError(concat("of a friend come columns of its files, not '", name, "'"));
    if (std::ranges::find(places, *place) == places.end()) places.push_back(*place);
  }
  return places;
}

// The keys of all entries: of each column its values, as 64 bits.
using Keys = std::vector<std::vector<int64_t>>;

std::vector<int64_t> key_values(const Column& column, const std::string& name) {
  const Type& type = column.type;
  if (!type.is_primitive() || type.is_floating())
    throw ConfigError(concat("'", name, "' is ", type.to_string(), ": a key is an integer for each entry"));
  std::vector<int64_t> values(static_cast<size_t>(column.length));
  const auto out = std::as_writable_bytes(std::span(values));
  if (values.empty()) return values;
  if (primitive_size(type.kind) == sizeof(int64_t)) {  // of unsigned ones the bits are as good
    std::memcpy(out.data(), column.values.data(), out.size());
  } else {
    convert_values(column.values.data(), type.kind, 1, out.data(), DType::kInt64, values.size());
  }
  return values;
}

Keys read_keys(const Dataset& data, const std::vector<std::string>& names) {
  const std::vector<Column> columns = data.arrays(names);
  Keys keys;
  for (size_t i = 0; i < names.size(); ++i) keys.push_back(key_values(columns[i], names[i]));
  return keys;
}

std::string describe(const Keys& keys, size_t entry, const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i)
    text += concat(i == 0 ? "" : ", ", names[i], " = ", keys[i][entry]);
  return text;
}

// Negative, 0 or positive, as the keys of one entry come before, with or after those of another.
int compare(const Keys& a, size_t at_a, const Keys& b, size_t at_b) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i][at_a] != b[i][at_b]) return a[i][at_a] < b[i][at_b] ? -1 : 1;
  }
  return 0;
}

std::shared_ptr<const FriendEntries> find_friend_entries(const Dataset& data, const Dataset& other,
                                                         const FriendKeys& keys) {
  const Keys wanted = read_keys(data, keys.columns);
  const Keys there = read_keys(other, keys.columns);
  std::vector<size_t> order(static_cast<size_t>(other.num_entries()));
  std::iota(order.begin(), order.end(), size_t{0});
  const auto is_before = [&](size_t a, size_t b) { return compare(there, a, there, b) < 0; };
  if (!std::ranges::is_sorted(order, is_before)) std::ranges::sort(order, is_before);
  for (size_t i = 1; i < order.size(); ++i) {
    if (compare(there, order[i - 1], there, order[i]) != 0) continue;
    throw ConfigError(concat("two entries of the friend, ", std::min(order[i - 1], order[i]), " and ",
                             std::max(order[i - 1], order[i]), ", have ",
                             describe(there, order[i], keys.columns)));
  }
  auto entries = std::make_shared<FriendEntries>();
  entries->reserve(static_cast<size_t>(data.num_entries()));
  size_t place = 0;  // where the entry after the last one found would be
  for (size_t entry = 0; entry < static_cast<size_t>(data.num_entries()); ++entry) {
    if (place >= order.size() || compare(there, order[place], wanted, entry) != 0) {
      const auto found = std::ranges::lower_bound(
          order, 0, {}, [&](size_t candidate) { return compare(there, candidate, wanted, entry); });
      place = static_cast<size_t>(found - order.begin());
    }
    const bool is_found = place < order.size() && compare(there, order[place], wanted, entry) == 0;
    if (!is_found && !keys.may_lack) {
      throw ConfigError(concat("no entry of the friend has ", describe(wanted, entry, keys.columns),
                               ", as entry ", entry, " has"));
    }
    entries->push_back(is_found ? static_cast<int64_t>(order[place]) : -1);
    if (is_found) ++place;
  }
  return entries;
}

}  // namespace

std::shared_ptr<const Dataset> Dataset::with_friend(std::shared_ptr<const Dataset> other,
                                                    const std::string& prefix, const FriendKeys& keys) const {
  check_friend(*this, *other, prefix, keys);
  std::shared_ptr<const FriendEntries> entries_of_friend;
  if (!keys.columns.empty()) {
    const Dataset stored(source_);  // its filters leave out no entries here
    entries_of_friend = find_friend_entries(stored, *other, keys);
  }
  const auto columns = std::make_shared<const FriendColumns>(other->source_, joined_places(*other), prefix,
                                                             std::move(entries_of_friend));
  for (const ColumnInfo& column : columns->schema().columns()) {
    if (!schema_.find(column.name)) continue;
    throw ConfigError(concat("there is a column '", column.name, "' already: give the friend ",
                             prefix.empty() ? "a prefix" : "another prefix"));
  }

  const auto joined = std::shared_ptr<Dataset>(new Dataset(Source::joined(source_, columns)));
  std::vector<ColumnInfo> all = joined->schema_.columns();
  std::ranges::copy_if(schema_.columns(), std::back_inserter(all),
                       [](const ColumnInfo& column) { return !column.definition.empty(); });
  joined->schema_ = Schema(std::move(all), schema_.functions());
  joined->filters_ = filters_;
  if (chosen_ || other->chosen_) {
    joined->chosen_ = readable_columns();
    for (const ColumnInfo& column : columns->schema().columns()) {
      if (other->chosen_ || (column.unsupported.empty() && !column.is_member))
        joined->chosen_->push_back(column.name);
    }
  }
  joined->friends_ = friends_;
  std::vector<int64_t> entries;
  for (const FileInfo& file : source_->files()) entries.push_back(file.num_entries);
  joined->friends_.push_back({std::move(other), prefix, std::move(entries), keys});
  return joined;
}

}  // namespace sapwood
