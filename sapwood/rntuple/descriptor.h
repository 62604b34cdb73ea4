#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sapwood/rntuple/envelope.h"

namespace sapwood::rntuple {

/// What a field is in the tree of fields.
enum class StructuralRole : uint16_t { kLeaf = 0, kCollection = 1, kRecord = 2, kVariant = 3, kStreamer = 4 };

struct FieldDescription {
  static constexpr uint16_t kRepetitive = 0x01;
  static constexpr uint16_t kProjected = 0x02;
  static constexpr uint16_t kTypeChecksum = 0x04;

  uint32_t field_version = 0;
  uint32_t parent = 0;  ///< a smaller id, or the field's own when it is at the top level
  uint16_t role = 0;    ///< a StructuralRole, or one unknown to us
  uint16_t flags = 0;
  uint64_t array_size = 0;  ///< with kRepetitive
  std::string name;
  std::string type_name;

  bool is_repetitive() const { return (flags & kRepetitive) != 0; }
};

/// A physical column: a sequence of elements of one encoding, stored in pages.
struct ColumnDescription {
  static constexpr uint16_t kDeferred = 0x01;
  static constexpr uint16_t kRange = 0x02;

  uint16_t type = 0;  ///< a ColumnType, or one unknown to us
  uint16_t bits = 0;  ///< of one element in storage
  uint32_t field = 0;
  uint16_t flags = 0;
  uint16_t representation = 0;  ///< which of the field's alternative representations this belongs to
  int64_t first_element = 0;    ///< elements before it read as zero; negative: none are to be read
  double min_value = 0;         ///< with kRange
  double max_value = 0;
  /// Elements for each entry, when that is fixed; 0 when it is not, as below collections.
  uint64_t elements_per_entry = 0;

  bool is_deferred() const { return (flags & kDeferred) != 0; }
};

/// A column of a projected field, which is read from a physical column of another field.
struct AliasColumn {
  uint32_t physical_column = 0;
  uint32_t field = 0;
};

struct ClusterGroup {
  uint64_t num_clusters = 0;
  EnvelopeLink page_list;
};

/// Header and footer. Ids are positions; every id in it is in range.
struct Descriptor {
  uint64_t header_checksum = 0;
  std::vector<FieldDescription> fields;
  std::vector<ColumnDescription> columns;
  std::vector<AliasColumn> alias_columns;
  std::vector<ClusterGroup> cluster_groups;
};

/// Throws FormatError; UnsupportedError for feature flags, all of which are unknown to us.
Descriptor parse_descriptor(const Envelope& header, const Envelope& footer);

}  // namespace sapwood::rntuple
