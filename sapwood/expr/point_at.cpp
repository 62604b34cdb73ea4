#include "sapwood/expr/point_at.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "sapwood/base/error.h"

namespace sapwood::expr {
namespace {

constexpr size_t kShownBefore = 60;
constexpr size_t kShownAfter = 40;

// Bytes of the UTF-8 character that starts at `offset`; 0 when none does.
size_t character_size(std::string_view text, size_t offset) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[offset + i]); };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() - offset < size) return 0;
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // Encodings that are too long, surrogates, and what lies above the last character.
  const bool forbidden = (lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xed && byte(1) >= 0xa0) ||
                         (lead == 0xf0 && byte(1) < 0x90) || (lead == 0xf4 && byte(1) >= 0x90);
  return forbidden ? 0 : size;
}

std::string printable_character(std::string_view character) {
  const auto lead = static_cast<uint8_t>(character.front());
  return lead < 0x20 || lead == 0x7f ? " " : std::string(character);
}

// Calls `action` with the offset of each character and with what is shown for it.
template <class Action>
void for_each_character(std::string_view text, Action&& action) {
  for (size_t offset = 0; offset < text.size();) {
    const size_t size = character_size(text, offset);
    action(offset, size == 0 ? "?" : printable_character(text.substr(offset, size)));
    offset += std::max<size_t>(size, 1);
  }
}

}  // namespace

std::string printable(std::string_view text) {
  std::string result;
  for_each_character(text, [&](size_t, const std::string& shown) { result += shown; });
  return result;
}

std::string point_at(std::string_view text, size_t offset, std::string_view message) {
  std::vector<std::string> characters;
  size_t place = 0;
  for_each_character(text, [&](size_t at, std::string shown) {
    if (at < offset) ++place;
    characters.push_back(std::move(shown));
  });
  const size_t first = place > kShownBefore ? place - kShownBefore : 0;
  const size_t last = std::min(characters.size(), place + kShownAfter);
  std::string line = first > 0 ? "..." : "";
  const size_t indent = line.size() + place - first;
  for (size_t i = first; i < last; ++i) line += characters[i];
  if (last < characters.size()) line += "...";
  return concat(message, ", at position ", place + 1, "\n  ", line, "\n  ", std::string(indent, ' '), '^');
}

}  // namespace sapwood::expr
