#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "sapwood/root/file.h"

namespace sapwood::fuzz {

/// A part of a file that is parsed by itself.
struct Region {
  std::string what;   ///< "tree", "basket", "streamer infos", "envelope" or "page"
  size_t offset = 0;  ///< behind the header of its record
  size_t size = 0;
  size_t record = 0;  ///< where the record begins
};

struct Twin {
  std::vector<std::byte> bytes;
  std::vector<Region> regions;
};

/// A file's trees and n-tuples in a new one, where nothing is compressed: what is changed there gets past the
/// codecs. Throws UnsupportedError for trees of before ROOT 5 and n-tuples with pages in several records.
Twin uncompressed_twin(const std::shared_ptr<const root::File>& file);

}  // namespace sapwood::fuzz
