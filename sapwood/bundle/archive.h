#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "sapwood/base/cursor.h"

namespace sapwood {

/// What an archive may hold.
struct ArchiveLimits {
  size_t members = 64;
  uint64_t total_bytes = uint64_t{2} << 30;  ///< of all members, decompressed
  /// Bytes of the member of a name.
  std::function<uint64_t(const std::string&)> member_bytes = [](const std::string&) { return UINT64_MAX; };
};

/// The members of a tar archive, plain or compressed by gzip, by name. All are files, with names of letters,
/// digits and
/// `._-` that start with a letter or digit. Throws FormatError for anything else (folders, links, devices, a
/// name twice), beyond the limits, and for what is not such an archive; then no more than the limits was
/// decompressed.
std::map<std::string, std::vector<std::byte>> read_archive(Bytes archive, const ArchiveLimits& limits = {});

}  // namespace sapwood
