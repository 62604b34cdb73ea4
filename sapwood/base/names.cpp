#include "sapwood/base/names.h"

#include <algorithm>
#include <cctype>
#include <cstdint>

namespace sapwood {
namespace {

// Levenshtein distance times two; a change of case alone costs one.
size_t doubled_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = 2 * j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = 2 * i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const auto x = static_cast<unsigned char>(a[i - 1]);
      const auto y = static_cast<unsigned char>(b[j - 1]);
      const size_t change = x == y ? 0 : std::tolower(x) == std::tolower(y) ? 1 : 2;
      const size_t best = std::min({diagonal + change, row[j] + 2, row[j - 1] + 2});
      diagonal = row[j];
      row[j] = best;
    }
  }
  return row[b.size()];
}

// Well-formed UTF-8 (table 3-7 of the Unicode standard).
bool is_utf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    if (first < 0x80) {
      ++i;
      continue;
    }
    const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || text.size() - i < length) return false;
    uint32_t code = first & (0x7Fu >> length);
    for (size_t k = 1; k < length; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xC0) != 0x80) return false;
      code = code << 6 | (next & 0x3Fu);
    }
    const uint32_t smallest = length == 4 ? 0x10000 : length == 3 ? 0x800 : 0x80;
    if (code < smallest || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return false;
    i += length;
  }
  return true;
}

}  // namespace

std::vector<std::string> nearest_names(std::string_view name, const std::vector<std::string>& candidates,
                                       size_t count) {
  // What people misspell is short. Names may come from elsewhere, and comparing long ones takes for ever.
  constexpr size_t kLongest = 128;
  constexpr size_t kMostCandidates = 10000;
  std::vector<std::pair<size_t, const std::string*>> ranked;
  if (name.size() > kLongest) return {};
  for (size_t i = 0; i < std::min(candidates.size(), kMostCandidates); ++i) {
    const std::string& candidate = candidates[i];
    if (candidate.size() > kLongest) continue;
    const size_t shorter = std::min(name.size(), candidate.size());
    const size_t longer = std::max(name.size(), candidate.size());
    const bool contained = shorter >= 3 && (candidate.find(name) != std::string::npos ||
                                            name.find(candidate) != std::string_view::npos);
    if (!contained && longer - shorter > longer / 2) continue;
    const size_t distance = doubled_distance(name, candidate);
    if (contained || distance <= std::max<size_t>(longer, 2)) ranked.emplace_back(distance, &candidate);
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> result;
  for (const auto& [distance, candidate] : ranked) {
    if (result.size() == count) break;
    result.push_back(*candidate);
  }
  return result;
}

std::string nearest_names_hint(std::string_view name, const std::vector<std::string>& candidates) {
  std::string hint;
  for (const std::string& near : nearest_names(name, candidates)) hint += (hint.empty() ? "" : ", ") + near;
  return hint.empty() ? hint : " (nearest: " + hint + ")";
}

std::string utf8_name(std::string bytes) {
  if (is_utf8(bytes)) return bytes;
  std::string text;
  for (const char byte : bytes) {
    const auto code = static_cast<unsigned char>(byte);
    if (code < 0x80) {
      text += byte;
    } else {
      text += static_cast<char>(0xC0 | code >> 6);
      text += static_cast<char>(0x80 | (code & 0x3F));
    }
  }
  return text;
}

}  // namespace sapwood
