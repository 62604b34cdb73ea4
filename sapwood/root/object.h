#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sapwood/root/streamer_info.h"

namespace sapwood::root {

struct Object;

/// A member's value, in the memory of its tree. Integers of all widths and bool are int64 (unsigned 64-bit
/// wraps around); members that were not interpreted are empty.
using Value = std::variant<std::monostate, int64_t, double, std::string_view, std::span<const int64_t>,
                           std::span<const double>, const Object*>;

/// A deserialised object: its members by name (those of base classes among them), and for a collection its
/// items.
struct Object {
  std::string class_name;
  std::pmr::vector<std::pair<std::string_view, Value>> members;
  std::pmr::vector<const Object*> items;  ///< null where the collection holds a null
  Bytes bytes{};                          ///< of a TBasket: as serialised, for the tree's own reader

  Object(std::string name, std::pmr::memory_resource* memory)
      : class_name(std::move(name)), members(memory), items(memory) {}

  /// Null when there is no such member.
  const Value* find(std::string_view name) const;
  /// These throw FormatError when there is no such member, or none of this type.
  int64_t integer(std::string_view name) const;
  std::string_view text(std::string_view name) const;
  std::span<const int64_t> integers(std::string_view name) const;
  const Object& object(std::string_view name) const;
  int64_t integer_or(std::string_view name, int64_t otherwise) const;
  std::string_view text_or(std::string_view name, std::string_view otherwise) const;
  /// Null when there is no such member, or a null pointer.
  const Object* object_or_null(std::string_view name) const;

  [[noreturn]] void fail(std::string_view name) const;
};

/// An object and everything it points to. Owns them, and the bytes they refer to.
class ObjectTree {
 public:
  /// Deserialises the object of a key by the streamer infos, for any version of its class. Pointer members
  /// named in `skipped` are left empty. What has a byte count and is not understood is left empty too; what
  /// has none throws. Throws IoError, FormatError, UnsupportedError.
  static std::unique_ptr<const ObjectTree> read(const File& file, const Key& key,
                                                std::shared_ptr<const StreamerInfos> infos,
                                                std::span<const std::string_view> skipped = {});

  const Object& root() const { return objects_.front(); }

 private:
  friend class ObjectReader;
  std::shared_ptr<const StreamerInfos> infos_;  // holds the names of the members
  Buffer bytes_;
  std::pmr::monotonic_buffer_resource memory_;  // given back as a whole
  std::deque<Object> objects_;
};

}  // namespace sapwood::root
