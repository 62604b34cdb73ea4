#pragma once

#include <string_view>

#include "sapwood/column/type.h"

namespace sapwood {

/// The type that `Type::to_string` writes as `text`. Throws ConfigError: not such a text, more than 32 levels
/// deep, or fixed lists whose entries would be larger than 1 GiB.
Type parse_type(std::string_view text);

}  // namespace sapwood
