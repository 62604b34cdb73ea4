#include "sapwood/rntuple/field_tree.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string_view>
#include <unordered_set>

#include "sapwood/streamed/class_planner.h"

namespace sapwood::rntuple {
namespace {

constexpr int kMaxDepth = 64;
// The names of members repeat those of the records around them.
constexpr size_t kMaxNameBytes = 256 << 20;

std::optional<TypeKind> kind_of_type_name(std::string_view name) {
  struct Named {
    std::string_view name;
    TypeKind kind;
  };
  static constexpr Named kNames[] = {
      {"bool", TypeKind::kBool},
      {"char", TypeKind::kInt8},
      {"std::byte", TypeKind::kUInt8},
      {"std::int8_t", TypeKind::kInt8},
      {"std::uint8_t", TypeKind::kUInt8},
      {"std::int16_t", TypeKind::kInt16},
      {"std::uint16_t", TypeKind::kUInt16},
      {"std::int32_t", TypeKind::kInt32},
      {"std::uint32_t", TypeKind::kUInt32},
      {"std::int64_t", TypeKind::kInt64},
      {"std::uint64_t", TypeKind::kUInt64},
      {"float", TypeKind::kFloat32},
      {"double", TypeKind::kFloat64},
      {"ROOT::RNTupleCardinality<std::uint32_t>", TypeKind::kUInt32},
      {"ROOT::RNTupleCardinality<std::uint64_t>", TypeKind::kUInt64},
  };
  for (const Named& named : kNames) {
    if (named.name == name) return named.kind;
  }
  return std::nullopt;
}

class TreeBuilder {
 public:
  TreeBuilder(const Descriptor& descriptor, const root::StreamerInfos& infos)
      : descriptor_(descriptor),
        classes_(infos),
        children_(descriptor.fields.size()),
        columns_(descriptor.fields.size()) {
    for (uint32_t id = 0; id < descriptor.fields.size(); ++id) {
      const uint32_t parent = descriptor.fields[id].parent;
      if (parent != id) children_[parent].push_back(id);
    }
    for (uint32_t id = 0; id < descriptor.columns.size(); ++id) {
      columns_[descriptor.columns[id].field].push_back(id);
    }
    for (const AliasColumn& alias : descriptor.alias_columns) {
      columns_[alias.field].push_back(alias.physical_column);
    }
  }

  std::shared_ptr<const FieldNode> build(uint32_t id, int depth = 0) const {
    const FieldDescription& field = descriptor_.fields[id];
    auto node = std::make_shared<FieldNode>();
    node->stored_type = field.type_name;
    if (depth > kMaxDepth) {
      node->unsupported = concat("fields nested deeper than ", kMaxDepth);
    } else if (field.field_version != 0) {
      node->unsupported = concat("version ", field.field_version, " of field '", field.name, "'");
    } else {
      fill(*node, id, depth);
    }
    return node;
  }

 private:
  void fill(FieldNode& node, uint32_t id, int depth) const {
    const FieldDescription& field = descriptor_.fields[id];
    if (field.is_repetitive()) return fill_array(node, id, depth);
    switch (static_cast<StructuralRole>(field.role)) {
      case StructuralRole::kLeaf:
        return fill_leaf(node, id, depth);
      case StructuralRole::kCollection:
        return fill_collection(node, id, depth);
      case StructuralRole::kRecord:
        return fill_record(node, id, depth);
      case StructuralRole::kVariant:
        return fill_variant(node, id, depth);
      case StructuralRole::kStreamer:
        return fill_streamed(node, id);
    }
    refuse(node, field, concat("a field of the unknown role ", field.role));
  }

  static void refuse(FieldNode& node, const FieldDescription& field, const std::string& what) {
    node.unsupported = concat("field '", field.name, "' is ", what);
    if (!field.type_name.empty()) node.unsupported += concat(" (", field.type_name, ")");
  }

  void fill_array(FieldNode& node, uint32_t id, int depth) const {
    const FieldDescription& field = descriptor_.fields[id];
    // No array that exists has more elements; the limit keeps products far from an overflow.
    constexpr uint64_t kMaxArraySize = std::numeric_limits<int32_t>::max();
    if (field.array_size == 0 || field.array_size > kMaxArraySize) {
      return refuse(node, field, concat("an array of size ", field.array_size));
    }
    std::shared_ptr<const FieldNode> item;
    if (children_[id].empty()) {  // std::bitset
      auto values = std::make_shared<FieldNode>();
      values->stored_type = field.type_name;
      fill_values(*values, id, TypeKind::kBool);
      item = std::move(values);
    } else if (children_[id].size() == 1) {
      item = build(children_[id].front(), depth + 1);
    } else {
      return refuse(node, field, "an array with several item fields");
    }
    node.kind = NodeKind::kFixedList;
    node.fixed_size = static_cast<int64_t>(field.array_size);
    adopt(node, std::move(item));
    if (!node.unsupported.empty()) return;
    const Type& item_type = node.children.front()->type;
    const size_t item_size = fixed_entry_size(item_type);
    if (item_size > kMaxArraySize / field.array_size) {
      return refuse(node, field, "an array of absurd size");
    }
    node.type = Type::fixed_list(item_type, node.fixed_size);
  }

  void fill_leaf(FieldNode& node, uint32_t id, int depth) const {
    const FieldDescription& field = descriptor_.fields[id];
    if (columns_[id].empty() && children_[id].size() == 1) {  // an enum or std::atomic
      const std::string stored_type = node.stored_type;
      node = *build(children_[id].front(), depth + 1);
      node.stored_type = stored_type;
      return;
    }
    if (!children_[id].empty()) return refuse(node, field, "a leaf with subfields");
    if (field.type_name == "std::string") return fill_string(node, id);
    const std::optional<TypeKind> kind = kind_of_type_name(field.type_name);
    if (!kind) return refuse(node, field, "of an unknown type");
    if (field.type_name.starts_with("ROOT::RNTupleCardinality<")) {
      node.kind = NodeKind::kCardinality;
      node.type.kind = *kind;
      return fill_index(node, id);
    }
    fill_values(node, id, *kind);
  }

  void fill_values(FieldNode& node, uint32_t id, TypeKind kind) const {
    node.kind = NodeKind::kValues;
    node.type.kind = kind;
    node.principal = physical_columns(node, id, 0, 1);
    for (const PhysicalColumn& column : node.principal) {
      if (!decodes_to(column.encoding, kind)) return refuse_column(node, id, column.id);
    }
  }

  // The principal columns alone: the first of `columns_per_representation`.
  void fill_index(FieldNode& node, uint32_t id, size_t columns_per_representation = 1) const {
    node.principal = physical_columns(node, id, 0, columns_per_representation);
    for (const PhysicalColumn& column : node.principal) {
      if (!column.encoding.is_index) return refuse_column(node, id, column.id);
    }
  }

  void fill_string(FieldNode& node, uint32_t id) const {
    node.kind = NodeKind::kString;
    node.type.kind = TypeKind::kString;
    fill_index(node, id, 2);
    if (!node.unsupported.empty()) return;
    node.characters = physical_columns(node, id, 1, 2);
    for (const PhysicalColumn& column : node.characters) {
      if (!decodes_to(column.encoding, TypeKind::kInt8)) return refuse_column(node, id, column.id);
    }
  }

  void fill_streamed(FieldNode& node, uint32_t id) const {
    try {
      const std::string& type = descriptor_.fields[id].type_name;
      node.object = std::make_shared<const streamed::StreamNode>(classes_.object(type));
    } catch (const UnsupportedError& error) {
      return refuse(node, descriptor_.fields[id], error.message());
    }
    node.kind = NodeKind::kStreamed;
    node.type = streamed::type_of(*node.object);
    fill_index(node, id, 2);
    if (!node.unsupported.empty()) return;
    node.characters = physical_columns(node, id, 1, 2);
    for (const PhysicalColumn& column : node.characters) {
      if (!decodes_to(column.encoding, TypeKind::kUInt8)) return refuse_column(node, id, column.id);
    }
  }

  void fill_collection(FieldNode& node, uint32_t id, int depth) const {
    const FieldDescription& field = descriptor_.fields[id];
    if (children_[id].empty()) return refuse(node, field, "a collection without an item field");
    node.kind = NodeKind::kList;
    fill_index(node, id);
    if (!node.unsupported.empty()) return;
    if (children_[id].size() == 1) {
      adopt(node, build(children_[id].front(), depth + 1));
    } else {
      return refuse(node, field, "a collection with several item fields");
    }
    if (node.unsupported.empty()) node.type = Type::list(node.children.front()->type);
  }

  void fill_record(FieldNode& node, uint32_t id, int depth) const {
    const FieldDescription& field = descriptor_.fields[id];
    node.kind = NodeKind::kStruct;
    if (!columns_[id].empty()) return refuse(node, field, "a record with columns");
    std::unordered_set<std::string> names;
    for (const uint32_t child : children_[id]) names.insert(descriptor_.fields[child].name);
    for (const uint32_t child : children_[id]) {
      add_member(node, descriptor_.fields[child].name, build(child, depth + 1), names);
    }
    set_record_type(node);
  }

  // A record of its alternatives, of which one at most has a value.
  void fill_variant(FieldNode& node, uint32_t id, int depth) const {
    node.kind = NodeKind::kStruct;
    for (size_t i = 0; i < children_[id].size(); ++i) {
      auto alternative = std::make_shared<FieldNode>();
      alternative->kind = NodeKind::kAlternative;
      alternative->tag = static_cast<uint32_t>(i) + 1;
      alternative->principal = physical_columns(*alternative, id, 0, 1);
      for (const PhysicalColumn& column : alternative->principal) {
        if (!column.encoding.is_switch) refuse_column(*alternative, id, column.id);
      }
      adopt(*alternative, build(children_[id][i], depth + 1));
      const FieldNode& value = *alternative->children.front();
      alternative->stored_type = value.stored_type;
      if (alternative->unsupported.empty()) alternative->type = Type::list(value.type);
      node.child_names.push_back(concat('_', i));
      adopt(node, std::move(alternative));
    }
    set_record_type(node);
  }

  static void set_record_type(FieldNode& node) {
    if (!node.unsupported.empty()) return;
    std::vector<Field> members;
    for (size_t i = 0; i < node.children.size(); ++i) {
      members.push_back({node.child_names[i], node.children[i]->type});
    }
    node.type = Type::structure(std::move(members));
  }

  // A base class is stored as a record named ":_0", ":_1", ...; what a class inherits are its members, too,
  // but where it has others of these `names`.
  static void add_member(FieldNode& node, const std::string& name, std::shared_ptr<const FieldNode> member,
                         std::unordered_set<std::string>& names) {
    const auto is_taken = [&](const std::string& inherited) { return names.contains(inherited); };
    if (name.starts_with(":_") && member->kind == NodeKind::kStruct &&
        std::ranges::none_of(member->child_names, is_taken)) {
      if (node.unsupported.empty()) node.unsupported = member->unsupported;
      for (size_t i = 0; i < member->children.size(); ++i) {
        names.insert(member->child_names[i]);
        node.child_names.push_back(member->child_names[i]);
        node.children.push_back(member->children[i]);
      }
      return;
    }
    node.child_names.push_back(name);
    adopt(node, std::move(member));
  }

  static void adopt(FieldNode& node, std::shared_ptr<const FieldNode> child) {
    if (node.unsupported.empty()) node.unsupported = child->unsupported;
    node.children.push_back(std::move(child));
  }

  // The `position`-th column of each representation of a field, which has `per_representation` columns in
  // each.
  std::vector<PhysicalColumn> physical_columns(FieldNode& node, uint32_t id, size_t position,
                                               size_t per_representation) const {
    const std::vector<uint32_t>& ids = columns_[id];
    std::vector<PhysicalColumn> result;
    if (ids.empty() || ids.size() % per_representation != 0) {
      refuse(node, descriptor_.fields[id], concat("stored in ", ids.size(), " columns"));
      return result;
    }
    for (size_t i = position; i < ids.size(); i += per_representation) {
      const std::optional<Encoding> encoding = encoding_of(descriptor_.columns[ids[i]]);
      if (!encoding) {
        refuse_column(node, id, ids[i]);
        return {};
      }
      result.push_back({ids[i], *encoding});
    }
    return result;
  }

  void refuse_column(FieldNode& node, uint32_t id, uint32_t column) const {
    const ColumnDescription& description = descriptor_.columns[column];
    refuse(node, descriptor_.fields[id],
           concat("stored in a column of type ", description.type, " with ", description.bits, " bits"));
  }

  const Descriptor& descriptor_;
  mutable streamed::ClassPlanner classes_;  // counts what it has planned
  std::vector<std::vector<uint32_t>> children_;
  std::vector<std::vector<uint32_t>> columns_;  // ids of physical columns by field
};

using Path = std::vector<const FieldNode*>;

// The member under copies of the lists around it.
std::shared_ptr<const FieldNode> inside_lists(const Path& lists, std::shared_ptr<const FieldNode> member) {
  const std::string stored_type = member->stored_type;
  for (auto outer = lists.rbegin(); outer != lists.rend(); ++outer) {
    auto list = std::make_shared<FieldNode>();
    list->kind = (*outer)->kind;
    list->principal = (*outer)->principal;
    list->fixed_size = (*outer)->fixed_size;
    list->tag = (*outer)->tag;
    list->stored_type = stored_type;
    list->unsupported = member->unsupported;
    list->type = list->kind == NodeKind::kFixedList ? Type::fixed_list(member->type, list->fixed_size)
                                                    : Type::list(member->type);
    list->children.push_back(std::move(member));
    member = std::move(list);
  }
  return member;
}

class MemberCollector {
 public:
  explicit MemberCollector(std::vector<NamedNode>& columns) : columns_(columns) {}

  void collect(const std::string& name, const FieldNode& node) {
    if (node.kind == NodeKind::kList || node.kind == NodeKind::kFixedList ||
        node.kind == NodeKind::kAlternative) {
      if (node.children.empty()) return;
      lists_.push_back(&node);
      collect(name, *node.children.front());
      lists_.pop_back();
      return;
    }
    if (node.kind == NodeKind::kStreamed && node.object) collect_streamed(name, node);
    for (size_t i = 0; i < node.child_names.size(); ++i) {
      const std::string member_name = name + "." + node.child_names[i];
      add(member_name, node.children[i]);
      collect(member_name, *node.children[i]);
    }
  }

 private:
  void add(const std::string& name, std::shared_ptr<const FieldNode> node) {
    name_bytes_ += name.size();
    if (name_bytes_ > kMaxNameBytes) throw FormatError("corrupt RNTuple header: absurdly long field names");
    columns_.push_back({name, true, inside_lists(lists_, std::move(node))});
  }

  void collect_streamed(const std::string& name, const FieldNode& node) {
    for (streamed::StreamMember& member : streamed::members_of(*node.object)) {
      const auto of_object = std::make_shared<FieldNode>(node);
      of_object->type = std::move(member.type);
      of_object->stored_type = member.node->type_name;
      if (node.unsupported.empty()) of_object->unsupported = std::move(member.problem);
      std::string member_name = name;
      for (const std::string& part : member.path) member_name += '.' + part;
      of_object->path = std::move(member.path);
      add(member_name, of_object);
    }
  }

  std::vector<NamedNode>& columns_;
  Path lists_;
  size_t name_bytes_ = 0;
};

}  // namespace

std::vector<NamedNode> build_field_trees(const Descriptor& descriptor, const root::StreamerInfos& infos) {
  const TreeBuilder builder(descriptor, infos);
  std::vector<NamedNode> columns;
  MemberCollector members(columns);
  for (uint32_t id = 0; id < descriptor.fields.size(); ++id) {
    const FieldDescription& field = descriptor.fields[id];
    if (field.parent != id) continue;
    std::shared_ptr<const FieldNode> node = builder.build(id);
    columns.push_back({field.name, false, node});
    members.collect(field.name, *node);
  }
  std::unordered_set<std::string_view> names;
  for (const NamedNode& column : columns) {
    if (!names.insert(column.name).second) {
      throw FormatError(concat("corrupt RNTuple header: two fields of the name '", column.name, "'"));
    }
  }
  return columns;
}

}  // namespace sapwood::rntuple
