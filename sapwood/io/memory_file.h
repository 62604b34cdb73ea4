#pragma once

#include <algorithm>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "sapwood/base/error.h"
#include "sapwood/io/random_access_file.h"

namespace sapwood::io {

/// A file whose bytes are in memory, which it owns.
class MemoryFile final : public RandomAccessFile {
 public:
  explicit MemoryFile(std::vector<std::byte> bytes, std::string uri = "memory")
      : bytes_(std::move(bytes)), uri_(std::move(uri)) {}

  const std::string& uri() const override { return uri_; }
  uint64_t size() const override { return bytes_.size(); }
  void read_at(uint64_t offset, std::span<std::byte> out, const std::stop_token& = {}) const override {
    if (offset > bytes_.size() || out.size() > bytes_.size() - offset) {
      throw FormatError(concat("file ends at byte ", bytes_.size(), "; ", out.size(),
                               " bytes were expected at byte ", offset),
                        {.file = uri_});
    }
    std::copy_n(bytes_.begin() + static_cast<ptrdiff_t>(offset), out.size(), out.begin());
  }

 private:
  std::vector<std::byte> bytes_;
  std::string uri_;
};

}  // namespace sapwood::io
