#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "sapwood/base/error.h"
#include "sapwood/rntuple/descriptor.h"

namespace sapwood::rntuple {

/// A run of elements of one column, compressed by itself.
struct Page {
  int64_t first_element = 0;  ///< counted in the cluster, leading zeros left out
  uint32_t num_elements = 0;
  bool has_checksum = false;  ///< an XXH3 of the stored bytes follows them
  Locator locator;            ///< without the checksum
};

/// The elements of one column in one cluster.
struct ColumnRange {
  bool in_page_list = false;  ///< not, when the column was added after the cluster was written
  bool suppressed = false;    ///< another representation of the field is stored in this cluster
  size_t first_page = 0;      ///< in Cluster::pages
  size_t num_pages = 0;
  int64_t num_elements = 0;  ///< with the leading zeros
  /// Elements that are not stored, since the column was added after them; they read as zero.
  int64_t leading_zeros = 0;

  bool is_stored() const { return in_page_list && !suppressed; }
};

/// A range of entries and the pages of all columns that hold it.
struct Cluster {
  EntryRange entries;
  std::vector<ColumnRange> columns;  ///< by physical column id, without leading zeros; those in the page list
  std::vector<Page> pages;

  std::span<const Page> pages_of(const ColumnRange& range) const {
    return std::span(pages).subspan(range.first_page, range.num_pages);
  }
  /// Elements that a column must have here; nothing when entries may differ. Throws FormatError.
  std::optional<int64_t> expected_elements(const ColumnDescription& column) const;
  /// The range of a column with its leading zeros. Throws FormatError.
  ColumnRange range_of(uint32_t column_id, const ColumnDescription& column) const;
};

/// Bytes of `num_elements` elements of a column before compression.
inline uint64_t page_length(const ColumnDescription& column, uint32_t num_elements) {
  return (uint64_t{num_elements} * column.bits + 7) / 8;
}

/// The clusters of one cluster group, in file order. Throws FormatError, UnsupportedError (sharded clusters).
std::vector<Cluster> parse_page_list(const Envelope& envelope, const Descriptor& descriptor,
                                     const ClusterGroup& group);

}  // namespace sapwood::rntuple
