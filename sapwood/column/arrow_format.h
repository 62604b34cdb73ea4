#pragma once

#include <string>

#include "sapwood/column/arrow_interface.h"
#include "sapwood/column/type.h"

namespace sapwood {

/// The format string of Arrow's C data interface for a type, such as "f", "U", "+L", "+w:3".
std::string arrow_format(const Type& type);

/// The type that an Arrow schema stands for. Throws UnsupportedError for what is not read (dictionaries,
/// dates, unions, ...), naming the column and its format, and FormatError for a schema that contradicts
/// itself.
Type type_of(const ArrowSchema& schema);

}  // namespace sapwood
