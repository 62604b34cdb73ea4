#pragma once

#include <cstddef>
#include <vector>

namespace sapwood::fuzz {

/// Makes the checksums of a file's RNTuples fit again after it was changed, so that what was changed gets to
/// the parsers: those of anchor, header, footer, page lists and pages, of what is not compressed.
void seal_checksums(std::vector<std::byte>& file);

}  // namespace sapwood::fuzz
