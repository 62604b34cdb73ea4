#include "sapwood/root/streamer_info.h"

#include <algorithm>
#include <iterator>

#include "sapwood/root/key_header.h"
#include "sapwood/root/object_stream.h"

namespace sapwood::root {
namespace {

/// Of a class, those of its bases among them: more than any has.
constexpr size_t kMostBases = 200;
/// Of a class: they are looked through for each object.
constexpr size_t kMostVersions = 1000;

struct Named {
  std::string name;
  std::string title;
};

// TNamed: version header, TObject, TString name, TString title.
Named read_named(ObjectStream& stream) {
  const VersionHeader header = stream.read_version();
  stream.skip_tobject();
  Named named{read_string(stream.in()), read_string(stream.in())};
  stream.finish(header.end, "TNamed");
  return named;
}

// TStreamerElement: version header, TNamed, int32 type, size, array length, array dimensions, int32[5]
// maximum indices (version 1: int32 count first; of a base the second is its checksum), TString type name,
// from version 3 on three doubles.
StreamerElement read_element_base(ObjectStream& stream) {
  const VersionHeader header = stream.read_version();
  Named named = read_named(stream);
  BigEndianCursor& in = stream.in();
  StreamerElement element;
  element.name = std::move(named.name);
  element.title = std::move(named.title);
  element.type = in.read<int32_t>();
  element.size = in.read<int32_t>();
  element.array_length = in.read<int32_t>();
  const auto dimensions = in.read<int32_t>();
  const int32_t stored = header.version == 1 ? in.read<int32_t>() : 5;
  in.require(static_cast<uint32_t>(stored), 4);
  for (int32_t i = 0; i < stored; ++i) {
    const auto extent = in.read<int32_t>();
    if (i < dimensions) element.dimensions.push_back(extent);
    if (i == 1) element.base_checksum = static_cast<uint32_t>(extent);
  }
  element.type_name = read_string(in);
  // Early ROOT had no code for bool and stored it as an unsigned char.
  if (element.type == kUChar && (element.type_name == "Bool_t" || element.type_name == "bool")) {
    element.type = kBool;
  }
  stream.finish(header.end, "TStreamerElement");
  return element;
}

// TStreamer<kind>: version header, TStreamerElement, and by kind:
//   Base: from version 3 on int32 version of the base; BasicPointer, Loop: int32 version, TString count
//   member, TString its class; STL: int32 kind, int32 type of its items
StreamerElement read_element(ObjectStream& stream, const std::string& class_name) {
  const VersionHeader header = stream.read_version();
  BigEndianCursor& in = stream.in();
  if (class_name == "TStreamerSTLstring") {
    StreamerElement string = read_element(stream, "TStreamerSTL");
    stream.finish(header.end, class_name);
    return string;
  }
  StreamerElement element = read_element_base(stream);
  if (class_name == "TStreamerBase") {
    element.is_base = true;
    if (header.version > 2) element.base_version = in.read<int32_t>();
  } else if (class_name == "TStreamerBasicPointer" || class_name == "TStreamerLoop") {
    in.skip(4);
    element.count_name = read_string(in);
    read_string(in);
  } else if (class_name == "TStreamerSTL") {
    in.skip(4);
    element.content_type = in.read<int32_t>();
  }
  stream.finish(header.end, class_name);
  return element;
}

// TStreamerInfo: version header, TNamed, uint32 checksum, int32 class version, TObjArray* elements.
// TObjArray: version header, TObject, TString name, int32 count, int32 lower bound, pointers.
StreamerInfo read_info(ObjectStream& stream) {
  const VersionHeader header = stream.read_version();
  StreamerInfo info;
  info.name = read_named(stream).name;
  BigEndianCursor& in = stream.in();
  info.checksum = in.read<uint32_t>();
  info.version = in.read<int32_t>();
  const PointerHeader array = stream.read_pointer();
  if (array.kind == PointerHeader::Kind::kObject) {
    const VersionHeader array_header = stream.read_version();
    stream.skip_tobject();
    read_string(in);
    const auto count = in.read<uint32_t>();
    in.skip(4);
    in.require(count, 4);
    for (uint32_t i = 0; i < count; ++i) {
      const PointerHeader pointer = stream.read_pointer();
      if (pointer.kind != PointerHeader::Kind::kObject) continue;
      info.elements.push_back(read_element(stream, pointer.class_name));
      stream.finish(pointer.end, pointer.class_name);
    }
    stream.finish(array_header.end, "TObjArray");
  }
  stream.finish(header.end, "TStreamerInfo");
  return info;
}

}  // namespace

std::shared_ptr<const StreamerInfos> StreamerInfos::read(const File& file) {
  const Buffer record = file.streamer_info_record(heap_pool());
  return with_context({.file = file.uri(), .object = "StreamerInfo"}, [&] {
    return parse({record.data(), record.size()});
  });
}

// TList of TStreamerInfo: version header, TObject, TString name, int32 count, then for each a pointer and an
// option string (uint8 length, characters).
std::shared_ptr<const StreamerInfos> StreamerInfos::parse(Bytes record) {
  auto infos = std::make_shared<StreamerInfos>();
  if (record.empty()) return infos;
  const StoredObject stored = unpack_record(record, heap_pool());
  ObjectStream stream({stored.bytes.data(), stored.bytes.size()}, stored.key_size, "list of streamer infos");
  BigEndianCursor& in = stream.in();
  stream.read_version();
  stream.skip_tobject();
  read_string(in);
  const auto count = in.read<uint32_t>();
  in.require(count, 5);
  for (uint32_t i = 0; i < count; ++i) {
    const PointerHeader pointer = stream.read_pointer();
    if (pointer.kind == PointerHeader::Kind::kObject) {
      if (pointer.class_name == "TStreamerInfo") {
        StreamerInfo info = read_info(stream);
        std::vector<StreamerInfo>& versions = infos->by_name_[info.name];
        if (versions.size() >= kMostVersions) in.fail(concat("fewer versions of class ", info.name));
        versions.push_back(std::move(info));
      } else if (!pointer.end) {
        in.fail(concat("the end of a ", pointer.class_name));
      }
      stream.finish(pointer.end, pointer.class_name);
    }
    in.skip(in.read<uint8_t>());
  }
  return infos;
}

std::shared_ptr<const StreamerInfos> SharedStreamerInfos::read(const File& file) {
  const Buffer record = file.streamer_info_record(heap_pool());
  return with_context({.file = file.uri(), .object = "StreamerInfo"}, [&] {
    const Bytes bytes(record.data(), record.size());
    if (bytes.empty()) return StreamerInfos::parse(bytes);
    // Key headers tell when the file was written and where they are, and never agree but for their size.
    BigEndianCursor in(bytes, "record");
    const KeyHeader header = read_key_header(in);
    in.seek(static_cast<size_t>(header.key_size));
    const Bytes stored = in.take(in.remaining());
    std::string key = concat(header.key_size, ' ', header.object_size, ' ');
    std::ranges::transform(stored, std::back_inserter(key), [](std::byte byte) { return char(byte); });
    {
      const std::lock_guard lock(mutex_);
      if (const auto known = lists_.find(key); known != lists_.end()) return known->second;
    }
    auto infos = StreamerInfos::parse(bytes);
    const std::lock_guard lock(mutex_);
    if (lists_.size() < kMostLists) lists_.emplace(std::move(key), infos);
    return infos;
  });
}

const StreamerInfo* StreamerInfos::find(std::string_view class_name, int32_t version) const {
  const auto found = by_name_.find(std::string(class_name));
  if (found == by_name_.end()) return nullptr;
  for (const StreamerInfo& info : found->second) {
    if (info.version == version) return &info;
  }
  return nullptr;
}

const StreamerInfo* StreamerInfos::find_checksum(std::string_view class_name, uint32_t checksum) const {
  const auto found = by_name_.find(std::string(class_name));
  if (found == by_name_.end()) return nullptr;
  for (const StreamerInfo& info : found->second) {
    if (info.checksum == checksum) return &info;
  }
  return nullptr;
}

const StreamerInfo* StreamerInfos::read_form(BigEndianCursor& in, std::string_view class_name,
                                             int32_t version) const {
  const StreamerInfo* info = find(class_name, version);
  return version > 0 || info != nullptr ? info : find_checksum(class_name, in.read<uint32_t>());
}

const StreamerInfo* StreamerInfos::newest(std::string_view class_name) const {
  const auto found = by_name_.find(std::string(class_name));
  if (found == by_name_.end()) return nullptr;
  return &*std::max_element(found->second.begin(), found->second.end(),
                            [](const auto& a, const auto& b) { return a.version < b.version; });
}

bool StreamerInfos::derives_from(std::string_view class_name, std::string_view base) const {
  std::vector<std::string_view> classes{class_name};
  for (size_t i = 0; i < classes.size() && classes.size() < kMostBases; ++i) {
    if (classes[i] == base) return true;
    const StreamerInfo* info = newest(classes[i]);
    if (info == nullptr) continue;
    for (const StreamerElement& element : info->elements) {
      if (element.is_base && std::ranges::find(classes, element.name) == classes.end())
        classes.push_back(element.name);
    }
  }
  return false;
}

}  // namespace sapwood::root
