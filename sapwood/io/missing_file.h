#pragma once

#include <string>

namespace sapwood::io {

/// Throws the IoError for a path that does not exist: the message names the first part of it that is missing
/// and the nearest names in the folder where that was looked for.
[[noreturn]] void throw_missing_file(const std::string& path);

/// " (nearest: a, b, c)" of the names in a folder (empty: the current one), or "" when nothing is near.
std::string nearest_in_folder(const std::string& folder, const std::string& name);

}  // namespace sapwood::io
