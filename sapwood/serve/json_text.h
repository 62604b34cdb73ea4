#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "sapwood/column/dtype.h"

namespace sapwood::serve {

/// Appends `text` as a JSON string, quotes and escapes included. Bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

/// Appends the elements that `bytes` hold, separated by commas: the shortest digits that give the same number
/// back. NaN and infinities, which JSON lacks, are `null`.
void append_json_numbers(std::string& out, DType dtype, std::span<const std::byte> bytes);

/// The same as nested lists, one level for each dimension; a lone number without dimensions.
void append_json_tensor(std::string& out, DType dtype, std::span<const int64_t> shape,
                        std::span<const std::byte> bytes);

void append_json_number(std::string& out, int64_t number);

}  // namespace sapwood::serve
