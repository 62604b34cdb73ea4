#include "sapwood/streamed/cpp_type.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "sapwood/base/error.h"
#include "sapwood/root/streamer_info.h"

namespace sapwood::streamed {
namespace {

constexpr int kDeepestType = 20;

constexpr std::array<std::pair<std::string_view, int32_t>, 47> kNumbers{{
    {"bool", root::kBool},
    {"Bool_t", root::kBool},
    {"char", root::kChar},
    {"signed char", root::kChar},
    {"Char_t", root::kChar},
    {"int8_t", root::kChar},
    {"unsigned char", root::kUChar},
    {"UChar_t", root::kUChar},
    {"Byte_t", root::kUChar},
    {"uint8_t", root::kUChar},
    {"short", root::kShort},
    {"Short_t", root::kShort},
    {"int16_t", root::kShort},
    {"unsigned short", root::kUShort},
    {"UShort_t", root::kUShort},
    {"uint16_t", root::kUShort},
    {"int", root::kInt},
    {"Int_t", root::kInt},
    {"int32_t", root::kInt},
    {"unsigned int", root::kUInt},
    {"unsigned", root::kUInt},
    {"UInt_t", root::kUInt},
    {"uint32_t", root::kUInt},
    {"long", root::kLong},
    {"Long_t", root::kLong},
    {"int64_t", root::kLong64},
    {"long long", root::kLong64},
    {"Long64_t", root::kLong64},
    {"unsigned long", root::kULong},
    {"ULong_t", root::kULong},
    {"size_t", root::kULong},
    {"uint64_t", root::kULong64},
    {"unsigned long long", root::kULong64},
    {"ULong64_t", root::kULong64},
    {"float", root::kFloat},
    {"Float_t", root::kFloat},
    {"double", root::kDouble},
    {"Double_t", root::kDouble},
    {"Double32_t", root::kDouble32},
    {"Float16_t", root::kFloat16},
    {"short int", root::kShort},
    {"long int", root::kLong},
    {"unsigned short int", root::kUShort},
    {"unsigned long int", root::kULong},
    {"long long int", root::kLong64},
    {"long unsigned int", root::kULong},
    {"short unsigned int", root::kUShort},
}};

constexpr std::array<std::string_view, 13> kCollections{
    "vector",   "list",         "deque",         "set",
    "multiset", "forward_list", "unordered_set", "unordered_multiset",
    "RVec",     "ROOT::RVec",   "VecOps::RVec",  "ROOT::VecOps::RVec",
    "valarray"};

constexpr std::array<std::string_view, 4> kMaps{"map", "multimap", "unordered_map", "unordered_multimap"};

constexpr std::string_view kSpaces = " \t";

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

std::string_view without_prefix(std::string_view text, std::string_view prefix) {
  return text.starts_with(prefix) ? trimmed(text.substr(prefix.size())) : text;
}

std::string_view without_pointer(std::string_view text) {
  while (text.ends_with('*') || text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

/// A template's name and its arguments: "name<a, b<c>, d>".
struct Words {
  std::string_view name;
  std::vector<std::string_view> arguments;
};

Words split(std::string_view text) {
  Words words{.name = text, .arguments = {}};
  const size_t open = text.find('<');
  if (open == std::string_view::npos) return words;
  words.name = trimmed(text.substr(0, open));
  int depth = 0;
  size_t start = open + 1;
  for (size_t i = open; i < text.size(); ++i) {
    if (text[i] == '<') ++depth;
    if (text[i] == '>') --depth;
    if ((text[i] == ',' && depth == 1) || (text[i] == '>' && depth == 0)) {
      words.arguments.push_back(trimmed(text.substr(start, i - start)));
      start = i + 1;
    }
    if (depth != 0) continue;
    // What is in a class (vector<int>::value_type) is another class.
    if (i + 1 != text.size()) return {.name = text, .arguments = {}};
    return words;
  }
  throw UnsupportedError(concat("type ", text, ": its brackets don't match"));
}

int64_t parse_size(std::string_view digits) {
  int64_t size = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), size);
  // Such as 8ul.
  if (error != std::errc{} || size <= 0 ||
      std::string_view(end, digits.data() + digits.size()).find_first_not_of("uUlL") !=
          std::string_view::npos)
    throw UnsupportedError(concat("an array of size ", digits));
  return size;
}

template <size_t Size>
bool is_among(const std::array<std::string_view, Size>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

CppType parse(std::string_view text, int depth) {
  using Kind = CppType::Kind;
  if (depth > kDeepestType) throw UnsupportedError(concat("type ", text, " is nested too deeply"));
  text = without_prefix(without_prefix(trimmed(text), "const "), "std::");
  if (text.ends_with('*'))
    return {.kind = Kind::kPointer, .arguments = {parse(without_pointer(text), depth + 1)}};
  const Words words = split(text);
  const std::string_view name = words.name;
  const std::vector<std::string_view>& arguments = words.arguments;
  const auto of_arguments = [&](Kind kind, size_t count) {
    CppType type{.kind = kind};
    for (size_t i = 0; i < count; ++i) type.arguments.push_back(parse(arguments[i], depth + 1));
    return type;
  };
  // Named as in streamer infos.
  const auto pair = [&](Kind kind) {
    CppType type = of_arguments(kind, 2);
    type.name = concat("pair<", arguments[0], ',', arguments[1], arguments[1].ends_with('>') ? " >" : ">");
    return type;
  };
  if (arguments.empty()) {
    if (name == "string" || name == "TString")
      return {.kind = Kind::kString, .is_std_string = name == "string"};
    for (const auto& [spelling, code] : kNumbers) {
      if (spelling == name) return {.kind = Kind::kNumber, .number = *number_format(code, {})};
    }
    if (name.empty() || name == "void") throw UnsupportedError("a pointer to what has no type");
  } else if (arguments.size() >= 2 && name == "array") {
    CppType array = of_arguments(Kind::kArray, 1);
    array.size = parse_size(arguments[1]);
    return array;
  } else if (name == "bitset") {
    return {.kind = Kind::kBitset, .size = parse_size(arguments[0])};
  } else if (is_among(kCollections, name)) {
    return of_arguments(Kind::kCollection, 1);
  } else if (arguments.size() >= 2 && is_among(kMaps, name)) {
    return pair(Kind::kMap);
  } else if (arguments.size() == 2 && name == "pair") {
    return pair(Kind::kPair);
  }
  return {.kind = Kind::kClass, .name = std::string(text)};
}

}  // namespace

CppType parse_cpp_type(std::string_view name) { return parse(without_pointer(name), 0); }

}  // namespace sapwood::streamed
