#include "sapwood/ttree/branch.h"

#include <algorithm>
#include <unordered_map>

#include "sapwood/ttree/basket.h"

namespace sapwood::ttree {
namespace {

constexpr int kDeepestBranch = 100;

class BranchReader {
 public:
  std::vector<Branch> read(const root::Object& tree) {
    read_children(tree, std::nullopt, 0);
    for (auto& [branch, leaf, target] : counted_) {
      const auto found = leaf_positions_.find(target);
      if (found != leaf_positions_.end()) branches_[branch].leaves[leaf].counter = found->second;
    }
    return std::move(branches_);
  }

 private:
  struct Counted {
    size_t branch;
    size_t leaf;
    const root::Object* target;
  };

  void read_children(const root::Object& parent, std::optional<size_t> parent_index, int depth) {
    if (depth > kDeepestBranch) throw FormatError("branches nested too deep");
    for (const root::Object* child : parent.object("fBranches").items) {
      // The same branch twice, which only corrupt references can bring about, would not end.
      if (child == nullptr || !visited_.emplace(child, true).second) continue;
      const size_t index = branches_.size();
      branches_.push_back(read_branch(*child, parent_index, index));
      if (parent_index) branches_[*parent_index].has_children = true;
      if (child->object_or_null("fBranches") != nullptr) read_children(*child, index, depth + 1);
    }
  }

  Branch read_branch(const root::Object& object, std::optional<size_t> parent, size_t index) {
    Branch branch;
    branch.class_name = object.class_name;
    branch.name = object.text_or("fName", "");
    if (branch.name.empty() && branch.class_name == "TBranchClones") {
      branch.name = branch.class_name;
      branch.problem = "a TBranchClones, whose layout is ROOT 2's";
      return branch;
    }
    branch.title = object.text("fTitle");
    branch.path = parent ? branches_[*parent].path + '/' + branch.name : branch.name;
    branch.parent = parent;
    branch.total_bytes = object.integer("fTotBytes");
    branch.compressed_bytes = object.integer("fZipBytes");
    branch.cpp_class = object.text_or("fClassName", "");
    branch.parent_class = object.text_or("fParentName", "");
    branch.clones_class = object.text_or("fClonesName", "");
    branch.class_version = object.integer_or("fClassVersion", 0);
    branch.checksum = object.integer_or("fCheckSum", 0);
    branch.member_id = object.integer_or("fID", -1);
    branch.node_type = object.integer_or("fType", 0);
    branch.streamer_type = object.integer_or("fStreamerType", 0);
    const root::Object* features = object.object_or_null("fIOFeatures");
    branch.generates_offsets = object.integer("fEntryOffsetLen") == 0 ||
                               (features != nullptr && (features->integer_or("fIOBits", 0) & 1) != 0);
    for (const root::Object* leaf : object.object("fLeaves").items) {
      if (leaf == nullptr) continue;
      leaf_positions_[leaf] = {index, branch.leaves.size()};
      const root::Object* counter = leaf->object_or_null("fLeafCount");
      if (counter != nullptr) counted_.push_back({index, branch.leaves.size(), counter});
      branch.leaves.push_back({.class_name = leaf->class_name,
                               .name = std::string(leaf->text("fName")),
                               .title = std::string(leaf->text("fTitle")),
                               .length = leaf->integer("fLen"),
                               .value_size = leaf->integer("fLenType"),
                               .is_unsigned = leaf->integer("fIsUnsigned") != 0,
                               .element_type = leaf->integer_or("fType", 0),
                               .is_counted = counter != nullptr});
    }
    read_baskets(object, branch);
    const std::string_view file_name = object.text_or("fFileName", "");
    const auto is_in_file = [](const BasketLocation& basket) { return basket.seek != 0; };
    if (!file_name.empty() && std::ranges::any_of(branch.baskets, is_in_file))
      branch.problem = concat("its baskets are in another file, ", file_name);
    return branch;
  }

  // fBasketEntry[i] is the first entry of basket i; of the one after the last written, fWriteBasket, too.
  // Baskets that were still in memory when the tree was written have no seek, and stand in fBaskets.
  static void read_baskets(const root::Object& object, Branch& branch) {
    const auto sizes = object.integers("fBasketBytes");
    const auto first_entries = object.integers("fBasketEntry");
    const auto seeks = object.integers("fBasketSeek");
    const auto& embedded = object.object("fBaskets").items;
    const auto written = static_cast<size_t>(std::max<int64_t>(object.integer("fWriteBasket"), 0));
    const int64_t claimed = object.integer("fEntries");
    const size_t listed = std::min({sizes.size(), first_entries.size(), seeks.size()});
    int64_t entries = 0;
    for (size_t i = 0; i < std::max(listed, embedded.size()); ++i) {
      const bool on_file = i < written && i < listed && seeks[i] != 0;
      // A basket left in memory after its entries were written holds nothing new.
      const bool in_record = !on_file && entries < claimed && i < embedded.size() && embedded[i] != nullptr;
      if (!on_file && !in_record) continue;
      const int64_t first = i < listed && (on_file || first_entries[i] != 0) ? first_entries[i] : entries;
      if (first != entries) {
        branch.problem = concat("its basket ", i, " begins at entry ", first, ", not at ", entries);
        return;
      }
      BasketLocation location{.first_entry = first};
      if (on_file) {
        location.seek = static_cast<uint64_t>(seeks[i]);
        location.size = static_cast<uint32_t>(std::max<int64_t>(sizes[i], 0));
        entries = i + 1 < first_entries.size() ? first_entries[i + 1] : claimed;
      } else {
        location.embedded = embedded[i]->bytes;
        entries = first + read_basket_header(location.embedded).num_entries;
      }
      if (entries < first) {
        throw FormatError(concat("corrupt branch: basket ", i, " holds entries ", first, " to ", entries),
                          {.column = branch.name});
      }
      if (entries > first) branch.baskets.push_back(location);
    }
    branch.num_entries = entries;
  }

  std::vector<Branch> branches_;
  std::vector<Counted> counted_;
  std::unordered_map<const root::Object*, LeafPosition> leaf_positions_;
  std::unordered_map<const root::Object*, bool> visited_;
};

}  // namespace

size_t Branch::basket_of(int64_t entry) const {
  const auto after = std::upper_bound(
      baskets.begin(), baskets.end(), entry,
      [](int64_t wanted, const BasketLocation& basket) { return wanted < basket.first_entry; });
  return static_cast<size_t>(after - baskets.begin()) - 1;
}

EntryRange Branch::basket_entries(size_t basket) const {
  const int64_t stop = basket + 1 < baskets.size() ? baskets[basket + 1].first_entry : num_entries;
  return {baskets[basket].first_entry, stop};
}

std::vector<Branch> read_branches(const root::Object& tree) { return BranchReader().read(tree); }

}  // namespace sapwood::ttree
