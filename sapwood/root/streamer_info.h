#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sapwood/base/cursor.h"
#include "sapwood/root/file.h"

namespace sapwood::root {

/// Type codes of streamer elements (TStreamerInfo::EReadWrite).
enum ElementType : int32_t {
  kIgnored = -1,  ///< a base that takes no bytes
  kBase = 0,
  kChar = 1,
  kShort = 2,
  kInt = 3,
  kLong = 4,
  kFloat = 5,
  kCounter = 6,
  kCharStar = 7,
  kDouble = 8,
  kDouble32 = 9,
  kLegacyChar = 10,
  kUChar = 11,
  kUShort = 12,
  kUInt = 13,
  kULong = 14,
  kBits = 15,
  kLong64 = 16,
  kULong64 = 17,
  kBool = 18,
  kFloat16 = 19,
  kOffsetL = 20,  ///< added for arrays of fixed length
  kOffsetP = 40,  ///< added for arrays of a length that another member holds
  kObject = 61,
  kAny = 62,
  kObjectPointerInline = 63,
  kObjectPointer = 64,
  kTString = 65,
  kTObject = 66,
  kTNamed = 67,
  kAnyPointerInline = 68,
  kAnyPointer = 69,
  kSTLPointer = 71,
  kSTL = 300,
  kSTLString = 365,
  kStreamer = 500,    ///< what has a streamer of its own
  kStreamLoop = 501,  ///< as many objects as another member says
};

/// One member, or base, of a class, as TStreamerElement describes it.
struct StreamerElement {
  bool is_base = false;
  std::string name;
  std::string title;
  std::string type_name;
  int32_t type = 0;
  int32_t size = 0;
  int32_t array_length = 0;
  std::vector<int32_t> dimensions{};
  int32_t base_version = -1;
  uint32_t base_checksum = 0;
  std::string count_name{};  ///< the member that holds the length, for kOffsetP arrays
  int32_t content_type = 0;  ///< of the items of a collection, where they are numbers
};

/// How one version of a class is stored.
struct StreamerInfo {
  std::string name;
  int32_t version = 0;
  uint32_t checksum = 0;
  std::vector<StreamerElement> elements;
};

/// The streamer infos of a file. Immutable; safe from many threads.
class StreamerInfos {
 public:
  /// Reads the file's list; a file without one gives an empty set. Throws IoError, FormatError.
  static std::shared_ptr<const StreamerInfos> read(const File& file);
  /// The same from a file's `streamer_info_record`. Throws FormatError.
  static std::shared_ptr<const StreamerInfos> parse(Bytes record);

  /// Null when there is none.
  const StreamerInfo* find(std::string_view class_name, int32_t version) const;
  const StreamerInfo* find_checksum(std::string_view class_name, uint32_t checksum) const;
  const StreamerInfo* newest(std::string_view class_name) const;
  /// What is behind the version of an object: where that is not positive, its members' uint32 checksum is
  /// read unless the class is of version 0 by its declaration. Null when the file does not describe it.
  const StreamerInfo* read_form(BigEndianCursor& in, std::string_view class_name, int32_t version) const;
  /// Whether a class is, or by the streamer infos derives from, `base`.
  bool derives_from(std::string_view class_name, std::string_view base) const;

 private:
  std::unordered_map<std::string, std::vector<StreamerInfo>> by_name_;
};

/// Streamer infos that many files have in common: equal lists are decompressed and parsed once. Safe from
/// many threads.
class SharedStreamerInfos {
 public:
  /// As `StreamerInfos::read`.
  std::shared_ptr<const StreamerInfos> read(const File& file);

 private:
  static constexpr size_t kMostLists = 32;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const StreamerInfos>> lists_;  // by what is stored of them
};

}  // namespace sapwood::root
