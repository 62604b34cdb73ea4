#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sapwood/column/type.h"

namespace sapwood {

/// What is known of a column before any of it is read.
struct ColumnInfo {
  std::string name;         ///< as the user writes it; members of records are "record.member"
  Type type;                ///< meaningless when `unsupported` is set
  std::string stored_type;  ///< in the file's own words, such as "vector<float>" or "Float_t[3]"
  std::string unsupported;  ///< why it can't be read; empty when it can
  /// A part of another column in the schema (a record's member, a leaf of a leaf list): readable by name, and
  /// left out when all columns are asked for.
  bool is_member = false;
  uint64_t compressed_bytes = 0;    ///< in the file
  uint64_t uncompressed_bytes = 0;  ///< after decompression, as stored
  double values_per_entry = 1;      ///< mean number of innermost values in an entry
  /// The formula that gives it from columns before it in the schema; empty when the column is stored.
  std::string definition{};
};

/// A column that a formula gives, from columns that are stored or defined before it.
struct Definition {
  std::string name;
  std::string formula;
  bool operator==(const Definition&) const = default;
};

class UserFunction;

/// The columns of a tree or n-tuple, in file order, and those that are defined; and the functions that
/// formulas over them may call besides their own. Names are unique.
class Schema {
 public:
  Schema() = default;
  explicit Schema(std::vector<ColumnInfo> columns,
                  std::vector<std::shared_ptr<const UserFunction>> functions = {});

  size_t size() const { return columns_.size(); }
  const ColumnInfo& operator[](size_t index) const { return columns_[index]; }
  const std::vector<ColumnInfo>& columns() const { return columns_; }

  const std::vector<std::shared_ptr<const UserFunction>>& functions() const { return functions_; }

  std::optional<size_t> find(std::string_view name) const;
  /// Throws `SchemaError` with the nearest names when there is no such column, `UnsupportedError` when it
  /// can't be read.
  size_t require(std::string_view name) const;

 private:
  std::vector<ColumnInfo> columns_;
  std::vector<std::shared_ptr<const UserFunction>> functions_;
  std::unordered_map<std::string, size_t> by_name_;
};

}  // namespace sapwood
