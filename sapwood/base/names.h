#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sapwood {

/// The up to `count` candidates nearest to `name` by edit distance (case counts half), nearest first; those
/// too far to be a slip of the fingers are left out.
std::vector<std::string> nearest_names(std::string_view name, const std::vector<std::string>& candidates,
                                       size_t count = 3);

/// " (nearest: a, b, c)" for an error message, or "" when nothing is near.
std::string nearest_names_hint(std::string_view name, const std::vector<std::string>& candidates);

/// A name in a file as UTF-8: what is not is taken for Latin-1, which old programs wrote, so that there are
/// no names that a program can't show or ask for.
std::string utf8_name(std::string bytes);

}  // namespace sapwood
