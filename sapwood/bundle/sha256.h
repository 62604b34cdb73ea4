#pragma once

#include <string>

#include "sapwood/base/cursor.h"

namespace sapwood {

/// SHA-256 in lower-case hexadecimal digits.
std::string sha256(Bytes bytes);

}  // namespace sapwood
