#pragma once

#include <string>

namespace sapwood::io {

/// Throws the IoError for a path that does not exist: the message names the first part of it that is missing
/// and the nearest names in the folder where that was looked for.
[[noreturn]] void throw_missing_file(const std::string& path);

}  // namespace sapwood::io
