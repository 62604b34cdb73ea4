#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>

#include "sapwood/base/buffer.h"
#include "sapwood/base/cursor.h"
#include "sapwood/io/random_access_file.h"

namespace sapwood::ttree {

/// What stands at the start of a basket's record.
struct BasketHeader {
  uint32_t record_size = 0;
  uint32_t key_size = 0;  ///< all of the header; entry offsets count from the record's start
  uint32_t object_size = 0;
  int64_t num_entries = 0;
  uint32_t data_size = 0;     ///< bytes of the entries, before the offsets
  uint8_t flag = 0;           ///< what an embedded basket holds
  bool stores_sizes = false;  ///< of entries, where others store their offsets
  size_t header_end = 0;      ///< position after the header's last member
};

/// Throws FormatError when it ends early or its sizes contradict each other.
BasketHeader read_basket_header(Bytes record);
BasketHeader read_basket_header(const io::StoredBytes& record, ScratchBuffer& scratch);

/// A basket's entries, decompressed. Refers to the record or to the scratch memory it was unpacked into.
struct Basket {
  Bytes data;
  /// Big-endian uint32 entry offsets into `data` plus `offset_base`, one for each entry; empty: none stored.
  Bytes offsets;
  uint32_t offset_base = 0;
  int64_t num_entries = 0;

  bool has_offsets() const { return !offsets.empty(); }
  /// Where an entry begins in `data`; not checked against it. `entry < num_entries`, offsets stored.
  uint32_t offset(int64_t entry) const {
    uint32_t raw;
    std::memcpy(&raw, offsets.data() + entry * 4, sizeof raw);
    return __builtin_bswap32(raw) - offset_base;
  }
};

/// Memory for records and what they hold, used again from basket to basket.
class Scratch {
 public:
  explicit Scratch(const std::shared_ptr<MemoryPool>& pool) : record_(pool), object_(pool), offsets_(pool) {}
  ScratchBuffer& record() { return record_; }
  /// Other memory for the next `object`, if that asks for exactly as much.
  void lend(std::span<std::byte> place) { lent_ = place; }
  std::span<std::byte> object(size_t size);
  std::span<std::byte> offsets(size_t size) { return offsets_.get(size); }

 private:
  std::span<std::byte> lent_;
  ScratchBuffer record_;
  ScratchBuffer object_;
  ScratchBuffer offsets_;
};

/// Unpacks a basket from its record in the file. Throws FormatError, UnsupportedError.
Basket unpack_basket(Bytes record, Scratch& scratch);
/// Unpacks a basket embedded in the tree's record.
Basket unpack_embedded_basket(Bytes record);

}  // namespace sapwood::ttree
