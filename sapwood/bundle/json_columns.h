#pragma once

#include <memory>
#include <string>

#include "sapwood/base/buffer.h"
#include "sapwood/column/column.h"

namespace simdjson::dom {
class element;
}

namespace sapwood {

/// Column `name` of `type` from a JSON list with one item for each entry. Strict: bool is true or false;
/// integers are written without a point and fit their type; floating numbers are numbers, or "NaN",
/// "Infinity", "-Infinity" as strings; lists are lists, with as many items as a fixed list has; records are
/// objects with all members and no others. Throws SchemaError that names the column, and the entry that is
/// wrong.
Column column_from_json(const std::string& name, const Type& type, const simdjson::dom::element& json,
                        const std::shared_ptr<MemoryPool>& pool);

}  // namespace sapwood
