#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sapwood/column/schema.h"
#include "sapwood/root/streamer_info.h"
#include "sapwood/streamed/class_planner.h"
#include "sapwood/streamed/stream_node.h"
#include "sapwood/ttree/branch.h"

namespace sapwood::ttree {

/// How the entries of a column lie in its branch's baskets.
struct ColumnPlan {
  enum class Layout {
    kFixed,     ///< every entry the same bytes, of which the column takes some
    kLeafList,  ///< several kFixed members side by side
    kJagged,    ///< a header, then as many items as the entry's bytes hold
    kStream,    ///< values to be walked through
  };
  Layout layout = Layout::kFixed;
  size_t branch = 0;
  Type type{};
  streamed::NumberFormat number{};
  int64_t values_per_item = 1;            ///< numbers in an entry (kFixed) or in each of its items (kJagged)
  int64_t entry_size = 0;                 ///< stored bytes of an entry, for kFixed and kLeafList
  int64_t entry_offset = 0;               ///< where in these the column's numbers begin
  int64_t header_size = 0;                ///< bytes before the items, for kJagged
  std::optional<LeafPosition> counter{};  ///< gives the number of items where no offsets are stored
  bool needs_counter = false;             ///< also where offsets are stored: the number of objects
  std::optional<size_t> lengths{};    ///< branch of the lengths of the arrays in each of an entry's objects
  std::vector<ColumnPlan> members{};  ///< of a kLeafList
  std::shared_ptr<const streamed::StreamNode> stream{};  ///< of all columns that have entries of this branch
  std::vector<std::string> path{};  ///< to the column's values, where they are members of records in it

  int64_t item_size() const { return values_per_item * number.stored_size; }
};

/// The schema of a tree, and beside each column its plan (meaningless for columns that can't be read).
struct PlannedColumns {
  std::vector<ColumnInfo> columns;
  std::vector<ColumnPlan> plans;
  /// Branches of TClonesArrays of which nothing is known.
  std::vector<std::pair<size_t, streamed::StreamNode>> unknown_clones;
};

/// `clones`: what is known of TClonesArrays that are members.
PlannedColumns plan_columns(const std::vector<Branch>& branches, const root::StreamerInfos& infos,
                            int64_t num_entries, const streamed::ClonesClasses& clones = {});

/// The plan for the counts of a counted array, a column of integers.
ColumnPlan plan_counter(const std::vector<Branch>& branches, LeafPosition position);

}  // namespace sapwood::ttree
