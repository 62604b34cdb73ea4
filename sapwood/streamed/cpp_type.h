#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sapwood/streamed/number_format.h"

namespace sapwood::streamed {

/// A C++ type as streamer infos and branches spell it.
struct CppType {
  enum class Kind {
    kNumber,
    kString,      ///< std::string, TString
    kCollection,  ///< vector, list, deque, set, ... of the one argument
    kArray,       ///< std::array: `size` of the one argument
    kMap,         ///< map, multimap, ...: a key and a value
    kPair,
    kBitset,   ///< of `size` bits
    kPointer,  ///< to the one argument
    kClass,    ///< any other, of which `name` is all that is known
  };
  Kind kind = Kind::kNumber;
  NumberFormat number{};
  bool is_std_string = false;
  int64_t size = 0;
  std::string name{};
  std::vector<CppType> arguments{};
};

/// Parses a type's name, without what makes the type itself a pointer. Throws UnsupportedError: brackets that
/// don't match, too deep, void.
CppType parse_cpp_type(std::string_view name);

}  // namespace sapwood::streamed
