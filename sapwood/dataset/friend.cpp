#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

#include "sapwood/dataset/dataset.h"
#include "sapwood/expr/expression.h"
#include "sapwood/source/friend_columns.h"

namespace sapwood {
namespace {

void check_friend(const Dataset& data, const Dataset& other, const std::string& prefix) {
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
  if (other.num_entries() != data.num_entries()) {
    throw ConfigError(concat("the friend has ", other.num_entries(), " entries, the data set ",
                             data.num_entries(), ": each must go with one"));
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

}  // namespace

std::shared_ptr<const Dataset> Dataset::with_friend(std::shared_ptr<const Dataset> other,
                                                    const std::string& prefix) const {
  check_friend(*this, *other, prefix);
  const auto columns = std::make_shared<const FriendColumns>(other->source_, joined_places(*other), prefix);
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
  joined->friends_.push_back({std::move(other), prefix, std::move(entries)});
  return joined;
}

}  // namespace sapwood
