#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "sapwood/ttree/fetched.h"

namespace sapwood::ttree {

/// So many offsets stay in the nearest cache.
using OffsetTile = std::array<uint32_t, 2048>;

/// The stored offsets of the wanted entries since the `done`-th, as many as the tile takes.
std::span<const uint32_t> load_offsets(const BasketPart& part, int64_t done, OffsetTile& tile);

/// Where entries begin in a basket's data, one more than there are, ascending: from the offsets stored with
/// them. Throws FormatError.
void stored_positions(const BasketPart& part, std::span<int64_t> positions);

}  // namespace sapwood::ttree
