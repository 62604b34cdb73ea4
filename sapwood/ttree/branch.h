#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sapwood/base/cursor.h"
#include "sapwood/base/error.h"
#include "sapwood/root/object.h"

namespace sapwood::ttree {

/// A basket as its branch lists it.
struct BasketLocation {
  uint64_t seek = 0;  ///< of its record in the file; 0: embedded in the tree's own record
  uint32_t size = 0;  ///< bytes of the record; 0: not known before it is read
  int64_t first_entry = 0;
  Bytes embedded{};  ///< the record of an embedded basket, owned by the tree's record
};

/// Where the counts of an array of variable length are kept.
struct LeafPosition {
  size_t branch = 0;
  size_t leaf = 0;
};

struct Leaf {
  std::string class_name;  ///< TLeafI, TLeafElement, ...
  std::string name;
  std::string title;
  int64_t length = 1;      ///< values in an entry (of each of its items, when counted)
  int64_t value_size = 0;  ///< bytes of a value
  bool is_unsigned = false;
  int64_t element_type = 0;  ///< streamer type code, of a TLeafElement
  bool is_counted = false;
  std::optional<LeafPosition> counter{};
};

/// What is known of a branch from the tree's record.
struct Branch {
  std::string class_name;  ///< TBranch, TBranchElement, ...
  std::string name;
  std::string title;
  std::string path;                ///< names of its parents and its own, joined by '/'
  std::optional<size_t> parent{};  ///< among Tree's branches
  bool has_children = false;
  std::vector<Leaf> leaves;
  std::vector<BasketLocation> baskets;  ///< ascending, the first at entry 0
  int64_t num_entries = 0;              ///< those its baskets hold
  int64_t total_bytes = 0;              ///< of all baskets, decompressed
  int64_t compressed_bytes = 0;
  bool generates_offsets = false;  ///< baskets come without entry offsets
  std::string problem;             ///< why its baskets can't be read; empty when they can

  // Of a TBranchElement:
  std::string cpp_class;  ///< class of the object, or that which declares the member
  std::string parent_class;
  std::string clones_class;  ///< class of the items of a split collection
  int64_t class_version = 0;
  int64_t checksum = 0;
  int64_t member_id = -1;  ///< index of the member in the class's streamer info; negative: the object itself
  int64_t node_type = 0;  ///< 0 leaf, 1 base, 2 object, 3 TClonesArray, 4 collection, 31 and 41 their members
  int64_t streamer_type = 0;

  /// The basket that holds an entry, `0 <= entry < num_entries`.
  size_t basket_of(int64_t entry) const;
  EntryRange basket_entries(size_t basket) const;
};

/// All branches of a tree, parents before their children.
std::vector<Branch> read_branches(const root::Object& tree);

}  // namespace sapwood::ttree
