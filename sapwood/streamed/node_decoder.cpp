#include "sapwood/streamed/node_decoder.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <unordered_set>

#include "sapwood/base/error.h"
#include "sapwood/root/key_header.h"
#include "sapwood/streamed/class_planner.h"

namespace sapwood::streamed {
namespace {

using Kind = StreamNode::Kind;

/// In a TObject's fBits: a process identifier follows.
constexpr uint32_t kIsReferenced = 1u << 4;
constexpr uint32_t kByteCountMask = 0x40000000;
/// Versions of collections from which on a class version stands before members that are stored together.
constexpr int16_t kTellsClassVersion = 8;
/// Values made up for each member that another version of a class lacks.
constexpr double kMostBlank = 256;
/// So many numbers are turned around one by one.
constexpr uint64_t kFewNumbers = 16;
/// Bytes of an entry's objects that are read again, for one more pointer to them, beside so many times its
/// own.
constexpr uint64_t kMostReadAgain = uint64_t{1} << 20;
constexpr uint64_t kMostTimes = 64;
constexpr int kDeepestInheritance = 50;
/// In a TClonesArray's fBits: its objects are stored member by member.
constexpr uint32_t kBypassStreamer = 1u << 12;

bool has_member(const StreamNode& record, const std::string& name) {
  return std::ranges::any_of(record.item, [&](const StreamNode& member) {
    return member.is_base ? has_member(member, name) : member.name == name;
  });
}

// Whether a base has members that say how many items others have.
bool has_counter(const StreamNode& record) {
  return std::ranges::any_of(record.item, [](const StreamNode& member) {
    return member.is_counter || (member.is_base && has_counter(member));
  });
}

uint64_t read_count(const NumberFormat& format, const std::byte* stored) {
  int64_t value = 0;
  decode_numbers(format, stored, static_cast<std::byte*>(static_cast<void*>(&value)), 1);
  const auto size = static_cast<int>(8 * primitive_size(format.type));
  value = static_cast<int64_t>(static_cast<uint64_t>(value) << (64 - size)) >> (64 - size);
  return static_cast<uint64_t>(std::max<int64_t>(value, 0));
}

// Whether the entry is one object with a byte count.
bool starts_with_header(const StreamInput& in) {
  BigEndianCursor bytes = in.stream.in();
  if (bytes.remaining() < sizeof(uint32_t)) return false;
  const auto count = bytes.read<uint32_t>();
  return bytes.position() + (count & ~kByteCountMask) == in.end && (count & kByteCountMask) != 0;
}

// uint8 length, or 255 and uint32 length; or always that.
uint32_t read_length(BigEndianCursor& in, bool is_long) {
  if (is_long) return in.read<uint32_t>();
  const auto length = in.read<uint8_t>();
  return length == 255 ? in.read<uint32_t>() : length;
}

}  // namespace

Column to_destination(Column column, const Buffer& destination) {
  if (destination.empty() || fixed_entry_size(column.type) == 0) return column;
  const Buffer values = fixed_width_values(column);
  if (values.size() != destination.size())
    throw ConfigError(
        concat("a destination of ", destination.size(), " bytes for a column of ", values.size()));
  std::memcpy(destination.data(), values.data(), values.size());
  return make_fixed_width_column(column.type, column.length, destination);
}

void Appender::grow(size_t size) {
  Buffer larger(std::max<size_t>({used_ + size, buffer_.size() * 2, 1024}), pool_);
  if (used_ != 0) std::memcpy(larger.data(), buffer_.data(), used_);
  buffer_ = std::move(larger);
  data_ = buffer_.data();
  capacity_ = buffer_.size();
}

struct NodeDecoder::Form {
  std::unique_ptr<StreamNode> of_version;  // none: the decoder's own
  const std::vector<StreamNode>* members = nullptr;
  std::vector<NodeDecoder*> readers;  // of each member
  std::vector<std::unique_ptr<NodeDecoder>> passers;
};

NodeDecoder::NodeDecoder(const StreamNode& node, const Context& context, std::span<const std::string> path,
                         bool keep)
    : node_(node),
      context_(context),
      keep_(keep),
      counts_(node.is_base && has_counter(node)),
      value_size_(node.kind == Kind::kNumber ? primitive_size(node.number.type) : 0),
      values_(context.pool),
      offsets_(context.pool) {
  if (keep_ && has_offsets()) offsets_.append_offset(0);
  add_children(path);
}

NodeDecoder::~NodeDecoder() = default;

void NodeDecoder::add_children(std::span<const std::string> path) {
  if (node_.kind != Kind::kRecord) {
    for (const StreamNode& item : node_.item)
      children_.emplace_back(new NodeDecoder(item, context_, path, keep_));
    return;
  }
  own_form_ = std::make_unique<Form>();
  own_form_->members = &node_.item;
  for (const StreamNode& member : node_.item) {
    bool wanted = keep_ && !member.is_hidden && member.problem.empty();
    std::span<const std::string> rest;
    if (!path.empty()) {
      const bool selected = member.is_base ? has_member(member, path.front()) : member.name == path.front();
      wanted = wanted && selected && selected_ == nullptr;
      rest = member.is_base ? path : path.subspan(1);
    }
    children_.emplace_back(new NodeDecoder(member, context_, wanted ? rest : path.first(0), wanted));
    if (wanted && !path.empty()) selected_ = children_.back().get();
    own_form_->readers.push_back(children_.back().get());
  }
}

bool NodeDecoder::is_elided() const {
  return node_.kind == Kind::kNamed || (node_.kind == Kind::kPointer && node_.is_required);
}

bool NodeDecoder::has_offsets() const {
  switch (node_.kind) {
    case Kind::kString:
    case Kind::kList:
    case Kind::kCounted:
    case Kind::kClones:
    case Kind::kUntilEnd:
      return true;
    case Kind::kPointer:
      return !node_.is_required;
    default:
      return false;
  }
}

void NodeDecoder::expect(int64_t count, uint64_t bytes) {
  if (!keep_) return;
  if (has_offsets()) offsets_.reserve(static_cast<size_t>(count) * sizeof(int64_t));
  switch (node_.kind) {
    case Kind::kString:
      return values_.reserve(bytes);
    case Kind::kNumber:
      return values_.reserve(static_cast<size_t>(count) * value_size_);
    case Kind::kList:
      // Of items at most so many; of what they hold nothing is known.
      if (item().node_.kind == Kind::kNumber) {
        const auto most = static_cast<int64_t>(bytes / item().node_.number.stored_size);
        return item().expect(most, bytes);
      }
      if (item().node_.kind == Kind::kString) item().values_.reserve(bytes);
      return;
    default:
      return;
  }
}

void NodeDecoder::read(StreamInput& in, uint64_t count) {
  BigEndianCursor& bytes = in.stream.in();
  if (node_.kind == Kind::kRecord) {
    for (uint64_t i = 0; i < count; ++i) {
      Counts counts;
      read_records(in, 1, counts);
    }
    return;
  }
  if (node_.kind == Kind::kNumber) {
    const size_t size = node_.number.stored_size;
    bytes.require(count, size);
    const Bytes stored = bytes.take(count * size);
    if (keep_) append_numbers(stored.data(), count);
  } else if (node_.kind == Kind::kString && !node_.has_header) {
    read_strings(in, count);
  } else if (node_.kind == Kind::kList && !node_.has_header && item().node_.kind == Kind::kNumber) {
    read_number_lists(in, count);
  } else if (node_.kind == Kind::kFixed && !node_.has_header) {
    const auto size = static_cast<uint64_t>(node_.size);
    bytes.require(count, size);
    item().read(in, count * size);
  } else if (node_.has_header) {
    for (uint64_t i = 0; i < count; ++i) read_headed(in);
  } else {
    for (uint64_t i = 0; i < count; ++i) read_value(in);
  }
  length_ += static_cast<int64_t>(count);
}

void NodeDecoder::read_headed(StreamInput& in) {
  BigEndianCursor& bytes = in.stream.in();
  if (node_.kind == Kind::kUntilEnd && bytes.position() >= in.end)
    return end_list();  // no objects, no header
  const root::VersionHeader header = in.stream.read_version();
  if (!header.end) bytes.fail("the byte count of a collection or string");
  if (node_.kind == Kind::kUntilEnd) {
    NodeDecoder& each = item();
    const Form* form = each.memberwise_form(in, header);
    if (each.node_.kind == Kind::kRecord || each.node_.kind == Kind::kPointer) {
      while (keep_ && bytes.position() < in.end) each.read(in, 1);
    } else {
      for (; keep_ && bytes.position() < in.end; ++each.length_)
        form != nullptr ? each.read_list(in, form) : each.read_value(in);
    }
    end_list();
  } else if (node_.kind == Kind::kClones) {
    if (keep_) read_clones(in, header);
  } else if (keep_) {
    read_values(in, 1, header);
  }
  if (!keep_ || node_.kind != Kind::kUntilEnd) in.stream.finish(header.end, "a value");
}

// Values behind one header.
void NodeDecoder::read_values(StreamInput& in, uint64_t count, const root::VersionHeader& header) {
  const Form* form = memberwise_form(in, header);
  for (uint64_t i = 0; i < count; ++i) form != nullptr ? read_list(in, form) : read_value(in);
}

// A value without its header.
void NodeDecoder::read_value(StreamInput& in) {
  BigEndianCursor& bytes = in.stream.in();
  switch (node_.kind) {
    case Kind::kBits:
      return read_bits(in);
    case Kind::kString:
      return read_strings(in, 1);
    case Kind::kList:
      return read_list(in, nullptr);
    case Kind::kFixed:
      return item().read(in, static_cast<uint64_t>(node_.size));
    case Kind::kBitset:
      return read_bitset(in);
    case Kind::kPointer:
      return read_pointer(in);
    case Kind::kNamed:
      return read_named(in);
    case Kind::kUnreadable:
      return skip_unreadable(in);
    default:
      while (bytes.position() < in.end) {
        const size_t before = bytes.position();
        item().read(in, 1);
        if (bytes.position() == before) bytes.fail("a value that takes bytes");
      }
      return end_list();
  }
}

void NodeDecoder::read_bits(StreamInput& in) {
  BigEndianCursor& bytes = in.stream.in();
  const auto bits = bytes.read<uint32_t>();
  if ((bits & kIsReferenced) != 0) bytes.skip(2);
  if (keep_) std::memcpy(values_.extend(sizeof bits), &bits, sizeof bits);
}

// uint8 length, or 255 and uint32 length, or always that; characters.
void NodeDecoder::read_strings(StreamInput& in, uint64_t count) {
  constexpr size_t kShort = 32;  // moved at once, whatever the length
  BigEndianCursor& bytes = in.stream.in();
  bytes.require(count, 1);
  std::byte* const ends = keep_ ? offsets_.extend(count * sizeof(int64_t)) : nullptr;
  const Bytes stored = bytes.all();
  size_t at = bytes.position();
  size_t used = values_.size();
  for (uint64_t i = 0; i < count; ++i) {
    size_t length = at < stored.size() ? static_cast<uint8_t>(stored[at]) : UINT8_MAX;
    if (node_.long_length || length == UINT8_MAX) {
      bytes.seek(at);
      length = read_length(bytes, node_.long_length);
      at = bytes.position();
    } else {
      ++at;
    }
    const size_t readable = stored.size() - at;
    if (length > readable) {
      bytes.seek(at);
      bytes.skip(length);  // throws
    }
    if (ends != nullptr) {
      if (length + kShort > values_.capacity() - used) {
        values_.resize(used);
        values_.reserve(length + kShort);
      }
      std::byte* const place = values_.data() + used;
      if (length <= kShort && readable >= kShort) {
        std::memcpy(place, stored.data() + at, kShort);
      } else {
        std::memcpy(place, stored.data() + at, length);
      }
      used += length;
      const auto end = static_cast<int64_t>(used);
      std::memcpy(ends + i * sizeof end, &end, sizeof end);
    }
    at += length;
  }
  bytes.seek(at);
  if (ends != nullptr) values_.resize(used);
}

// Lists of numbers, each a uint32 count and as many.
void NodeDecoder::read_number_lists(StreamInput& in, uint64_t count) {
  BigEndianCursor& bytes = in.stream.in();
  bytes.require(count, sizeof(uint32_t));
  NodeDecoder& numbers = item();
  std::byte* ends = keep_ ? offsets_.extend(count * sizeof(int64_t)) : nullptr;
  int64_t end = numbers.length_;
  for (uint64_t i = 0; i < count; ++i) {
    const auto size = bytes.read<uint32_t>();
    const std::byte* stored = bytes.take(size_t{size} * numbers.node_.number.stored_size).data();
    end += size;
    if (ends == nullptr) continue;
    numbers.append_numbers(stored, size);
    std::memcpy(ends + i * sizeof end, &end, sizeof end);
  }
  numbers.length_ = end;
}

void NodeDecoder::append_numbers(const std::byte* stored, uint64_t count) {
  std::byte* const out = values_.extend(count * value_size_);
  if (count > kFewNumbers || !decode_few_numbers(node_.number, stored, out, count))
    decode_numbers(node_.number, stored, out, count);
}

void NodeDecoder::read_bitset(StreamInput& in) {
  BigEndianCursor& bytes = in.stream.in();
  const auto count = bytes.read<uint32_t>();
  if (count != node_.size) bytes.fail(concat(node_.size, " bits, not ", count));
  const Bytes bits = bytes.take(count);
  if (!keep_) return;
  std::byte* out = values_.extend(count);
  for (uint32_t i = 0; i < count; ++i) out[i] = std::byte{bits[i] != std::byte{0}};
}

// Lists of objects that are stored member by member: [uint16 class version, uint32 checksum if that is not
// positive,] and then lists, of which each is a uint32 count, the first member of all, and so on.
const NodeDecoder::Form* NodeDecoder::memberwise_form(StreamInput& in, const root::VersionHeader& header) {
  if (!header.memberwise) return nullptr;
  // An array, of a std::array too, is the only member of its class.
  const bool is_of_arrays = node_.kind == Kind::kList && item().node_.kind == Kind::kFixed;
  if (!is_of_arrays && (node_.kind != Kind::kList || item().node_.kind != Kind::kRecord))
    throw UnsupportedError("values stored member by member");
  if (header.version < kTellsClassVersion) return is_of_arrays ? nullptr : item().own_form_.get();
  const auto version = in.stream.in().read<int16_t>();
  if (is_of_arrays) {
    if (version <= 0) in.stream.in().skip(sizeof(uint32_t));
    return nullptr;
  }
  return &item().form_of(in, {.version = version, .memberwise = false, .end = header.end});
}

// uint32 count, items.
void NodeDecoder::read_list(StreamInput& in, const Form* form) {
  BigEndianCursor& bytes = in.stream.in();
  const auto count = bytes.read<uint32_t>();
  // Every item takes at least a byte.
  bytes.require(count, 1);
  if (form == nullptr) {
    item().read(in, count);
  } else if (count > 0) {
    Counts counts;
    item().read_members(in, *form, count, counts, true);
  }
  end_list();
}

void NodeDecoder::read_pointer(StreamInput& in) {
  using Target = root::PointerHeader::Kind;
  const root::PointerHeader pointer = in.stream.read_pointer();
  const bool is_looked_at = context_.found != nullptr && !item().node_.clones.empty();
  if (!keep_ && pointer.end && (!is_looked_at || pointer.kind != Target::kObject))
    return in.stream.finish(pointer.end, pointer.class_name);
  if (pointer.kind == Target::kNull) {
    if (node_.is_required && keep_) throw UnsupportedError("a null pointer in a collection");
  } else if (pointer.kind == Target::kReference) {
    if (keep_) read_referred(in, pointer.tag);
  } else {
    read_object(in, pointer.class_name);
  }
  in.stream.finish(pointer.end, pointer.class_name);
  if (!node_.is_required) end_list();
}

// An object that stands where another pointer to it was.
void NodeDecoder::read_referred(StreamInput& in, uint64_t tag) {
  BigEndianCursor& bytes = in.stream.in();
  const size_t here = bytes.position();
  const root::PointerHeader pointer = in.stream.read_pointer_at(tag);
  if (pointer.kind != root::PointerHeader::Kind::kObject || !pointer.end || *pointer.end > here)
    throw UnsupportedError("a pointer to an object that is not among those before it");
  in.read_again += *pointer.end - bytes.position();
  if (in.read_again > kMostReadAgain + kMostTimes * in.end)
    throw UnsupportedError("too many pointers to the same objects");
  read_object(in, pointer.class_name);
  bytes.seek(here);
}

// The item, as a part of an object where its class derives from it.
void NodeDecoder::read_object(StreamInput& in, const std::string& class_name) {
  const StreamNode& expected = item().node_;
  const bool is_clones = expected.kind == Kind::kClones || !expected.clones.empty();
  if (is_clones ? class_name == "TClonesArray" : class_name == expected.class_name) return item().read(in, 1);
  item().read_derived(in, class_name, 0);
}

// An object's bases come first. What is not of the base that makes up the values is left out.
void NodeDecoder::read_derived(StreamInput& in, const std::string& class_name, int depth) {
  const auto fail = [&] {
    throw UnsupportedError(concat("an object of class ", class_name, " instead of ", node_.class_name));
  };
  if (node_.kind != Kind::kRecord || depth > kDeepestInheritance) fail();
  const root::VersionHeader header = in.stream.read_version();
  if (!header.end || header.memberwise) fail();
  const root::StreamerInfo* info =
      header.version > 0 ? context_.infos->find(class_name, header.version)
                         : context_.infos->find_checksum(class_name, in.stream.in().read<uint32_t>());
  if (info == nullptr) fail();
  for (const root::StreamerElement& element : info->elements) {
    if (!element.is_base) break;
    if (element.name == node_.class_name) {
      read(in, 1);
      return in.stream.finish(header.end, class_name);
    }
    if (context_.infos->derives_from(element.name, node_.class_name)) {
      read_derived(in, element.name, depth + 1);
      return in.stream.finish(header.end, class_name);
    }
    if (element.name == "TObject") {
      in.stream.skip_tobject();
    } else {
      const root::VersionHeader other = in.stream.read_version();
      if (!other.end) break;
      in.stream.finish(other.end, element.name);
    }
  }
  fail();
}

// TClonesArray behind its header: TObject (from version 3 on), TString name (from version 2 on), TString
// "class;version", int32 count, int32 lower bound, and the objects: each behind a byte that is 0 where there
// is none, or the first member of all, and so on.
void NodeDecoder::read_clones(StreamInput& in, const root::VersionHeader& header) {
  BigEndianCursor& bytes = in.stream.in();
  bool is_memberwise = false;
  const std::string name = read_clones_class(in, header, is_memberwise);
  const size_t semicolon = std::min(name.rfind(';'), name.size());
  const std::string& expected = item().node_.class_name;
  if (name.substr(0, semicolon) != expected)
    throw UnsupportedError(concat("objects of class ", name.substr(0, semicolon), " instead of ", expected));
  int16_t version = 0;
  const char* const end = name.data() + name.size();
  if (std::from_chars(name.data() + std::min(semicolon + 1, name.size()), end, version).ptr != end ||
      version <= 0)
    bytes.fail(concat("the version of class ", expected));
  const auto count = static_cast<uint64_t>(std::abs(int64_t{bytes.read<int32_t>()}));
  bytes.skip(4);
  bytes.require(count, 1);
  if (is_memberwise) {
    Counts counts;
    const Form& form = item().form_of(in, {.version = version, .memberwise = false, .end = header.end});
    if (count > 0) item().read_members(in, form, count, counts, true);
  } else {
    for (uint64_t i = 0; i < count; ++i) {
      if (bytes.read<uint8_t>() == 0) throw UnsupportedError("a TClonesArray that lacks an object");
      item().read(in, 1);
    }
  }
  end_list();
}

// Up to "class;version".
std::string NodeDecoder::read_clones_class(StreamInput& in, const root::VersionHeader& header,
                                           bool& is_memberwise) {
  BigEndianCursor& bytes = in.stream.in();
  if (header.version > 2) {
    bytes.skip(6);
    const auto bits = bytes.read<uint32_t>();
    if ((bits & kIsReferenced) != 0) bytes.skip(2);
    is_memberwise = (bits & kBypassStreamer) != 0;
  }
  if (header.version > 1) root::read_string(bytes);
  return root::read_string(bytes);
}

// uint8 length, characters and a 0, and the object.
void NodeDecoder::read_named(StreamInput& in) {
  BigEndianCursor& bytes = in.stream.in();
  const std::string class_name = bytes.read_text(bytes.read<uint8_t>());
  bytes.skip(1);
  if (item().node_.kind == Kind::kClones) return item().read(in, 1);
  read_object(in, class_name);
}

void NodeDecoder::skip_unreadable(StreamInput& in) {
  const root::VersionHeader header = in.stream.read_version();
  if (!header.end) in.stream.in().fail(concat("the byte count of ", node_.name));
  if (context_.found != nullptr && !node_.clones.empty()) {
    bool is_memberwise = false;
    const std::string name = read_clones_class(in, header, is_memberwise);
    context_.found->try_emplace(node_.clones, name.substr(0, name.rfind(';')));
  }
  in.stream.finish(header.end, node_.name);
}

// Of `count` objects the same member: of what has a header there is one for all, and bases have none.
void NodeDecoder::read_together(StreamInput& in, uint64_t count, Counts& counts) {
  if (node_.kind == Kind::kRecord && node_.is_base && !node_.is_built_in)
    return read_members(in, *own_form_, count, counts, true);
  if (node_.kind == Kind::kRecord || node_.kind == Kind::kClones || !node_.has_header) return read(in, count);
  const root::VersionHeader header = in.stream.read_version();
  if (!header.end) in.stream.in().fail("the byte count of collections or strings");
  if (keep_) read_values(in, count, header);
  in.stream.finish(header.end, node_.name);
  length_ += static_cast<int64_t>(count);
}

// Before each array of numbers a byte says whether there is any.
void NodeDecoder::read_counted(StreamInput& in, std::span<const uint64_t> counts) {
  BigEndianCursor& bytes = in.stream.in();
  root::VersionHeader header;
  if (node_.has_header) header = in.stream.read_version();
  for (const uint64_t count : counts) {
    if (!node_.has_presence || bytes.read<uint8_t>() != 0) {
      bytes.require(count, 1);
      if (keep_ || !header.end) item().read(in, count);
    }
    end_list();
  }
  in.stream.finish(header.end, node_.name);
  length_ += static_cast<int64_t>(counts.size());
}

void NodeDecoder::read_records(StreamInput& in, uint64_t count, Counts& counts) {
  for (uint64_t i = 0; i < count; ++i) {
    if (node_.is_whole && !starts_with_header(in)) {
      read_members(in, *own_form_, 1, counts, true);
      continue;
    }
    root::VersionHeader header;
    if (node_.has_header) header = in.stream.read_version();
    if (!keep_ && !counts_ && header.end) {
      in.stream.finish(header.end, node_.class_name);
      continue;
    }
    if (header.memberwise)
      throw UnsupportedError(concat("class ", node_.class_name, " stored member by member"));
    const Form& form = node_.has_header ? form_of(in, header) : *own_form_;
    read_members(in, form, 1, counts, false);
    in.stream.finish(header.end, node_.class_name);
  }
}

void NodeDecoder::read_members(StreamInput& in, const Form& form, uint64_t count, Counts& counts,
                               bool together) {
  BigEndianCursor& bytes = in.stream.in();
  for (size_t m = 0; m < form.members->size(); ++m) {
    const StreamNode& member = (*form.members)[m];
    NodeDecoder& reader = *form.readers[m];
    if (member.is_counter) {
      const size_t size = member.number.stored_size;
      bytes.require(count, size);
      for (uint64_t i = 0; i < count; ++i) {
        counts[member.name].push_back(
            read_count(member.number, bytes.all().data() + bytes.position() + i * size));
      }
    }
    if (member.kind == Kind::kCounted) {
      const std::vector<uint64_t>& known = counts[member.counter];
      if (known.size() < count)
        throw UnsupportedError(
            concat("array ", member.name, " comes before ", member.counter, ", its length"));
      reader.read_counted(in, std::span(known).last(count));
    } else if (together && member.class_name == "TObject" && bytes.position() == in.end) {
      // A base that is an entry may have been stored without its TObject.
    } else if (together) {
      reader.read_together(in, count, counts);
    } else if (member.is_base) {
      reader.read_records(in, count, counts);
    } else if (node_.is_map_item && member.kind != Kind::kRecord && member.has_header) {
      reader.read_values(in, count, {});
      reader.length_ += static_cast<int64_t>(count);
    } else {
      reader.read(in, count);
    }
  }
  length_ += static_cast<int64_t>(count);
  if (&form == own_form_.get()) return;
  for (const auto& child : children_) child->fill_up(length_);
}

// Of the class version that the header tells; where that is not positive a uint32 checksum follows.
const NodeDecoder::Form& NodeDecoder::form_of(StreamInput& in, const root::VersionHeader& header) {
  uint32_t checksum = 0;
  if (header.version <= 0) checksum = in.stream.in().read<uint32_t>();
  const bool is_own = header.version > 0 ? header.version == node_.version : checksum == node_.checksum;
  if (node_.is_built_in || is_own) return *own_form_;
  const root::StreamerInfo* info = header.version > 0
                                       ? context_.infos->find(node_.class_name, header.version)
                                       : context_.infos->find_checksum(node_.class_name, checksum);
  if (info != nullptr) return other_form(*info);
  // What has one version alone tells none.
  if (header.version <= 0 && node_.version <= 1) return *own_form_;
  throw UnsupportedError(
      concat("the file does not describe version ", header.version, " of class ", node_.class_name));
}

const NodeDecoder::Form& NodeDecoder::other_form(const root::StreamerInfo& info) {
  std::unique_ptr<Form>& form = other_forms_[&info];
  if (form) return *form;
  auto made = std::make_unique<Form>();
  made->of_version = std::make_unique<StreamNode>(ClassPlanner(*context_.infos).object(info));
  made->members = &made->of_version->item;
  std::map<std::pair<std::string_view, bool>, NodeDecoder*> own;  // by name, and whether it is a base
  for (size_t i = 0; i < node_.item.size(); ++i)
    own.try_emplace({node_.item[i].name, node_.item[i].is_base}, children_[i].get());
  std::unordered_set<const NodeDecoder*> used;
  for (const StreamNode& member : *made->members) {
    const auto found = own.find({member.name, member.is_base});
    NodeDecoder* reader = found == own.end() ? nullptr : found->second;
    if (reader != nullptr && !same_form(reader->node_, member)) {
      if (reader->keep_) {
        throw UnsupportedError(concat("member ", member.name, " of version ", info.version, " of class ",
                                      node_.class_name, " is of another type than in version ",
                                      node_.version));
      }
      reader = nullptr;
    }
    if (reader == nullptr) {
      made->passers.emplace_back(new NodeDecoder(member, context_, {}, false));
      reader = made->passers.back().get();
    }
    made->readers.push_back(reader);
    used.insert(reader);
  }
  for (size_t i = 0; i < children_.size(); ++i) {
    if (!used.contains(children_[i].get()) && children_[i]->keep_ &&
        size_of(node_.item[i]).values > kMostBlank) {
      throw UnsupportedError(concat("version ", info.version, " of class ", node_.class_name,
                                    " lacks the array ", node_.item[i].name));
    }
  }
  form = std::move(made);
  return *form;
}

// Values that are 0 or empty.
void NodeDecoder::fill_up(int64_t length) {
  const int64_t missing = length - length_;
  if (!keep_ || missing <= 0) return;
  const auto add = [&](int64_t size) {
    const size_t bytes = static_cast<size_t>(missing * size);
    std::memset(values_.extend(bytes), 0, bytes);
  };
  length_ = length;
  switch (node_.kind) {
    case Kind::kNumber:
      return add(static_cast<int64_t>(primitive_size(node_.number.type)));
    case Kind::kBits:
      return add(sizeof(uint32_t));
    case Kind::kBitset:
      return add(node_.size);
    case Kind::kString:
      for (int64_t i = 0; i < missing; ++i) offsets_.append_offset(static_cast<int64_t>(values_.size()));
      return;
    case Kind::kFixed:
      return item().fill_up(length * node_.size);
    case Kind::kRecord:
      for (const auto& child : children_) child->fill_up(length);
      return;
    case Kind::kUnreadable:
      return;
    default:
      if (is_elided()) return item().fill_up(length);
      for (int64_t i = 0; i < missing; ++i) end_list();
  }
}

Column NodeDecoder::finish() {
  if (selected_ != nullptr) return selected_->finish();
  if (is_elided()) return item().finish();
  Column column{.type = {}, .length = length_, .values = {}, .offsets = {}, .children = {}};
  if (has_offsets()) column.offsets = offsets_.take();
  switch (node_.kind) {
    case Kind::kNumber:
    case Kind::kBits:
    case Kind::kString:
      column.type = type_of(node_);
      column.values = values_.take();
      return column;
    case Kind::kBitset:
      return make_fixed_width_column(type_of(node_), length_, values_.take());
    case Kind::kRecord: {
      std::vector<Field> fields;
      for (size_t i = 0; i < children_.size(); ++i) {
        if (!children_[i]->keep_) continue;
        Column member = children_[i]->finish();
        if (!node_.item[i].is_base) {
          fields.push_back({node_.item[i].name, member.type});
          column.children.push_back(std::move(member));
          continue;
        }
        for (size_t j = 0; j < member.children.size(); ++j) {
          fields.push_back(member.type.children[j]);
          column.children.push_back(std::move(member.children[j]));
        }
      }
      column.type = Type::structure(std::move(fields));
      return column;
    }
    default:
      column.children.push_back(item().finish());
      column.type = node_.kind == Kind::kFixed ? Type::fixed_list(column.item().type, node_.size)
                                               : Type::list(column.item().type);
      return column;
  }
}

}  // namespace sapwood::streamed
