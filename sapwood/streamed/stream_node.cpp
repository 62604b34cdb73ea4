#include "sapwood/streamed/stream_node.h"

#include <algorithm>
#include <utility>

namespace sapwood::streamed {
namespace {

using Kind = StreamNode::Kind;

constexpr double kRecordHeader = 6;

bool is_part(const StreamNode& member) { return !member.is_hidden && member.problem.empty(); }

void add_fields(const StreamNode& record, std::vector<Field>& fields) {
  for (const StreamNode& member : record.item) {
    if (!is_part(member)) continue;
    if (member.is_base) {
      add_fields(member, fields);
    } else {
      fields.push_back({member.name, type_of(member)});
    }
  }
}

class MemberCollector {
 public:
  std::vector<StreamMember> collect(const StreamNode& node) {
    visit(node);
    return std::move(members_);
  }

 private:
  void visit(const StreamNode& node) {
    if (node.kind == Kind::kRecord) return visit_record(node);
    if (node.item.empty()) return;
    const bool is_list = node.kind != Kind::kNamed && !(node.kind == Kind::kPointer && node.is_required);
    if (is_list) lists_.push_back(&node);
    visit(node.item.front());
    if (is_list) lists_.pop_back();
  }

  void visit_record(const StreamNode& record) {
    for (const StreamNode& member : record.item) {
      if (member.is_hidden) continue;
      if (member.is_base && member.kind == Kind::kRecord) {
        visit_record(member);
        continue;
      }
      path_.push_back(member.name);
      StreamMember& added = members_.emplace_back(StreamMember{.path = path_, .node = &member});
      added.problem = member.problem;
      if (member.problem.empty()) {
        added.type = inside_lists(type_of(member));
        visit(member);
      }
      path_.pop_back();
    }
  }

  Type inside_lists(Type type) const {
    for (auto outer = lists_.rbegin(); outer != lists_.rend(); ++outer) {
      type = (*outer)->kind == Kind::kFixed ? Type::fixed_list(std::move(type), (*outer)->size)
                                            : Type::list(std::move(type));
    }
    return type;
  }

  std::vector<StreamMember> members_;
  std::vector<std::string> path_;
  std::vector<const StreamNode*> lists_;  // around the member
};

}  // namespace

Type type_of(const StreamNode& node) {
  switch (node.kind) {
    case Kind::kNumber:
      return node.number.type;
    case Kind::kBits:
      return TypeKind::kUInt32;
    case Kind::kString:
      return TypeKind::kString;
    case Kind::kBitset:
      return Type::fixed_list(TypeKind::kBool, node.size);
    case Kind::kFixed:
      return Type::fixed_list(type_of(node.item.front()), node.size);
    case Kind::kRecord: {
      std::vector<Field> fields;
      add_fields(node, fields);
      return Type::structure(std::move(fields));
    }
    case Kind::kNamed:
      return type_of(node.item.front());
    case Kind::kPointer:
      return node.is_required ? type_of(node.item.front()) : Type::list(type_of(node.item.front()));
    case Kind::kUnreadable:
      return {};
    default:
      return Type::list(type_of(node.item.front()));
  }
}

bool same_form(const StreamNode& a, const StreamNode& b) {
  if (a.kind != b.kind || a.has_header != b.has_header || a.long_length != b.long_length ||
      a.has_presence != b.has_presence || a.size != b.size || a.number != b.number ||
      a.class_name != b.class_name || a.counter != b.counter || a.is_required != b.is_required ||
      a.is_base != b.is_base) {
    return false;
  }
  if (a.kind == Kind::kRecord) return true;
  return std::ranges::equal(a.item, b.item, same_form);
}

std::vector<StreamMember> members_of(const StreamNode& node) { return MemberCollector().collect(node); }

bool has_unknown_clones(const StreamNode& node) {
  return !node.clones.empty() || std::ranges::any_of(node.item, has_unknown_clones);
}

StreamSize size_of(const StreamNode& node) {
  switch (node.kind) {
    case Kind::kNumber:
      return {static_cast<double>(node.number.stored_size), 1};
    case Kind::kBits:
      return {4, 1};
    case Kind::kString:
    case Kind::kUnreadable:
      return {1, 1};
    case Kind::kBitset:
      return {4 + static_cast<double>(node.size), static_cast<double>(node.size)};
    case Kind::kFixed: {
      const StreamSize item = size_of(node.item.front());
      return {item.bytes * static_cast<double>(node.size), item.values * static_cast<double>(node.size)};
    }
    case Kind::kRecord: {
      StreamSize sum{node.has_header ? kRecordHeader : 0, 0};
      for (const StreamNode& member : node.item) {
        const StreamSize of = size_of(member);
        sum.bytes += of.bytes;
        sum.values += is_part(member) ? of.values : 0;
      }
      return sum;
    }
    default:
      return size_of(node.item.front());
  }
}

}  // namespace sapwood::streamed
