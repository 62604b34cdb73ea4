#include "sapwood/ttree/tree.h"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <utility>

#include "sapwood/ttree/clones_class.h"
#include "sapwood/ttree/clusters.h"
#include "sapwood/ttree/fetched.h"

namespace sapwood::ttree {
namespace {

/// Members of TTree that describe other objects than its branches.
constexpr std::array<std::string_view, 3> kSkippedMembers{"fTreeIndex", "fUserInfo", "fBranchRef"};

/// The offsets of lists, by the leaf that counts their items: those of the first column that was decoded.
class SharedOffsets {
 public:
  Buffer find(const LeafPosition& counter) const {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find({counter.branch, counter.leaf});
    return found == known_.end() ? Buffer{} : found->second;
  }
  void keep(const LeafPosition& counter, const Buffer& offsets) {
    const std::lock_guard lock(mutex_);
    known_.try_emplace({counter.branch, counter.leaf}, offsets);
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<size_t, size_t>, Buffer> known_;
};

/// What Tree::fetch gives: the records of the baskets of every branch involved.
class FetchedBaskets final : public FetchedColumns {
 public:
  FetchedBaskets(std::span<const size_t> columns, EntryRange entries)
      : columns(columns.begin(), columns.end()), entries(entries) {}
  uint64_t held_bytes() const override { return read ? read->held_bytes() : 0; }

  std::vector<size_t> columns;
  EntryRange entries;
  std::map<size_t, FetchedBranch> branches;  // by index in the tree
  std::unique_ptr<io::CoalescedRead> read;
  mutable SharedOffsets offsets;
};

/// Whether it takes streamer infos to read a column: objects may be of any version of their class.
bool holds_objects(const streamed::StreamNode& node) {
  return (node.kind == streamed::StreamNode::Kind::kRecord && !node.is_built_in) ||
         std::ranges::any_of(node.item, holds_objects);
}

/// The bytes of a record whose size its branch does not list.
uint32_t record_size_at(const io::RandomAccessFile& bytes, uint64_t seek) {
  std::array<std::byte, 4> raw;
  bytes.read_at(seek, raw);
  return BigEndianCursor(raw, "basket").read<uint32_t>();
}

}  // namespace

bool is_tree_class(std::string_view class_name) {
  return class_name == "TTree" || class_name == "TNtuple" || class_name == "TNtupleD";
}

std::shared_ptr<const Tree> Tree::open(std::shared_ptr<const root::File> file, const root::Key& key,
                                       root::SharedStreamerInfos* shared) {
  const std::shared_ptr<Tree> tree(new Tree);
  tree->file_ = std::move(file);
  tree->name_ = key.path;
  with_context({.file = tree->file(), .object = key.path}, [&] {
    tree->infos_ = shared != nullptr ? shared->read(*tree->file_) : root::StreamerInfos::read(*tree->file_);
    if (!is_tree_class(key.class_name) && !tree->infos_->derives_from(key.class_name, "TTree"))
      throw UnsupportedError(concat("a ", key.class_name, " is not a tree"));
    const auto record = root::ObjectTree::read(*tree->file_, key, tree->infos_, kSkippedMembers);
    tree->read_links(record->root());
    tree->plan(record->root());
    tree->keep_embedded_baskets();
  });
  return tree;
}

// TList of TNamed: a name, and the formula as its title. TList of TFriendElement: a TNamed of the name and
// the file, and the tree's name.
void Tree::read_links(const root::Object& tree) {
  const auto items = [&](const char* name) {
    const root::Object* list = tree.object_or_null(name);
    return list == nullptr ? std::span<const root::Object* const>() : std::span(list->items);
  };
  for (const root::Object* alias : items("fAliases")) {
    if (alias == nullptr) continue;
    aliases_.push_back({std::string(alias->text_or("fName", "")), std::string(alias->text_or("fTitle", ""))});
  }
  for (const root::Object* other : items("fFriends")) {
    if (other == nullptr) continue;
    friends_.push_back({.name = std::string(other->text_or("fName", "")),
                        .tree = std::string(other->text_or("fTreeName", "")),
                        .file = std::string(other->text_or("fTitle", ""))});
  }
}

void Tree::find_unknown_clones(const PlannedColumns& planned, streamed::ClonesClasses& found) const {
  for (size_t i = 0; i < planned.plans.size(); ++i) {
    const ColumnPlan& plan = planned.plans[i];
    if (planned.columns[i].is_member || !plan.stream || !streamed::has_unknown_clones(*plan.stream)) continue;
    find_clones_classes(branches_[plan.branch], *plan.stream, *infos_, *file_, found);
  }
  for (const auto& [branch, node] : planned.unknown_clones)
    find_clones_classes(branches_[branch], node, *infos_, *file_, found);
}

void Tree::plan(const root::Object& tree) {
  num_entries_ = std::max<int64_t>(tree.integer("fEntries"), 0);
  branches_ = read_branches(tree);
  PlannedColumns planned = plan_columns(branches_, *infos_, num_entries_);
  streamed::ClonesClasses clones;
  constexpr int kDeepestClones = 4;  // their objects may hold others
  for (int depth = 0; depth < kDeepestClones; ++depth) {
    const size_t known = clones.size();
    find_unknown_clones(planned, clones);
    if (clones.size() == known) break;
    planned = plan_columns(branches_, *infos_, num_entries_, clones);
  }
  plans_ = std::move(planned.plans);
  std::map<std::pair<size_t, size_t>, size_t> known;
  std::vector<const Branch*> used;
  for (size_t i = 0; i < plans_.size(); ++i) {
    std::string& unsupported = planned.columns[i].unsupported;
    const auto& position = plans_[i].counter;
    size_t counter = SIZE_MAX;
    const bool is_needed = plans_[i].needs_counter || branches_[plans_[i].branch].generates_offsets;
    if (unsupported.empty() && position && is_needed) {
      const auto [found, is_new] =
          known.emplace(std::pair(position->branch, position->leaf), counters_.size());
      counter = found->second;
      try {
        if (is_new) counters_.push_back(plan_counter(branches_, *position));
      } catch (const UnsupportedError& error) {
        known.erase(found);
        unsupported = error.what();
      }
    }
    counter_of_.push_back(counter);
    if (unsupported.empty() && !planned.columns[i].is_member) used.push_back(&branches_[plans_[i].branch]);
  }
  find_lengths(planned.columns);
  const auto takes_infos = [](const ColumnPlan& plan) { return plan.stream && holds_objects(*plan.stream); };
  if (std::ranges::none_of(plans_, takes_infos)) infos_.reset();
  schema_ = Schema(std::move(planned.columns));
  clusters_ = find_clusters(tree, used, num_entries_);
}

void Tree::find_lengths(std::vector<ColumnInfo>& columns) {
  lengths_of_.assign(plans_.size(), SIZE_MAX);
  std::vector<size_t> column_of(branches_.size(), SIZE_MAX);
  for (size_t i = plans_.size(); i-- > 0;) column_of[plans_[i].branch] = i;
  for (size_t i = 0; i < plans_.size(); ++i) {
    if (!plans_[i].lengths) continue;
    lengths_of_[i] = column_of[*plans_[i].lengths];
    const ColumnPlan* lengths = lengths_of_[i] == SIZE_MAX ? nullptr : &plans_[lengths_of_[i]];
    const bool is_known = lengths != nullptr && columns[lengths_of_[i]].unsupported.empty() &&
                          lengths->layout == ColumnPlan::Layout::kJagged &&
                          primitive_size(lengths->number.type) == sizeof(int32_t) &&
                          !lengths->type.item().is_floating();
    if (!is_known && columns[i].unsupported.empty())
      columns[i].unsupported = "arrays of variable length in objects, whose lengths can't be read";
  }
}

void Tree::keep_embedded_baskets() {
  for (Branch& branch : branches_) {
    for (BasketLocation& basket : branch.baskets) {
      if (basket.seek != 0) continue;
      embedded_.emplace_back(basket.embedded.begin(), basket.embedded.end());
      basket.embedded = embedded_.back();
    }
  }
}

ErrorContext Tree::context(size_t column, EntryRange entries) const {
  return {.file = file(), .object = name_, .column = schema_[column].name, .entries = entries};
}

std::vector<StorageBlock> Tree::blocks(size_t column) const {
  const Branch& branch = branches_[plans_[column].branch];
  const double ratio = branch.compressed_bytes <= 0 ? 1
                                                    : static_cast<double>(branch.total_bytes) /
                                                          static_cast<double>(branch.compressed_bytes);
  std::vector<StorageBlock> blocks;
  for (const BasketLocation& basket : branch.baskets) {
    if (basket.first_entry >= num_entries_) break;
    const bool embedded = basket.seek == 0;
    const uint64_t size = embedded ? basket.embedded.size() : basket.size;
    blocks.push_back(
        {.first_entry = basket.first_entry,
         .compressed_bytes = size,
         .uncompressed_bytes = embedded ? size : static_cast<uint64_t>(static_cast<double>(size) * ratio),
         .offset = basket.seek});
  }
  return blocks;
}

std::unique_ptr<FetchedColumns> Tree::fetch(std::span<const size_t> columns, EntryRange entries,
                                            const std::shared_ptr<MemoryPool>& pool,
                                            const std::stop_token& stop) const {
  if (entries.start < 0 || entries.stop < entries.start || entries.stop > num_entries_) {
    throw ConfigError(
        concat("entries ", entries.start, " to ", entries.stop, " of a tree with ", num_entries_),
        {.file = file(), .object = name_});
  }
  auto fetched = std::make_unique<FetchedBaskets>(columns, entries);
  // Of each branch the first and the last basket, and one more.
  std::map<size_t, std::pair<size_t, size_t>> wanted;
  const auto want = [&](size_t branch_index, EntryRange range) {
    const Branch& branch = branches_[branch_index];
    if (range.stop > branch.num_entries) {
      throw FormatError(concat("the branch has ", branch.num_entries, " entries"), {.column = branch.name});
    }
    const size_t first = branch.basket_of(range.start);
    const size_t stop = branch.basket_of(range.stop - 1) + 1;
    const auto [found, is_new] = wanted.emplace(branch_index, std::pair(first, stop));
    if (is_new) return;
    found->second.first = std::min(found->second.first, first);
    found->second.second = std::max(found->second.second, stop);
  };
  if (entries.size() == 0) return fetched;
  with_context({.file = file(), .object = name_, .entries = entries}, [&] {
    const auto want_column = [&](size_t column) {
      want(plans_[column].branch, entries);
      if (counter_of_[column] == SIZE_MAX) return;
      // Where entries begin follows from the counts of all before them in the basket.
      const Branch& branch = branches_[plans_[column].branch];
      const int64_t start = branch.basket_entries(branch.basket_of(entries.start)).start;
      want(counters_[counter_of_[column]].branch, {start, entries.stop});
    };
    for (const size_t column : columns) {
      schema_.require(schema_[column].name);
      want_column(column);
      if (lengths_of_[column] != SIZE_MAX) want_column(lengths_of_[column]);
    }
    std::vector<io::ByteRange> ranges;
    for (const auto& [index, baskets] : wanted) {
      for (size_t i = baskets.first; i < baskets.second; ++i) {
        const BasketLocation& basket = branches_[index].baskets[i];
        if (basket.seek == 0) continue;
        const uint32_t size = basket.size != 0 ? basket.size : record_size_at(file_->bytes(), basket.seek);
        ranges.push_back({basket.seek, size});
      }
    }
    fetched->read = std::make_unique<io::CoalescedRead>(file_->bytes(), ranges, pool,
                                                        io::RandomAccessFile::kLargestGap, stop);
    size_t range = 0;
    for (const auto& [index, baskets] : wanted) {
      FetchedBranch& data = fetched->branches[index];
      data.branch = &branches_[index];
      data.first_basket = baskets.first;
      for (size_t i = baskets.first; i < baskets.second; ++i) {
        const BasketLocation& basket = branches_[index].baskets[i];
        data.records.push_back(basket.seek == 0 ? io::StoredBytes(basket.embedded)
                                                : (*fetched->read)[range++]);
      }
    }
  });
  return fetched;
}

Column Tree::decode(const FetchedColumns& fetched, size_t position, const std::shared_ptr<MemoryPool>& pool,
                    const Buffer& destination) const {
  const auto& baskets = dynamic_cast<const FetchedBaskets&>(fetched);
  const size_t column = baskets.columns[position];
  const ColumnPlan& plan = plans_[column];
  return with_context(context(column, baskets.entries), [&] {
    const FetchedBranch nothing{.branch = &branches_[plan.branch], .first_basket = 0, .records = {}};
    const auto data_of = [&](size_t branch) -> const FetchedBranch& {
      const auto found = baskets.branches.find(branch);
      return found == baskets.branches.end() ? nothing : found->second;
    };
    const auto task_of = [&](size_t wanted) {
      const bool counted = counter_of_[wanted] != SIZE_MAX;
      const ColumnPlan* counter = counted ? &counters_[counter_of_[wanted]] : nullptr;
      return DecodeTask{.plan = plans_[wanted],
                        .data = data_of(plans_[wanted].branch),
                        .counter_plan = counter,
                        .counter_data = counted ? &data_of(counter->branch) : nullptr,
                        .entries = baskets.entries,
                        .pool = pool,
                        .infos = infos_.get()};
    };
    DecodeTask task = task_of(column);
    if (lengths_of_[column] != SIZE_MAX) {
      const Column lengths = decode_jagged(task_of(lengths_of_[column]));
      task.lengths = &lengths;
      return decode_stream(task, destination);
    }
    switch (plan.layout) {
      case ColumnPlan::Layout::kFixed:
        return decode_fixed(task, destination);
      case ColumnPlan::Layout::kLeafList:
        return decode_leaf_list(task);
      case ColumnPlan::Layout::kJagged: {
        if (!plan.counter || plan.header_size != 0) return decode_jagged(task);
        task.known_offsets = baskets.offsets.find(*plan.counter);
        Column lists = decode_jagged(task);
        baskets.offsets.keep(*plan.counter, lists.offsets);
        return lists;
      }
      default:
        return decode_stream(task, destination);
    }
  });
}

}  // namespace sapwood::ttree
