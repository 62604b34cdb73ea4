#include "sapwood/root/object_stream.h"

namespace sapwood::root {
namespace {

constexpr uint32_t kClassMask = 0x80000000;
constexpr uint32_t kNewClassTag = 0xFFFFFFFF;
/// Tags are positions plus this, so that none is 0 or 1.
constexpr uint64_t kTagOffset = 2;
constexpr size_t kLongestClassName = 4096;

}  // namespace

ObjectStream::ObjectStream(Bytes bytes, uint32_t key_size, const char* what)
    : in_(bytes, what), key_size_(key_size) {}

// [uint32 byte count | 0x40000000], uint32 tag, and by the tag:
//   0            null
//   0xFFFFFFFF   a new class: its name, ended by 0; then the object
//   0x80000000 + tag of a class named before; then the object
//   else         the tag of an object before
// A class's tag is the position of its tag, an object's that of its byte count; without byte counts they are
// numbered from 1 in the order of appearance.
PointerHeader ObjectStream::read_pointer() {
  PointerHeader header;
  const size_t start = in_.position();
  size_t tag_position = start;
  auto tag = in_.read<uint32_t>();
  if ((tag & kByteCount) != 0 && tag != kNewClassTag) {
    const uint32_t count = tag & ~kByteCount;
    in_.require(count, 1);
    header.end = in_.position() + count;
    tag_position = in_.position();
    tag = in_.read<uint32_t>();
  }
  if ((tag & kClassMask) == 0) {
    header.kind = tag == 0 ? PointerHeader::Kind::kNull : PointerHeader::Kind::kReference;
    header.tag = tag;
    return header;
  }
  header.kind = PointerHeader::Kind::kObject;
  if (tag == kNewClassTag) {
    header.class_name = read_class_name();
    classes_[next_tag(tag_position, header.end.has_value())] = header.class_name;
  } else if (const auto found = classes_.find(tag & ~kClassMask); found != classes_.end()) {
    header.class_name = found->second;
  } else {
    header.class_name = class_named_before(tag & ~kClassMask);
    if (header.class_name.empty() && !header.end) in_.fail(concat("class number ", tag & ~kClassMask));
  }
  header.tag = next_tag(start, header.end.has_value());
  return header;
}

PointerHeader ObjectStream::read_pointer_at(uint64_t tag) {
  if (tag < key_size_ + kTagOffset || tag - key_size_ - kTagOffset >= in_.position()) return {};
  in_.seek(tag - key_size_ - kTagOffset);
  return read_pointer();
}

std::string ObjectStream::read_class_name() {
  std::string name;
  while (const char c = in_.read<char>()) {
    if (name.size() >= kLongestClassName) in_.fail("a class name's end");
    name += c;
  }
  return name;
}

// By the position that its tag is, in what was passed over; empty where no name is.
std::string ObjectStream::class_named_before(uint64_t tag) {
  const size_t here = in_.position();
  const uint64_t position = tag - key_size_ - kTagOffset;
  if (tag < key_size_ + kTagOffset || position + sizeof(uint32_t) > here) return {};
  in_.seek(position);
  std::string name = in_.read<uint32_t>() == kNewClassTag ? read_class_name() : std::string();
  in_.seek(here);
  return name;
}

uint64_t ObjectStream::next_tag(size_t position, bool has_byte_count) {
  ++mapped_;
  return has_byte_count ? position + key_size_ + kTagOffset : mapped_;
}

// TObject: uint16 version, uint32 fUniqueID, uint32 fBits, uint16 process identifier if bit 4 of fBits is
// set.
void ObjectStream::skip_tobject() {
  read_version();
  in_.skip(4);
  if ((in_.read<uint32_t>() & kIsReferenced) != 0) in_.skip(2);
}

void ObjectStream::finish(const std::optional<size_t>& end, const std::string& class_name) {
  if (!end) return;
  if (in_.position() > *end) in_.fail(concat("the end of ", class_name, " at byte ", *end));
  in_.seek(*end);
}

}  // namespace sapwood::root
