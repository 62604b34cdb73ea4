#include "sapwood/streamed/class_planner.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "sapwood/base/error.h"
#include "sapwood/root/built_in_streamers.h"

namespace sapwood::streamed {
namespace {

using Kind = StreamNode::Kind;

constexpr size_t kDeepestNesting = 50;
constexpr int64_t kLargestArray = 1 << 20;

StreamNode number_node(int32_t type, std::string name = {}) {
  return {.kind = Kind::kNumber, .number = *number_format(type, {}), .name = std::move(name)};
}

StreamNode hidden(StreamNode node) {
  node.is_hidden = true;
  return node;
}

StreamNode list_of(StreamNode item, bool has_header) {
  return {.kind = Kind::kList, .has_header = has_header, .item = {std::move(item)}};
}

// uint16 version, uint32 fUniqueID, uint32 fBits.
StreamNode tobject_node() {
  return {.kind = Kind::kRecord,
          .item = {hidden(number_node(root::kUShort)),
                   number_node(root::kUInt, "fUniqueID"),
                   {.kind = Kind::kBits, .name = "fBits"}},
          .class_name = "TObject",
          .is_built_in = true};
}

// TRef: a TObject whose fUniqueID is that of the object it refers to, and uint16 process identifier.
StreamNode tref_node() {
  return {.kind = Kind::kRecord,
          .item = {hidden(number_node(root::kUShort)), number_node(root::kUInt, "ref"),
                   hidden({.kind = Kind::kBits}), hidden(number_node(root::kUShort))},
          .class_name = "TRef",
          .is_built_in = true};
}

// TRefArray: version header, TObject, TString name, int32 count, int32 lower bound, uint16 process
// identifier, uint32 unique identifiers.
StreamNode tref_array_node() {
  StreamNode count = number_node(root::kInt, "fSize");
  count.is_counter = true;
  StreamNode refs{
      .kind = Kind::kCounted, .item = {number_node(root::kInt)}, .name = "refs", .counter = "fSize"};
  return {.kind = Kind::kRecord,
          .has_header = true,
          .item = {hidden(tobject_node()),
                   {.kind = Kind::kString, .name = "fName"},
                   std::move(count),
                   hidden(number_node(root::kInt)),
                   hidden(number_node(root::kUShort)),
                   std::move(refs)},
          .class_name = "TRefArray",
          .is_built_in = true};
}

/// TArrayD and the like: int32 count, numbers.
std::optional<StreamNode> tarray_node(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, int32_t>, 7> kArrays{{{"TArrayC", root::kChar},
                                                                         {"TArrayS", root::kShort},
                                                                         {"TArrayI", root::kInt},
                                                                         {"TArrayL", root::kLong},
                                                                         {"TArrayL64", root::kLong64},
                                                                         {"TArrayF", root::kFloat},
                                                                         {"TArrayD", root::kDouble}}};
  for (const auto& [array, type] : kArrays) {
    if (array == name) return list_of(number_node(type), false);
  }
  return std::nullopt;
}

constexpr std::string_view kSymmetricMatrix = "TMatrixTSym<";

/// Classes that hold objects of any class, or whose form no streamer info describes.
constexpr std::array<std::string_view, 12> kContainers{
    "TClonesArray", "TObjArray", "TList",  "THashList",   "TMap",           "TOrdCollection",
    "TSortedList",  "TBtree",    "TExMap", "TCollection", "TSeqCollection", "THashTable"};

std::optional<StreamNode> built_in_node(const std::string& name) {
  if (name == "TObject") return tobject_node();
  if (name == "TRef") return tref_node();
  if (name == "TRefArray") return tref_array_node();
  if (name == "TQObject") return StreamNode{.kind = Kind::kRecord, .class_name = name, .is_built_in = true};
  if (name == "TString") return StreamNode{.kind = Kind::kString};
  if (name == "TStringLong") return StreamNode{.kind = Kind::kString, .long_length = true};
  if (name == "TDatime") return number_node(root::kUInt);
  return tarray_node(name);
}

StreamNode fixed(StreamNode item, const root::StreamerElement& element) {
  std::vector<int64_t> sizes;
  int64_t product = 1;
  for (const int32_t size : element.dimensions) {
    if (size <= 0) continue;
    sizes.push_back(size);
    product = std::min(product * size, kLargestArray + 1);
  }
  if (product != element.array_length) sizes.assign(1, element.array_length);
  if (element.array_length <= 0 || element.array_length > kLargestArray)
    throw UnsupportedError(concat("an array of ", element.array_length, " values"));
  for (auto size = sizes.rbegin(); size != sizes.rend(); ++size)
    item = {.kind = Kind::kFixed, .size = *size, .item = {std::move(item)}};
  return item;
}

/// Whether a member's form has a byte count, by which it can be left out.
bool has_byte_count(const root::StreamerElement& element) {
  const auto is_described = [](const std::string& name) {
    return !built_in_node(name) && !name.starts_with(kSymmetricMatrix);
  };
  if (element.is_base) return is_described(element.name);
  switch (element.type) {
    case root::kObject:
    case root::kAny:
    case root::kObjectPointerInline:
    case root::kAnyPointerInline:
      return is_described(element.type_name);
    default:
      // Collections, what has a streamer of its own, and loops over objects.
      return element.type >= root::kSTL || element.type == root::kSTLPointer;
  }
}

/// A pointer, behind its class, also in an array.
bool is_pointer(const root::StreamerElement& element) {
  const auto is_one = [](int32_t type) { return type == root::kObjectPointer || type == root::kAnyPointer; };
  return is_one(element.type) || (element.array_length > 0 && is_one(element.type - root::kOffsetL));
}

bool is_clones(const root::StreamerElement& element) {
  return !element.is_base && element.array_length <= 0 &&
         (element.type_name == "TClonesArray" || element.type_name == "TClonesArray*");
}

std::string clones_key(const root::StreamerInfo& info, const root::StreamerElement& element) {
  return concat(info.name, '.', element.name);
}

/// Marks the member, of a base maybe, that says how many items others have.
void mark_counter(StreamNode& record, const std::string& name) {
  for (StreamNode& member : record.item) {
    if (member.is_base) {
      mark_counter(member, name);
    } else if (member.name == name && member.kind == Kind::kNumber) {
      member.is_counter = true;
    }
  }
}

StreamNode unreadable(const root::StreamerElement& element) {
  // One for all objects, where those are stored member by member.
  const bool has_header =
      !element.is_base && (element.type >= root::kSTL || element.type == root::kSTLPointer);
  StreamNode node{.kind = Kind::kUnreadable, .has_header = has_header};
  if (!is_pointer(element)) return node;
  node = {.kind = Kind::kPointer, .item = {std::move(node)}};
  return element.array_length > 0 ? fixed(std::move(node), element) : node;
}

}  // namespace

StreamNode ClassPlanner::counted(StreamNode node) {
  if (++nodes_ > kMostNodes) throw UnsupportedError("objects with too many members");
  return node;
}

// The form of classes that stream themselves, whatever their streamer infos say.
std::optional<StreamNode> ClassPlanner::known_form(const std::string& name) {
  if (std::ranges::find(kContainers, name) != kContainers.end())
    throw UnsupportedError(concat("a ", name, ", which holds objects of any class"));
  if (name.starts_with(kSymmetricMatrix)) return symmetric_matrix(name);
  std::optional<StreamNode> node = built_in_node(name);
  if (node) *node = counted(std::move(*node));
  return node;
}

StreamNode ClassPlanner::object(const std::string& class_name) {
  const root::StreamerInfo* info = infos_.newest(class_name);
  if (info == nullptr && class_name == "TNamed") info = root::built_in_streamer_info(class_name, 1);
  if (info != nullptr) return object(*info);
  if (auto known = known_form(class_name)) return std::move(*known);
  throw UnsupportedError(concat("the file does not describe class ", class_name));
}

StreamNode ClassPlanner::object(const root::StreamerInfo& info) {
  if (auto known = known_form(info.name)) return std::move(*known);
  if (std::ranges::find(open_, info.name) != open_.end())
    throw UnsupportedError(concat("objects of class ", info.name, " that hold others of it"));
  if (open_.size() >= kDeepestNesting)
    throw UnsupportedError(concat("objects nested more than ", kDeepestNesting, " deep"));
  StreamNode record = counted({.kind = Kind::kRecord,
                               .has_header = true,
                               .class_name = info.name,
                               .version = info.version,
                               .checksum = info.checksum});
  open_.push_back(info.name);
  try {
    add_members(record, info);
  } catch (...) {
    open_.pop_back();
    throw;
  }
  open_.pop_back();
  return record;
}

// TMatrixTSym, of which files describe the base alone: the TMatrixTBase, and behind its byte count of each
// row what is on the diagonal and right of it.
StreamNode ClassPlanner::symmetric_matrix(const std::string& class_name) {
  const std::string arguments = class_name.substr(kSymmetricMatrix.size() - 1);
  StreamNode base = object("TMatrixTBase" + arguments);
  base.is_base = true;
  const auto rows = std::ranges::find(base.item, "fNrows", &StreamNode::name);
  const CppType type = parse_cpp_type("vector" + arguments);
  const bool is_known = rows != base.item.end() && rows->kind == Kind::kNumber &&
                        type.kind == CppType::Kind::kCollection &&
                        type.arguments.front().kind == CppType::Kind::kNumber;
  if (!is_known) throw UnsupportedError(concat("a ", class_name));
  rows->is_counter = true;
  StreamNode elements = counted({.kind = Kind::kCounted,
                                 .is_triangle = true,
                                 .item = {value(type.arguments.front(), false)},
                                 .name = "fElements",
                                 .counter = rows->name});
  return counted({.kind = Kind::kRecord,
                  .item = {std::move(base), std::move(elements)},
                  .class_name = class_name,
                  .is_built_in = true});
}

void ClassPlanner::add_members(StreamNode& record, const root::StreamerInfo& info) {
  std::unordered_set<std::string> names;
  for (const root::StreamerElement& element : info.elements) {
    if (!element.is_base && !names.insert(element.name).second)
      throw UnsupportedError(concat("class ", info.name, " has two members ", element.name));
  }
  for (const root::StreamerElement& element : info.elements) {
    if (element.is_base && element.type == root::kIgnored) continue;
    StreamNode node;
    try {
      node = member(info, element);
    } catch (const UnsupportedError& error) {
      node = unknown_clones(info, element).value_or(unreadable(element));
      if (node.item.empty() && !has_byte_count(element)) throw;
      node.problem = error.message();
    }
    node.name = element.name;
    node.type_name = element.is_base ? element.name : element.type_name;
    if (node.is_base) {
      // What a base has stays apart where the class has members of these names.
      const Type inherited = type_of(node);
      const auto is_taken = [&](const Field& field) { return names.contains(field.name); };
      node.is_base = std::ranges::none_of(inherited.children, is_taken);
      for (const Field& field : inherited.children) names.insert(field.name);
    }
    record.item.push_back(std::move(node));
  }
  for (const StreamNode& node : record.item) {
    if (node.kind == Kind::kCounted) mark_counter(record, node.counter);
  }
}

StreamNode ClassPlanner::base(const root::StreamerElement& element) {
  if (element.name == "TObject") return hidden(counted(tobject_node()));
  const root::StreamerInfo* info = infos_.find_checksum(element.name, element.base_checksum);
  if (info == nullptr) info = infos_.find(element.name, element.base_version);
  StreamNode node = info != nullptr ? object(*info) : value(parse_cpp_type(element.name), true);
  node.is_base = node.kind == Kind::kRecord;
  node.is_apart = element.type == root::kTNamed;
  return node;
}

StreamNode ClassPlanner::member(const root::StreamerElement& element) {
  if (element.is_base) return base(element);
  const int32_t type = element.type;
  if (const auto number = number_format(type, element.title)) {
    StreamNode node = counted({.kind = Kind::kNumber, .number = *number});
    if (type == root::kBits) node.kind = Kind::kBits;
    if (type > root::kOffsetP) {
      if (element.array_length > 1) throw UnsupportedError("several arrays of variable length in one member");
      return {.kind = Kind::kCounted,
              .has_presence = true,
              .item = {std::move(node)},
              .counter = element.count_name};
    }
    return type > root::kOffsetL ? fixed(std::move(node), element) : node;
  }
  if (type == root::kCharStar) return counted({.kind = Kind::kString, .long_length = true});
  if (element.array_length <= 0) return member_value(element);
  // Of an array of collections all have one header, in a std::array none; of one of objects each has its own.
  StreamNode item = member_value(element);
  const int32_t of = element.type - root::kOffsetL;
  const bool has_header = item.has_header && item.kind != Kind::kRecord && of != root::kAny;
  if (item.kind != Kind::kRecord) item.has_header = false;
  StreamNode array = fixed(std::move(item), element);
  array.has_header = has_header || of == root::kTString || of == root::kTObject || of == root::kTNamed;
  return array;
}

StreamNode ClassPlanner::member_value(const root::StreamerElement& element) {
  if (element.type == root::kStreamLoop) return loop(element);
  const CppType type = parse_cpp_type(element.type_name);
  const bool is_of_enums = type.kind == CppType::Kind::kCollection &&
                           type.arguments.front().kind == CppType::Kind::kClass &&
                           infos_.newest(type.arguments.front().name) == nullptr;
  if (const auto number = number_format(element.content_type, {}); number && is_of_enums)
    return counted(list_of(counted({.kind = Kind::kNumber, .number = *number}), true));
  return is_pointer(element) ? pointer(type, false) : value(type, true);
}

// TStreamerLoop: byte count and version, objects or pointers to them.
StreamNode ClassPlanner::loop(const root::StreamerElement& element) {
  if (element.array_length > 0) throw UnsupportedError("several arrays of variable length in one member");
  std::string_view name = element.type_name;
  const size_t first_star = name.find('*');
  const bool is_of_pointers = name.substr(std::min(first_star, name.size())) == "**";
  const CppType type = parse_cpp_type(std::string(name.substr(0, first_star)));
  StreamNode item = is_of_pointers ? pointer(type, false) : value(type, true);
  // Its own Streamer may write anything, without a byte count for each.
  if (item.kind == Kind::kRecord && item.item.empty())
    throw UnsupportedError(
        concat("objects of class ", type.name, ", whose members the file does not describe"));
  return {
      .kind = Kind::kCounted, .has_header = true, .item = {std::move(item)}, .counter = element.count_name};
}

StreamNode ClassPlanner::known_clones(const std::string& key) {
  const auto known = clones_.find(key);
  if (known == clones_.end())
    throw UnsupportedError("a TClonesArray, the class of whose objects no entry tells");
  return counted({.kind = Kind::kClones, .has_header = true, .item = {object(known->second)}});
}

StreamNode ClassPlanner::member(const root::StreamerInfo& info, const root::StreamerElement& element) {
  if (!is_clones(element)) return member(element);
  StreamNode node = known_clones(clones_key(info, element));
  return is_pointer(element) ? counted({.kind = Kind::kPointer, .item = {std::move(node)}}) : node;
}

std::optional<StreamNode> ClassPlanner::unknown_clones(const root::StreamerInfo& info,
                                                       const root::StreamerElement& element) {
  if (!is_clones(element)) return std::nullopt;
  StreamNode node = unreadable(element);
  (node.item.empty() ? node : node.item.front()).clones = clones_key(info, element);
  return node;
}

StreamNode ClassPlanner::members(const root::StreamerElement& element) {
  if (is_clones(element)) throw UnsupportedError("a TClonesArray in each object of a split collection");
  StreamNode item = member(element);
  if (item.is_base && !item.is_built_in && !item.is_apart)
    return {.kind = Kind::kMemberwise, .item = {std::move(item)}};
  item.is_base = item.is_hidden = false;
  StreamNode all{.kind = Kind::kUntilEnd};
  if (item.kind != Kind::kRecord && item.kind != Kind::kCounted) std::swap(all.has_header, item.has_header);
  all.item.push_back(std::move(item));
  return all;
}

StreamNode ClassPlanner::pointer(const CppType& to, bool is_required) {
  if (to.kind != CppType::Kind::kClass) throw UnsupportedError("a pointer to what is no object");
  StreamNode item = object(to.name);
  return counted({.kind = Kind::kPointer, .item = {std::move(item)}, .is_required = is_required});
}

StreamNode ClassPlanner::value(const CppType& type, bool has_header) {
  const auto argument = [&](size_t i) { return value(type.arguments[i], false); };
  switch (type.kind) {
    case CppType::Kind::kNumber:
      return counted({.kind = Kind::kNumber, .number = type.number});
    case CppType::Kind::kString:
      return counted({.kind = Kind::kString, .has_header = has_header && type.is_std_string});
    case CppType::Kind::kCollection:
      return counted(list_of(argument(0), has_header));
    case CppType::Kind::kArray:
      return counted({.kind = Kind::kFixed, .size = type.size, .item = {argument(0)}});
    case CppType::Kind::kBitset:
      return counted({.kind = Kind::kBitset, .has_header = has_header, .size = type.size});
    case CppType::Kind::kMap:
    case CppType::Kind::kPair: {
      const bool is_pair = type.kind == CppType::Kind::kPair;
      StreamNode pair = counted({.kind = Kind::kRecord,
                                 .has_header = is_pair,
                                 .class_name = type.name,
                                 .is_built_in = true,
                                 .is_map_item = !is_pair});
      const root::StreamerInfo* info = infos_.newest(type.name);
      for (size_t i = 0; i < 2; ++i) {
        // Enumerations are told from classes by the type of the pair's member.
        const CppType& of = type.arguments[i];
        const bool is_unknown = of.kind == CppType::Kind::kClass && infos_.newest(of.name) == nullptr;
        std::optional<NumberFormat> number;
        if (is_unknown && info != nullptr && i < info->elements.size())
          number = number_format(info->elements[i].type, {});
        pair.item.push_back(number ? counted({.kind = Kind::kNumber, .number = *number}) : value(of, true));
        pair.item.back().name = i == 0 ? "first" : "second";
      }
      return is_pair ? pair : counted(list_of(std::move(pair), has_header));
    }
    case CppType::Kind::kPointer:
      return pointer(type.arguments.front(), true);
    case CppType::Kind::kClass:
      return object(type.name);
  }
  return {};
}

}  // namespace sapwood::streamed
