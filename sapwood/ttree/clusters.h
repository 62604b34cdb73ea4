#pragma once

#include <vector>

#include "sapwood/base/error.h"
#include "sapwood/root/object.h"
#include "sapwood/ttree/branch.h"

namespace sapwood::ttree {

/// The ranges in which a tree was written: between entries at which the baskets of all `used` branches end,
/// and which the tree itself lists as flushes, if it lists any. Covers [0, num_entries) without gaps.
std::vector<EntryRange> find_clusters(const root::Object& tree, const std::vector<const Branch*>& used,
                                      int64_t num_entries);

}  // namespace sapwood::ttree
