// Objects whose class the bytes tell: behind pointers, behind names, and in TClonesArrays.
#include <algorithm>
#include <charconv>

#include "sapwood/base/error.h"
#include "sapwood/root/key_header.h"
#include "sapwood/streamed/node_decoder.h"

namespace sapwood::streamed {
namespace {

using Kind = StreamNode::Kind;

/// Bytes of an entry's objects that are read again, for one more pointer to them, beside so many times its
/// own.
constexpr uint64_t kMostReadAgain = uint64_t{1} << 20;
constexpr uint64_t kMostTimes = 64;
constexpr int kDeepestInheritance = 50;
/// In a TClonesArray's fBits: its objects are stored member by member. In version 3 of it another bit.
constexpr uint32_t kBypassStreamer = 1u << 12;
constexpr uint32_t kBypassStreamer3 = 1u << 14;

}  // namespace

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
  const root::StreamerInfo* info = context_.infos->read_form(in.stream.in(), class_name, header.version);
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
  if (std::from_chars(name.data() + std::min(semicolon + 1, name.size()), end, version).ptr != end)
    bytes.fail(concat("the version of class ", expected));
  const auto count = static_cast<uint64_t>(std::abs(int64_t{bytes.read<int32_t>()}));
  bytes.skip(4);
  bytes.require(count, 1);
  if (count == 0) {
    in.stream.finish(header.end, node_.name);  // the headers of members, maybe
  } else if (is_memberwise) {
    item().read_memberwise(in, item().form_of_version(version), count);
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
    if ((bits & root::kIsReferenced) != 0) bytes.skip(2);
    is_memberwise = (bits & (header.version == 3 ? kBypassStreamer3 : kBypassStreamer)) != 0;
  }
  if (header.version > 1) root::read_string(bytes);
  return root::read_string(bytes);
}

// uint8 length, characters and a 0, and the object.
void NodeDecoder::read_named(StreamInput& in) {
  BigEndianCursor& bytes = in.stream.in();
  const std::string class_name = bytes.read_text(bytes.read<uint8_t>());
  bytes.skip(1);
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

}  // namespace sapwood::streamed
