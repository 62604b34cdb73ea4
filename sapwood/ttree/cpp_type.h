#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sapwood/ttree/number_format.h"

namespace sapwood::ttree {

/// A C++ type as streamer infos and branches spell it, as far as its values have a stored form known here.
struct CppType {
  enum class Kind {
    kNumber,
    kString,      ///< std::string, TString
    kCollection,  ///< vector, list, deque, set, ... of the one argument
    kArray,       ///< std::array: `size` of the one argument
  };
  Kind kind = Kind::kNumber;
  NumberFormat number{};
  bool is_std_string = false;
  int64_t size = 0;
  std::vector<CppType> arguments{};
};

/// Parses a type's name. None for classes and whatever else is not listed above.
std::optional<CppType> parse_cpp_type(std::string_view name);

}  // namespace sapwood::ttree
