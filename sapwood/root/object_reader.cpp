#include <algorithm>
#include <unordered_map>

#include "sapwood/root/built_in_streamers.h"
#include "sapwood/root/key_header.h"
#include "sapwood/root/object.h"
#include "sapwood/root/object_stream.h"

namespace sapwood::root {
namespace {

constexpr int kDeepestNesting = 200;
/// The version of TBranch from which on positions of baskets have 64 bits, as its streamer info says.
constexpr int16_t kFirstWideSeeks = 10;

/// Bytes of a basic type in the stream; 0 for those of variable size and those that are not basic.
size_t basic_size(int32_t type) {
  switch (type) {
    case kChar:
    case kUChar:
    case kLegacyChar:
    case kBool:
      return 1;
    case kShort:
    case kUShort:
      return 2;
    case kInt:
    case kUInt:
    case kCounter:
    case kBits:
    case kFloat:
      return 4;
    case kLong:
    case kULong:
    case kLong64:
    case kULong64:
    case kDouble:
      return 8;
    default:
      return 0;
  }
}

bool is_real(int32_t type) { return type == kFloat || type == kDouble; }

double read_real(BigEndianCursor& in, int32_t type) {
  return type == kFloat ? double{in.read<float>()} : in.read<double>();
}

int64_t read_integer(BigEndianCursor& in, int32_t type) {
  switch (type) {
    case kChar:
    case kLegacyChar:
      return in.read<int8_t>();
    case kUChar:
    case kBool:
      return in.read<uint8_t>();
    case kShort:
      return in.read<int16_t>();
    case kUShort:
      return in.read<uint16_t>();
    case kUInt:
    case kBits:
      return in.read<uint32_t>();
    case kInt:
    case kCounter:
      return in.read<int32_t>();
    default:
      return in.read<int64_t>();
  }
}

template <class T>
std::span<T> allocate(std::pmr::memory_resource& memory, size_t count) {
  if (count == 0) return {};
  return {static_cast<T*>(memory.allocate(count * sizeof(T), alignof(T))), count};
}

Value read_array(BigEndianCursor& in, int32_t type, uint64_t count, std::pmr::memory_resource& memory) {
  in.require(count, basic_size(type));
  if (is_real(type)) {
    const auto values = allocate<double>(memory, count);
    for (double& value : values) value = read_real(in, type);
    return std::span<const double>(values);
  }
  const auto values = allocate<int64_t>(memory, count);
  for (int64_t& value : values) value = read_integer(in, type);
  return std::span<const int64_t>(values);
}

/// The element type of a TArray class, or 0.
int32_t tarray_type(std::string_view name) {
  if (name.size() != 7 || !name.starts_with("TArray")) return 0;
  switch (name.back()) {
    case 'C':
      return kChar;
    case 'S':
      return kShort;
    case 'I':
      return kInt;
    case 'L':
    case 'G':
      return kLong64;
    case 'F':
      return kFloat;
    case 'D':
      return kDouble;
    default:
      return 0;
  }
}

std::string pointee(const std::string& type_name) {
  std::string name = type_name;
  while (!name.empty() && (name.back() == '*' || name.back() == ' ')) name.pop_back();
  return name;
}

}  // namespace

class ObjectReader {
 public:
  ObjectReader(ObjectTree& tree, uint32_t key_size, std::span<const std::string_view> skipped)
      : tree_(tree),
        stream_({tree.bytes_.data(), tree.bytes_.size()}, key_size, "object"),
        skipped_(skipped) {}

  void read_root(const std::string& class_name) {
    read_content(tree_.objects_.emplace_back(class_name, &tree_.memory_), class_name, 0);
  }

 private:
  /// Reads an object of a class as it stands in the stream, into `object` (which is of that class or
  /// derived).
  void read_content(Object& object, const std::string& class_name, int depth) {
    BigEndianCursor& in = stream_.in();
    if (depth > kDeepestNesting) in.fail(concat("objects nested less than ", kDeepestNesting, " deep"));
    if (class_name == "TObject") return stream_.skip_tobject();
    if (class_name == "TString") {
      object.members.emplace_back("", read_text());
      return;
    }
    if (const int32_t type = tarray_type(class_name)) {
      const auto count = in.read<uint32_t>();
      object.members.emplace_back("", read_array(in, type, count, tree_.memory_));
      return;
    }
    const VersionHeader header = stream_.read_version();
    try {
      read_versioned(object, class_name, header, depth);
    } catch (const UnsupportedError&) {
      // The rest of the object is skipped by its byte count.
      if (!header.end) throw;
      in.seek(std::max(in.position(), *header.end));
    }
    stream_.finish(header.end, class_name);
  }

  void read_versioned(Object& object, const std::string& class_name, const VersionHeader& header, int depth) {
    if (class_name == "TNamed") {
      stream_.skip_tobject();
      object.members.emplace_back("fName", read_text());
      object.members.emplace_back("fTitle", read_text());
    } else if (class_name == "TObjArray") {
      read_obj_array(object, header, depth);
    } else if (class_name == "TList" || class_name == "THashList") {
      read_list(object, header, depth);
    } else {
      if (class_name == "TBranch") has_narrow_seeks_ = header.version < kFirstWideSeeks;
      read_members(object, streamer_info(class_name, header), depth);
    }
  }

  const StreamerInfo& streamer_info(const std::string& class_name, const VersionHeader& header) {
    const StreamerInfos& infos = *tree_.infos_;
    const StreamerInfo* info = infos.read_form(stream_.in(), class_name, header.version);
    if (info == nullptr && header.version <= 0) info = infos.newest(class_name);
    if (info == nullptr) info = built_in_streamer_info(class_name, header.version);
    if (info == nullptr) {
      throw UnsupportedError(
          concat("no streamer info for version ", header.version, " of class ", class_name));
    }
    return *info;
  }

  // TObjArray: TObject (from version 3 on), TString name (from 2 on), int32 count, int32 lower bound,
  // pointers.
  void read_obj_array(Object& object, const VersionHeader& header, int depth) {
    BigEndianCursor& in = stream_.in();
    if (header.version > 2) stream_.skip_tobject();
    if (header.version > 1) read_string(in);
    const auto count = in.read<uint32_t>();
    in.skip(4);
    in.require(count, 4);
    object.items.reserve(count);
    for (uint32_t i = 0; i < count; ++i) object.items.push_back(read_pointer(depth + 1));
  }

  // TList: TObject, TString name (from version 4 on), int32 count, and for each a pointer and an option
  // string (uint8 length, or from version 5 on 255 and int32 length).
  void read_list(Object& object, const VersionHeader& header, int depth) {
    BigEndianCursor& in = stream_.in();
    if (header.version <= 3) throw UnsupportedError(concat("version ", header.version, " of TList"));
    stream_.skip_tobject();
    read_string(in);
    const auto count = in.read<uint32_t>();
    in.require(count, 5);
    for (uint32_t i = 0; i < count; ++i) {
      object.items.push_back(read_pointer(depth + 1));
      uint32_t option = in.read<uint8_t>();
      if (option == 255 && header.version > 4) option = in.read<uint32_t>();
      in.skip(option);
    }
  }

  void read_members(Object& object, const StreamerInfo& info, int depth) {
    object.members.reserve(object.members.size() + info.elements.size());
    for (const StreamerElement& element : info.elements) {
      if (element.is_base) {
        read_content(object, element.name, depth + 1);
      } else {
        const Value value = read_member(object, element, depth);
        object.members.emplace_back(element.name, value);
      }
    }
  }

  // A TString; in the stream itself, unless it has to be changed.
  std::string_view read_text() {
    BigEndianCursor& in = stream_.in();
    const size_t start = in.position();
    uint32_t length = in.read<uint8_t>();
    if (length == 255) length = in.read<uint32_t>();
    const Bytes bytes = in.take(length);
    const std::string_view stored(static_cast<const char*>(static_cast<const void*>(bytes.data())), length);
    if (std::ranges::all_of(stored, [](char c) { return c > 0; })) return stored;
    in.seek(start);
    const std::string text = read_string(in);
    const auto copy = allocate<char>(tree_.memory_, text.size());
    std::ranges::copy(text, copy.begin());
    return {copy.data(), copy.size()};
  }

  Value read_member(const Object& object, const StreamerElement& element, int depth) {
    BigEndianCursor& in = stream_.in();
    const int32_t type = element.type;
    if (basic_size(type) != 0) {
      if (is_real(type)) return read_real(in, type);
      return read_integer(in, type);
    }
    if (type > kOffsetL && type < kOffsetP && basic_size(type - kOffsetL) != 0) {
      return read_array(in, type - kOffsetL, static_cast<uint32_t>(element.array_length), tree_.memory_);
    }
    if (type > kOffsetP && type < kOffsetP + kOffsetL && basic_size(type - kOffsetP) != 0) {
      // One byte says whether there is an array; of positions, which were of 32 bits, 2 that they have 64.
      const auto present = in.read<uint8_t>();
      if (present == 0) return std::span<const int64_t>();
      int32_t of = type - kOffsetP;
      if (element.name == "fBasketSeek" && present == 2) of = kLong64;
      if (element.name == "fBasketSeek" && present == 1 && has_narrow_seeks_) of = kInt;
      const int64_t count = std::max<int64_t>(object.integer(element.count_name), 0);
      return read_array(in, of, static_cast<uint64_t>(count), tree_.memory_);
    }
    switch (type) {
      case kTString:
        return read_text();
      case kObject:
      case kAny:
      case kObjectPointerInline:
      case kAnyPointerInline:
      case kTObject:
      case kTNamed: {
        Object& child = tree_.objects_.emplace_back(pointee(element.type_name), &tree_.memory_);
        read_content(child, child.class_name, depth + 1);
        return &child;
      }
      case kObjectPointer:
      case kAnyPointer: {
        const bool skip = std::find(skipped_.begin(), skipped_.end(), element.name) != skipped_.end();
        if (const Object* target = read_pointer(depth + 1, skip)) return target;
        return std::monostate{};
      }
      default:
        throw UnsupportedError(concat("member ", element.name, " of type ", element.type_name));
    }
  }

  const Object* read_pointer(int depth, bool skip = false) {
    const PointerHeader pointer = stream_.read_pointer();
    switch (pointer.kind) {
      case PointerHeader::Kind::kNull:
        return nullptr;
      case PointerHeader::Kind::kReference: {
        stream_.finish(pointer.end, "reference");
        const auto found = by_tag_.find(pointer.tag);
        return found == by_tag_.end() ? nullptr : found->second;
      }
      case PointerHeader::Kind::kObject:
        break;
    }
    if (skip && pointer.end) {
      stream_.finish(pointer.end, pointer.class_name);
      return nullptr;
    }
    Object& object = tree_.objects_.emplace_back(pointer.class_name, &tree_.memory_);
    // Known before its members are read: they may refer back to it.
    by_tag_[pointer.tag] = &object;
    if (pointer.class_name == "TBasket") {
      if (!pointer.end) stream_.in().fail("the end of a TBasket");
      const size_t start = stream_.in().position();
      if (start > *pointer.end) stream_.in().fail("a TBasket");
      object.bytes = stream_.in().take(*pointer.end - start);
    } else if (pointer.class_name.empty()) {
      stream_.in().seek(std::max(stream_.in().position(), *pointer.end));
    } else {
      read_content(object, pointer.class_name, depth);
    }
    stream_.finish(pointer.end, pointer.class_name);
    return &object;
  }

  ObjectTree& tree_;
  ObjectStream stream_;
  std::span<const std::string_view> skipped_;
  bool has_narrow_seeks_ = false;  // the branch that is read
  std::unordered_map<uint64_t, const Object*> by_tag_;
};

std::unique_ptr<const ObjectTree> ObjectTree::read(const File& file, const Key& key,
                                                   std::shared_ptr<const StreamerInfos> infos,
                                                   std::span<const std::string_view> skipped) {
  auto tree = std::make_unique<ObjectTree>();
  tree->infos_ = std::move(infos);
  tree->bytes_ = file.read_object(key, heap_pool());
  with_context({.file = file.uri(), .object = key.path},
               [&] { ObjectReader(*tree, key.key_size, skipped).read_root(key.class_name); });
  return tree;
}

}  // namespace sapwood::root
