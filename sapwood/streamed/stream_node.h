#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sapwood/streamed/number_format.h"

namespace sapwood::streamed {

/// How one value of an entry is serialised, for entries that must be walked through.
struct StreamNode {
  enum class Kind {
    kNumber,
    kBits,        ///< TObject::fBits: uint32, and a uint16 after it if its bit 4 is set
    kString,      ///< length (1 byte, or 255 and 4 bytes), characters
    kList,        ///< uint32 count, items
    kFixed,       ///< `size` items
    kBitset,      ///< uint32 count, which must be `size`, and as many bools
    kCounted,     ///< as many items as the member `counter`, which comes before, says
    kClones,      ///< a TClonesArray of objects of the item's class
    kUntilEnd,    ///< items up to the end of the entry
    kMemberwise,  ///< as many records as the entry's collection has: the first member of all, and so on
    kRecord,      ///< byte count and version, members
    kPointer,     ///< null, or the class of an object and the object
    kNamed,       ///< the name of a class and an object of it
    kUnreadable   ///< what has a byte count, by which it is left out
  };
  Kind kind = Kind::kNumber;
  bool has_header = false;    ///< byte count and version stand before it
  bool has_presence = false;  ///< of kCounted: a byte that says whether there are any stands before them
  bool is_triangle = false;   ///< of kCounted: 1 + 2 + ... + that number of items
  bool long_length = false;   ///< of a string: always 4 bytes of length
  bool may_lack = false;      ///< of a string: nothing is stored of an empty one
  int64_t size = 0;
  NumberFormat number{};
  std::vector<StreamNode> item{};  ///< one, of lists and pointers; the members of a record

  // Of a record's member:
  std::string name{};
  std::string type_name{};  ///< in the file's words
  bool is_base = false;     ///< what the base has are members of the record
  bool is_apart = false;    ///< a base that has its header also where members are stored together
  bool is_hidden = false;   ///< stored, and no part of the record
  bool is_counter = false;  ///< how many items other members have
  std::string problem{};    ///< why it is unreadable
  std::string
      clones{};  ///< of a TClonesArray whose objects' class is not known: class and name of the member

  std::string class_name{};  ///< of a record
  bool is_built_in = false;  ///< a record that has one form in all files
  bool is_map_item = false;  ///< a record whose members have no headers, unless stored member by member
  bool is_whole = false;  ///< a base that is an entry: where no header is, those of its own bases have none
  int32_t version = 0;    ///< of the class, when the members are these
  uint32_t checksum = 0;
  std::string counter{};     ///< of kCounted
  bool is_required = false;  ///< of kPointer: an item of a list, which can't be null
};

/// The type of its values: a record has its own members and those of its bases, a pointer is a list of at
/// most one item.
Type type_of(const StreamNode& node);

/// Whether values are stored alike, but for what records say themselves about their members.
bool same_form(const StreamNode& a, const StreamNode& b);

/// A member of a record, at any depth and inside of lists, as a column of its own.
struct StreamMember {
  std::vector<std::string> path;  ///< names of members
  const StreamNode* node = nullptr;
  Type type{};  ///< with the lists around it; meaningless where `problem` is set
  std::string problem{};
};
std::vector<StreamMember> members_of(const StreamNode& node);

/// Whether somewhere in it is a TClonesArray whose objects' class is not known.
bool has_unknown_clones(const StreamNode& node);

/// Stored bytes of a value at least, and how many numbers and strings those hold.
struct StreamSize {
  double bytes = 0;
  double values = 0;
};
StreamSize size_of(const StreamNode& node);

}  // namespace sapwood::streamed
