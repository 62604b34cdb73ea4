#include "sapwood/ttree/column_plan.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "sapwood/streamed/class_planner.h"

namespace sapwood::ttree {
namespace {

using Layout = ColumnPlan::Layout;
using Kind = streamed::StreamNode::Kind;

constexpr int64_t kLargestItem = 1 << 30;
/// Before the items of a collection: byte count, version, count.
constexpr int64_t kCollectionHeader = 10;
/// Before the items of an array of variable length in a class: whether there are any.
constexpr int64_t kPresenceByte = 1;
/// A branch's node type: its objects are stored by their class's own Streamer.
constexpr int64_t kCustomStreamer = -1;
/// The same: a TClonesArray whose objects' members are branches.
constexpr int64_t kSplitClones = 3;

/// The sizes in a leaf's title, "name[3][n][2]/F": those that are numbers.
std::vector<int64_t> fixed_dimensions(const Leaf& leaf) {
  std::vector<int64_t> dimensions;
  int64_t product = 1;
  const std::string_view title = leaf.title;
  for (size_t open = title.find('['); open != std::string_view::npos; open = title.find('[', open + 1)) {
    const size_t close = title.find(']', open);
    if (close == std::string_view::npos) break;
    int64_t size = 0;
    const auto [end, error] = std::from_chars(title.data() + open + 1, title.data() + close, size);
    if (error != std::errc{} || end != title.data() + close || size <= 0 || size > kLargestItem) continue;
    dimensions.push_back(size);
    product = std::min(product * size, kLargestItem);
  }
  if (product != leaf.length) {
    dimensions.clear();
    if (leaf.length > 1) dimensions.push_back(leaf.length);
  }
  return dimensions;
}

Type scalar(TypeKind kind) {
  Type type;
  type.kind = kind;
  return type;
}

Type with_dimensions(TypeKind kind, const std::vector<int64_t>& dimensions) {
  Type type = scalar(kind);
  for (auto size = dimensions.rbegin(); size != dimensions.rend(); ++size) {
    type = Type::fixed_list(std::move(type), *size);
  }
  return type;
}

/// "Float_t" and the like, for leaves that don't name their type.
std::string leaf_type_name(const Leaf& leaf, const streamed::NumberFormat& number) {
  if (leaf.class_name == "TLeafD32") return "Double32_t";
  if (leaf.class_name == "TLeafF16") return "Float16_t";
  switch (number.type) {
    case TypeKind::kBool:
      return "Bool_t";
    case TypeKind::kInt8:
      return "Char_t";
    case TypeKind::kUInt8:
      return "UChar_t";
    case TypeKind::kInt16:
      return "Short_t";
    case TypeKind::kUInt16:
      return "UShort_t";
    case TypeKind::kInt32:
      return "Int_t";
    case TypeKind::kUInt32:
      return "UInt_t";
    case TypeKind::kInt64:
      return "Long64_t";
    case TypeKind::kUInt64:
      return "ULong64_t";
    case TypeKind::kFloat32:
      return "Float_t";
    default:
      return "Double_t";
  }
}

/// A type name as the file spells it, with the sizes from the leaf's title.
std::string with_sizes(const std::string& type_name, const Leaf& leaf) {
  const size_t open = leaf.title.find('[');
  const size_t close = leaf.title.rfind(']');
  if (open == std::string::npos || close == std::string::npos || close < open) return type_name;
  return type_name + leaf.title.substr(open, close - open + 1);
}

/// Branches by their parent and name; the first of those that share both.
using Siblings = std::map<std::pair<std::optional<size_t>, std::string_view>, size_t>;

/// Plans one branch; what can't be read throws UnsupportedError.
class BranchPlanner {
 public:
  BranchPlanner(const Branch& branch, size_t index, const Siblings& siblings,
                const root::StreamerInfos& infos, streamed::ClassPlanner& classes)
      : branch_(branch), siblings_(siblings), infos_(infos), classes_(classes), element_(find_element()) {
    plan_.branch = index;
  }

  /// The type in the file's own words.
  std::string stored_type() const {
    if (element_ != nullptr) return element_->is_base ? element_->name : element_->type_name;
    if (branch_.class_name == "TBranchElement" || branch_.class_name == "TBranchObject")
      return branch_.cpp_class;
    if (branch_.leaves.empty()) return branch_.class_name;
    if (branch_.leaves.size() > 1) return branch_.title;
    const Leaf& leaf = branch_.leaves.front();
    if (leaf.class_name == "TLeafC") return "char*";
    const auto number = streamed::leaf_number_format(leaf.class_name, leaf.is_unsigned, leaf.title);
    return number ? with_sizes(leaf_type_name(leaf, *number), leaf) : leaf.class_name;
  }

  ColumnPlan plan() {
    if (!branch_.problem.empty()) throw UnsupportedError(branch_.problem);
    if (branch_.leaves.empty()) throw UnsupportedError("the branch has no leaves");
    if (branch_.leaves.size() > 1) return plan_leaf_list();
    const Leaf& leaf = branch_.leaves.front();
    if (leaf.class_name == "TLeafElement" && leaf.element_type == root::kBits) {
      const streamed::StreamNode bits{.kind = Kind::kBits};
      return plan_stream(in_collection() ? streamed::StreamNode{.kind = Kind::kUntilEnd, .item = {bits}}
                                         : bits);
    }
    if (leaf.class_name == "TLeafC") return plan_stream({.kind = Kind::kString, .may_lack = true});
    if (const auto number = leaf_number(leaf)) return plan_numbers(leaf, *number);
    if (branch_.class_name == "TBranchElement" || branch_.class_name == "TBranchObject") return plan_object();
    throw UnsupportedError(concat("a ", branch_.class_name, " with a ", leaf.class_name));
  }

  /// What it is, where it is a TClonesArray of which nothing is known.
  std::optional<streamed::StreamNode> unknown_clones() const {
    if (holds_clones()) {
      streamed::StreamNode node{.kind = Kind::kUnreadable, .clones = clones_key()};
      if (branch_.class_name == "TBranchObject") node = {.kind = Kind::kNamed, .item = {std::move(node)}};
      return node;
    }
    if (element_ == nullptr || in_collection()) return std::nullopt;
    return streamed::ClassPlanner::unknown_clones(*find_class(), *element_);
  }

 private:
  /// Whether its entries are TClonesArrays, whole.
  bool holds_clones() const {
    return branch_.cpp_class == "TClonesArray" && branch_.node_type != kSplitClones && branch_.member_id < 0;
  }
  std::string clones_key() const { return '/' + branch_.path; }
  bool in_collection() const { return branch_.node_type == 31 || branch_.node_type == 41; }

  const root::StreamerInfo* find_class() const {
    // The versions of a class without a ClassDef are all 1.
    const root::StreamerInfo* info =
        infos_.find_checksum(branch_.cpp_class, static_cast<uint32_t>(branch_.checksum));
    if (info != nullptr) return info;
    return infos_.find(branch_.cpp_class, static_cast<int32_t>(branch_.class_version));
  }

  const root::StreamerElement* find_element() const {
    if (branch_.member_id < 0) return nullptr;
    const auto id = static_cast<size_t>(branch_.member_id);
    const root::StreamerInfo* info = find_class();
    return info != nullptr && id < info->elements.size() ? &info->elements[id] : nullptr;
  }

  std::optional<streamed::NumberFormat> leaf_number(const Leaf& leaf) const {
    if (leaf.class_name == "TLeafElement") {
      return streamed::number_format(leaf.element_type, element_ == nullptr ? "" : element_->title);
    }
    return streamed::leaf_number_format(leaf.class_name, leaf.is_unsigned, leaf.title);
  }

  void set_numbers(const Leaf& leaf, const streamed::NumberFormat& number) {
    if (leaf.length <= 0 || leaf.length > kLargestItem / number.stored_size) {
      throw UnsupportedError(concat("an array of ", leaf.length, " values"));
    }
    plan_.number = number;
    plan_.values_per_item = leaf.length;
    plan_.type = with_dimensions(number.type, fixed_dimensions(leaf));
  }

  ColumnPlan plan_numbers(Leaf leaf, const streamed::NumberFormat& number) {
    const bool pointer = leaf.class_name == "TLeafElement" && leaf.element_type > root::kOffsetP;
    if (pointer && leaf.length > 1) throw UnsupportedError("several arrays of variable length in one member");
    // ROOT gives -1 where it did not find the counter's branch; the entry's bytes tell how many there are.
    if (pointer && leaf.length < 0) leaf.length = 1;
    set_numbers(leaf, number);
    if (pointer && in_collection()) return plan_arrays_of_objects(number);
    if (pointer || leaf.is_counted) {
      plan_.layout = Layout::kJagged;
      plan_.header_size = pointer ? kPresenceByte : 0;
      plan_.counter = leaf.counter;
      plan_.type = Type::list(std::move(plan_.type));
    } else if (in_collection()) {
      throw UnsupportedError("a member of a collection without the collection's counts");
    } else {
      plan_.entry_size = plan_.item_size();
    }
    return std::move(plan_);
  }

  /// Of each object of a collection a byte that says whether there are any, and as many numbers as another
  /// member says, which is a branch beside this one.
  ColumnPlan plan_arrays_of_objects(const streamed::NumberFormat& number) {
    find_lengths();
    streamed::StreamNode array{
        .kind = Kind::kCounted, .has_presence = true, .item = {{.kind = Kind::kNumber, .number = number}}};
    return plan_stream({.kind = Kind::kUntilEnd, .item = {std::move(array)}});
  }

  void find_lengths() {
    const size_t prefix = branch_.name.rfind('.') + 1;
    const std::string name =
        branch_.name.substr(0, prefix) + (element_ == nullptr ? "" : element_->count_name);
    const auto counter = siblings_.find({branch_.parent, name});
    if (counter == siblings_.end())
      throw UnsupportedError(
          "an array of variable length in each object of a collection, without its length");
    plan_.lengths = counter->second;
  }

  ColumnPlan plan_leaf_list() {
    const auto is_variable = [](const Leaf& leaf) { return leaf.is_counted || leaf.class_name == "TLeafC"; };
    if (std::ranges::any_of(branch_.leaves, is_variable)) return plan_stream(leaf_record());
    ColumnPlan list{.layout = Layout::kLeafList, .branch = plan_.branch};
    std::vector<Field> fields;
    for (const Leaf& leaf : branch_.leaves) {
      plan_ = {.branch = list.branch};
      set_numbers(leaf, number_of(leaf));
      plan_.entry_offset = list.entry_size;
      list.entry_size += plan_.item_size();
      if (list.entry_size > kLargestItem) throw UnsupportedError("leaves of more than 1 GiB an entry");
      fields.push_back({leaf.name, plan_.type});
      list.members.push_back(std::move(plan_));
    }
    for (ColumnPlan& member : list.members) member.entry_size = list.entry_size;
    list.type = Type::structure(std::move(fields));
    return list;
  }

  streamed::NumberFormat number_of(const Leaf& leaf) const {
    const auto number = leaf_number(leaf);
    if (!number) throw UnsupportedError(concat("a list of leaves with a ", leaf.class_name, " among them"));
    return *number;
  }

  /// Leaves of which some have no fixed size: strings, and arrays that others count.
  streamed::StreamNode leaf_record() const {
    streamed::StreamNode record{.kind = Kind::kRecord, .class_name = branch_.name, .is_built_in = true};
    for (const Leaf& leaf : branch_.leaves) {
      streamed::StreamNode node{.kind = Kind::kString, .may_lack = true};
      if (leaf.class_name != "TLeafC") {
        node = {.kind = Kind::kNumber, .number = number_of(leaf)};
        const std::vector<int64_t> sizes = fixed_dimensions(leaf);
        for (auto size = sizes.rbegin(); size != sizes.rend(); ++size)
          node = {.kind = Kind::kFixed, .size = *size, .item = {std::move(node)}};
      }
      if (leaf.is_counted) {
        if (!leaf.counter || leaf.counter->branch != plan_.branch || leaf.counter->leaf >= record.item.size())
          throw UnsupportedError(concat("leaf ", leaf.name, " is counted by one of another branch"));
        streamed::StreamNode& counter = record.item[leaf.counter->leaf];
        if (counter.kind != Kind::kNumber) throw UnsupportedError("counts that are not integers");
        counter.is_counter = true;
        node = {.kind = Kind::kCounted, .item = {std::move(node)}, .counter = counter.name};
      }
      node.name = leaf.name;
      node.type_name = leaf.class_name;
      record.item.push_back(std::move(node));
    }
    return record;
  }

  ColumnPlan plan_stream(streamed::StreamNode node) {
    plan_.layout = Layout::kStream;
    plan_.type = streamed::type_of(node);
    plan_.stream = std::make_shared<const streamed::StreamNode>(std::move(node));
    return std::move(plan_);
  }

  /// A branch of something other than numbers: by the streamer's type for a member, by its class else.
  ColumnPlan plan_object() {
    if (branch_.node_type == 3 || branch_.node_type == 4) {
      throw UnsupportedError(concat("a collection of ", branch_.clones_class, " without members"));
    }
    if (branch_.member_id >= 0) {
      if (element_ == nullptr) {
        throw UnsupportedError(
            concat("no streamer info for version ", branch_.class_version, " of class ", branch_.cpp_class));
      }
      return in_collection() ? plan_members() : plan_values(whole_member());
    }
    const streamed::CppType type = streamed::parse_cpp_type(stored_type());
    const root::StreamerInfo* info = type.kind == streamed::CppType::Kind::kClass ? find_class() : nullptr;
    streamed::StreamNode node = holds_clones()    ? classes_.known_clones(clones_key())
                                : info != nullptr ? classes_.object(*info)
                                                  : classes_.value(type, true);
    // Only as members, or where its class streams itself, has a std::string or an object a header.
    const bool is_named = branch_.class_name == "TBranchObject";
    const bool has_own = node.is_built_in && type.kind == streamed::CppType::Kind::kClass;
    if (node.kind == Kind::kString) node.has_header = is_named;
    if (node.kind == Kind::kRecord && !has_own)
      node.has_header = is_named || branch_.node_type == kCustomStreamer;
    if (is_named) node = {.kind = Kind::kNamed, .item = {std::move(node)}};
    return plan_values(std::move(node));
  }

  /// A member of all objects of a collection.
  ColumnPlan plan_members() {
    streamed::StreamNode node = classes_.members(*element_);
    if (node.kind == Kind::kMemberwise) {
      plan_.counter = branch_.leaves.front().counter;
      if (!plan_.counter) throw UnsupportedError("a base of a collection's objects without their number");
      plan_.needs_counter = true;
    }
    if (!node.item.empty() && node.item.front().kind == Kind::kCounted) find_lengths();
    return plan_values(std::move(node));
  }

  streamed::StreamNode whole_member() {
    streamed::StreamNode node = classes_.member(*find_class(), *element_);
    // The counts are in another branch.
    if (node.kind == Kind::kCounted && node.has_header) node.kind = Kind::kUntilEnd;
    node.is_whole = element_->is_base && node.kind == Kind::kRecord && !node.is_built_in;
    node.is_base = node.is_hidden = false;
    return node;
  }

  ColumnPlan plan_values(streamed::StreamNode node) {
    if (node.kind == Kind::kRecord && node.item.empty()) throw UnsupportedError("an object without members");
    const bool is_vector =
        node.kind == Kind::kList && node.has_header && node.item.front().kind == Kind::kNumber;
    if (!is_vector) return plan_stream(std::move(node));
    plan_.layout = Layout::kJagged;
    plan_.number = node.item.front().number;
    plan_.header_size = kCollectionHeader;
    plan_.type = streamed::type_of(node);
    return std::move(plan_);
  }

  const Branch& branch_;
  const Siblings& siblings_;
  const root::StreamerInfos& infos_;
  streamed::ClassPlanner& classes_;
  const root::StreamerElement* element_;
  ColumnPlan plan_{};
};

double mean_values(const ColumnPlan& plan, const Branch& branch) {
  if (plan.layout == Layout::kLeafList) {
    double sum = 0;
    for (const ColumnPlan& member : plan.members) sum += static_cast<double>(member.values_per_item);
    return sum;
  }
  const auto per_item = static_cast<double>(plan.values_per_item);
  if (plan.layout == Layout::kFixed) return per_item;
  if (branch.num_entries == 0) return 0;
  // An entry offset of 4 bytes goes with each entry.
  const double bytes = static_cast<double>(branch.total_bytes) / static_cast<double>(branch.num_entries);
  const double values = std::max(0.0, bytes - 4 - static_cast<double>(plan.header_size));
  if (plan.layout == Layout::kJagged) return values / static_cast<double>(plan.item_size()) * per_item;
  const streamed::StreamSize size = streamed::size_of(*plan.stream);
  return values / std::max(size.bytes, 1.0) * size.values;
}

/// The members of records in a column, as columns.
void add_members(const ColumnInfo& whole, const ColumnPlan& plan, PlannedColumns& planned) {
  const double values = streamed::size_of(*plan.stream).values;
  for (streamed::StreamMember& found : streamed::members_of(*plan.stream)) {
    ColumnInfo member = whole;
    for (const std::string& name : found.path) member.name += '.' + name;
    member.type = found.type;
    member.stored_type = found.node->type_name;
    member.unsupported = std::move(found.problem);
    member.is_member = true;
    if (values > 0) member.values_per_entry *= streamed::size_of(*found.node).values / values;
    planned.columns.push_back(std::move(member));
    planned.plans.push_back(plan);
    planned.plans.back().type = found.type;
    planned.plans.back().path = std::move(found.path);
  }
}

/// Makes names unique: those that several branches share become paths, and if even those are shared, the
/// later ones are numbered.
void set_unique_names(std::vector<ColumnInfo>& columns, const std::vector<ColumnPlan>& plans,
                      const std::vector<Branch>& branches) {
  std::unordered_map<std::string, int> uses;
  for (const ColumnInfo& column : columns) ++uses[column.name];
  std::unordered_map<std::string, int> numbers;
  std::unordered_set<std::string> taken;
  for (size_t i = 0; i < columns.size(); ++i) {
    std::string& name = columns[i].name;
    const Branch& branch = branches[plans[i].branch];
    if (uses[name] > 1) name = branch.path + name.substr(branch.name.size());
    const std::string base = name;
    int& number = numbers.emplace(base, 1).first->second;
    while (!taken.insert(name).second) name = concat(base, ';', ++number);
  }
}

}  // namespace

PlannedColumns plan_columns(const std::vector<Branch>& branches, const root::StreamerInfos& infos,
                            int64_t num_entries, const streamed::ClonesClasses& clones) {
  PlannedColumns planned;
  streamed::ClassPlanner classes(infos, clones);
  Siblings siblings;
  for (size_t i = 0; i < branches.size(); ++i)
    siblings.emplace(std::pair(branches[i].parent, std::string_view(branches[i].name)), i);
  for (size_t i = 0; i < branches.size(); ++i) {
    const Branch& branch = branches[i];
    // Nodes, and bases without members.
    if (branch.has_children || (branch.leaves.empty() && branch.baskets.empty() && branch.problem.empty()))
      continue;
    ColumnInfo info{.name = branch.name,
                    .type = {},
                    .stored_type = "",
                    .unsupported = "",
                    .compressed_bytes = static_cast<uint64_t>(std::max<int64_t>(branch.compressed_bytes, 0)),
                    .uncompressed_bytes = static_cast<uint64_t>(std::max<int64_t>(branch.total_bytes, 0))};
    ColumnPlan plan{.branch = i};
    BranchPlanner planner(branch, i, siblings, infos, classes);
    try {
      info.stored_type = planner.stored_type();
      plan = planner.plan();
      if (branch.num_entries < num_entries) {
        throw UnsupportedError(
            concat("the branch has ", branch.num_entries, " entries, the tree ", num_entries));
      }
      info.type = plan.type;
      info.values_per_entry = mean_values(plan, branch);
    } catch (const UnsupportedError& error) {
      info.unsupported = error.message();
      if (auto node = planner.unknown_clones()) planned.unknown_clones.emplace_back(i, std::move(*node));
    }
    const std::vector<ColumnPlan> members = plan.members;
    const ColumnInfo whole = info;
    planned.columns.push_back(std::move(info));
    planned.plans.push_back(plan);
    if (plan.stream) add_members(whole, plan, planned);
    for (size_t m = 0; m < members.size(); ++m) {
      ColumnInfo member = whole;
      const Leaf& leaf = branch.leaves[m];
      member.name += '.' + leaf.name;
      member.type = members[m].type;
      member.stored_type = with_sizes(leaf_type_name(leaf, members[m].number), leaf);
      member.is_member = true;
      member.values_per_entry = static_cast<double>(members[m].values_per_item);
      planned.columns.push_back(std::move(member));
      planned.plans.push_back(members[m]);
    }
  }
  set_unique_names(planned.columns, planned.plans, branches);
  return planned;
}

ColumnPlan plan_counter(const std::vector<Branch>& branches, LeafPosition position) {
  const Branch& branch = branches[position.branch];
  const Leaf& counter = branch.leaves[position.leaf];
  ColumnPlan plan{.layout = Layout::kFixed, .branch = position.branch};
  const auto format_of = [&](const Leaf& leaf) {
    // The parent of a split collection holds the number of objects.
    if (branch.node_type == 3 || branch.node_type == 4) return streamed::number_format(root::kInt, {});
    if (leaf.class_name == "TLeafElement") return streamed::number_format(leaf.element_type, {});
    return streamed::leaf_number_format(leaf.class_name, leaf.is_unsigned, {});
  };
  for (size_t i = 0; i < branch.leaves.size(); ++i) {
    const Leaf& leaf = branch.leaves[i];
    const auto number = format_of(leaf);
    if (!number || leaf.length <= 0 || leaf.length > kLargestItem / 8) {
      throw UnsupportedError(concat("counts in a ", leaf.class_name), {.column = branch.name});
    }
    if (i == position.leaf) plan.entry_offset = plan.entry_size;
    plan.entry_size += leaf.length * number->stored_size;
  }
  plan.number = *format_of(counter);
  plan.type = scalar(plan.number.type);
  if (plan.type.is_floating() || counter.length != 1) {
    throw UnsupportedError("counts that are not integers", {.column = branch.name});
  }
  return plan;
}

}  // namespace sapwood::ttree
