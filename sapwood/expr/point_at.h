#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sapwood::expr {

/// An error message that shows the place: `message` with the position (in characters, from 1) of the byte
/// `offset` of `text`; then the text and a caret, each on a line of its own. Of a long text, what is around
/// the place. What would break the picture is replaced: control characters by spaces, bytes that are not
/// UTF-8 by question marks.
std::string point_at(std::string_view text, size_t offset, std::string_view message);

/// The text as such a message shows it, for quoting pieces of it.
std::string printable(std::string_view text);

}  // namespace sapwood::expr
