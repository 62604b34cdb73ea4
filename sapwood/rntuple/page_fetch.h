#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "sapwood/base/buffer.h"
#include "sapwood/column/reader.h"
#include "sapwood/io/random_access_file.h"
#include "sapwood/rntuple/field_tree.h"
#include "sapwood/rntuple/page.h"
#include "sapwood/rntuple/page_list.h"

namespace sapwood::rntuple {

/// A range of elements of a column, counted in one cluster.
struct ElementRange {
  int64_t first = 0;
  int64_t last = 0;  ///< past the end
  int64_t size() const { return last - first; }
  bool operator==(const ElementRange&) const = default;
};

/// Some elements of one column in one cluster, as they are stored.
class FetchedElements {
 public:
  FetchedElements(const ColumnDescription& column, const PhysicalColumn& physical, ElementRange elements,
                  int64_t leading_zeros)
      : column_(&column), encoding_(physical.encoding), elements_(elements), leading_zeros_(leading_zeros) {}

  struct StoredPage {
    ElementRange elements;  ///< leading zeros counted
    bool has_checksum = false;
    io::StoredBytes bytes;  ///< with the checksum
  };
  std::vector<StoredPage> pages;  ///< ascending, without gaps

  /// Throws FormatError unless all of `wanted` has been fetched.
  void require(ElementRange wanted) const;
  /// Decodes values of `kind`; `wanted` has been fetched.
  void decode(ElementRange wanted, TypeKind kind, std::byte* out, PageScratch& scratch) const;
  /// Decodes elements of an index column and adds `base` to each; `wanted` has been fetched.
  void decode_index(ElementRange wanted, int64_t base, int64_t* out, PageScratch& scratch) const;
  /// Of a switch column: the range of an alternative's values, of which the elements `wanted`, which have
  /// been fetched, have one each at most; to `ends`, unless null, `base` and how many there are up to each
  /// element.
  ElementRange decode_switch(ElementRange wanted, uint32_t tag, int64_t base, int64_t* ends,
                             PageScratch& scratch) const;

 private:
  template <class T, class DecodePage>
  void decode_pages(ElementRange wanted, size_t element_size, T* out, PageScratch& scratch,
                    const DecodePage& decode_page) const;
  Bytes verified(const StoredPage& page, ScratchBuffer& scratch) const;

  const ColumnDescription* column_;
  Encoding encoding_;
  ElementRange elements_;
  int64_t leading_zeros_;
};

/// The part of the entries that lies in one cluster.
struct ClusterSlice {
  const Cluster* cluster = nullptr;
  ElementRange entries;                                   ///< counted in the cluster
  std::unordered_map<uint32_t, FetchedElements> columns;  ///< by physical column id

  /// Which representation of a field with these columns is stored in the cluster; throws FormatError.
  size_t representation(std::span<const PhysicalColumn> columns, const Descriptor& descriptor) const;
};

/// The pages of some columns over a range of entries.
class FetchedPages final : public FetchedColumns {
 public:
  uint64_t held_bytes() const override;

  std::vector<size_t> columns;
  EntryRange entries;
  std::vector<ClusterSlice> slices;
  std::vector<std::unique_ptr<io::CoalescedRead>> reads;  ///< own the bytes of the pages
  std::vector<Buffer> records;                            ///< own those that were stored in several pieces
};

/// Reads the pages of `nodes` over `entries`, which lie in `clusters`. Whole clusters take one round of
/// reading, parts of one another for each level of nesting. `max_key_size` as in the anchor.
std::unique_ptr<FetchedPages> fetch_pages(const io::RandomAccessFile& file, const Descriptor& descriptor,
                                          uint64_t max_key_size, std::span<const Cluster> clusters,
                                          std::span<const NamedNode* const> nodes, EntryRange entries,
                                          const std::shared_ptr<MemoryPool>& pool,
                                          const std::stop_token& stop);

}  // namespace sapwood::rntuple
