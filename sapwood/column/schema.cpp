#include "sapwood/column/schema.h"

#include "sapwood/base/error.h"
#include "sapwood/base/names.h"

namespace sapwood {

Schema::Schema(std::vector<ColumnInfo> columns, std::vector<std::shared_ptr<const UserFunction>> functions)
    : columns_(std::move(columns)), functions_(std::move(functions)) {
  for (size_t i = 0; i < columns_.size(); ++i) by_name_.emplace(columns_[i].name, i);
}

std::optional<size_t> Schema::find(std::string_view name) const {
  const auto found = by_name_.find(std::string(name));
  if (found == by_name_.end()) return std::nullopt;
  return found->second;
}

size_t Schema::require(std::string_view name) const {
  const auto index = find(name);
  if (!index) {
    std::vector<std::string> names;
    for (const ColumnInfo& column : columns_) names.push_back(column.name);
    throw SchemaError(concat("no column '", name, "'", nearest_names_hint(name, names)));
  }
  const ColumnInfo& column = columns_[*index];
  if (!column.unsupported.empty()) {
    throw UnsupportedError(concat("type ", column.stored_type, " is not read yet: ", column.unsupported),
                           {.column = column.name});
  }
  return *index;
}

}  // namespace sapwood
