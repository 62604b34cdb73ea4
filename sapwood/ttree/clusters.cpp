#include "sapwood/ttree/clusters.h"

#include <algorithm>
#include <iterator>

namespace sapwood::ttree {
namespace {

/// The flushes a tree lists: range i ends after entry fClusterRangeEnd[i] and was flushed every
/// fClusterSize[i] entries; what follows the last range every fAutoFlush entries.
class Flushes {
 public:
  explicit Flushes(const root::Object& tree) {
    if (tree.integer_or("fNClusterRange", 0) > 0) {
      ends_ = tree.integers("fClusterRangeEnd");
      sizes_ = tree.integers("fClusterSize");
      ends_ = ends_.first(std::min(ends_.size(), sizes_.size()));
    }
    last_size_ = std::max<int64_t>(tree.integer_or("fAutoFlush", 0), 0);
  }

  bool any() const { return !ends_.empty() || last_size_ > 0; }

  bool at(int64_t entry) const {
    const auto range = std::lower_bound(ends_.begin(), ends_.end(), entry);
    const int64_t start = range == ends_.begin() ? 0 : *std::prev(range) + 1;
    const int64_t size =
        range == ends_.end() ? last_size_ : sizes_[static_cast<size_t>(range - ends_.begin())];
    return entry == start || (size > 0 && (entry - start) % size == 0);
  }

 private:
  std::span<const int64_t> ends_{};
  std::span<const int64_t> sizes_{};
  int64_t last_size_ = 0;
};

/// First entries of baskets that all branches have in common, but for 0.
std::vector<int64_t> common_boundaries(const std::vector<const Branch*>& used, int64_t num_entries) {
  std::vector<int64_t> common;
  for (size_t i = 0; i < used.size(); ++i) {
    std::vector<int64_t> own;
    for (const BasketLocation& basket : used[i]->baskets) {
      if (basket.first_entry > 0 && basket.first_entry < num_entries) own.push_back(basket.first_entry);
    }
    if (i == 0) {
      common = std::move(own);
    } else {
      std::vector<int64_t> both;
      std::set_intersection(common.begin(), common.end(), own.begin(), own.end(), std::back_inserter(both));
      common = std::move(both);
    }
    if (common.empty()) break;
  }
  return common;
}

}  // namespace

std::vector<EntryRange> find_clusters(const root::Object& tree, const std::vector<const Branch*>& used,
                                      int64_t num_entries) {
  std::vector<int64_t> boundaries = common_boundaries(used, num_entries);
  const Flushes flushes(tree);
  if (flushes.any()) {
    std::vector<int64_t> flushed;
    std::copy_if(boundaries.begin(), boundaries.end(), std::back_inserter(flushed),
                 [&](int64_t entry) { return flushes.at(entry); });
    // A list that agrees with no basket is not of this tree's making.
    if (!flushed.empty()) boundaries = std::move(flushed);
  }
  std::vector<EntryRange> clusters;
  int64_t start = 0;
  for (const int64_t boundary : boundaries) {
    clusters.push_back({start, boundary});
    start = boundary;
  }
  if (num_entries > start) clusters.push_back({start, num_entries});
  return clusters;
}

}  // namespace sapwood::ttree
