#include "sapwood/ttree/cpp_type.h"

#include <array>
#include <cctype>
#include <charconv>
#include <utility>

#include "sapwood/root/streamer_info.h"

namespace sapwood::ttree {
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

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == ':'; }

/// Splits "name<a, b<c>, d>" into the name and its arguments; false when the brackets don't match.
bool split(std::string_view text, std::string& name, std::vector<std::string_view>& arguments) {
  const size_t open = text.find('<');
  for (const char c : text.substr(0, open)) {
    // One space between words, none elsewhere; pointers have no form of their own here.
    if (is_word(c)) {
      name += c;
    } else if (c == ' ') {
      if (!name.empty() && name.back() != ' ') name += ' ';
    } else {
      return false;
    }
  }
  while (!name.empty() && name.back() == ' ') name.pop_back();
  if (name.starts_with("const ")) name.erase(0, 6);
  if (name.starts_with("std::")) name.erase(0, 5);
  if (open == std::string_view::npos) return true;
  int depth = 0;
  size_t start = open + 1;
  for (size_t i = open; i < text.size(); ++i) {
    if (text[i] == '<') ++depth;
    if (text[i] == '>') --depth;
    if ((text[i] == ',' && depth == 1) || (text[i] == '>' && depth == 0)) {
      arguments.push_back(text.substr(start, i - start));
      start = i + 1;
    }
    if (depth == 0) return text.find_first_not_of(' ', i + 1) == std::string_view::npos;
  }
  return false;
}

std::optional<CppType> parse(std::string_view text, int depth) {
  std::string name;
  std::vector<std::string_view> arguments;
  if (depth > kDeepestType || !split(text, name, arguments)) return std::nullopt;
  if (arguments.empty()) {
    if (name == "string" || name == "TString") {
      return CppType{.kind = CppType::Kind::kString, .is_std_string = name == "string"};
    }
    for (const auto& [spelling, code] : kNumbers) {
      if (spelling == name)
        return CppType{.kind = CppType::Kind::kNumber, .number = *number_format(code, {})};
    }
    return std::nullopt;
  }
  auto item = parse(arguments.front(), depth + 1);
  if (!item) return std::nullopt;
  if (name == "array" && arguments.size() == 2) {
    const size_t digits = arguments[1].find_first_not_of(' ');
    if (digits == std::string_view::npos) return std::nullopt;
    CppType array{.kind = CppType::Kind::kArray, .arguments = {std::move(*item)}};
    const char* const first = arguments[1].data() + digits;
    std::from_chars(first, arguments[1].data() + arguments[1].size(), array.size);
    if (array.size <= 0) return std::nullopt;
    return array;
  }
  for (const std::string_view collection : kCollections) {
    if (collection == name) {
      return CppType{.kind = CppType::Kind::kCollection, .arguments = {std::move(*item)}};
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<CppType> parse_cpp_type(std::string_view name) {
  // A branch may hold the object by pointer; what is stored is the same.
  while (!name.empty() && (name.back() == '*' || name.back() == ' ')) name.remove_suffix(1);
  return parse(name, 0);
}

}  // namespace sapwood::ttree
