#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "sapwood/base/buffer.h"
#include "sapwood/base/error.h"
#include "sapwood/column/column.h"
#include "sapwood/column/schema.h"

namespace sapwood {

/// A piece of a column as it is stored: a TTree basket or an RNTuple page, the least that can be
/// decompressed.
struct StorageBlock {
  int64_t first_entry = 0;        ///< for pages below a collection: estimated by interpolation in the cluster
  uint64_t compressed_bytes = 0;  ///< in the file
  uint64_t uncompressed_bytes = 0;  ///< decompressed, as stored
  uint64_t offset = 0;              ///< of the compressed bytes in the file; 0: they are in the metadata
};

/// A formula that a table names.
struct Alias {
  std::string name;
  std::string formula;
};

/// Another table that a table names, whose entries go with its own.
struct FriendTable {
  std::string name;  ///< what its columns are known by
  std::string tree;
  std::string file;  ///< as it was written; empty: the same file
};

/// The stored bytes of some columns over a range of entries, between `Reader::fetch` and `Reader::decode`.
class FetchedColumns {
 public:
  virtual ~FetchedColumns() = default;
  /// The memory that they take: none for what is at hand in the system's cache and read when it is decoded.
  virtual uint64_t held_bytes() const = 0;
};

/// The one interface over every format: a table (TTree, RNTuple, ...) of one file. Formats implement it;
/// everything above reads through it. All of it is const and safe from many threads at once.
class Reader {
 public:
  virtual ~Reader() = default;

  /// The file's path or URI, and the table's name in it, for messages.
  virtual const std::string& file() const = 0;
  virtual const std::string& object() const = 0;
  /// "TTree" or "RNTuple".
  virtual const char* format() const = 0;

  /// What users should know before they take the table for whole; empty for one that is.
  virtual std::string warning() const { return {}; }

  /// What a TTree names beside its branches (TTree::SetAlias, TTree::AddFriend).
  virtual std::vector<Alias> aliases() const { return {}; }
  virtual std::vector<FriendTable> friends() const { return {}; }

  virtual const Schema& schema() const = 0;
  /// The bool column that tells of which entries rows come; empty where of all.
  virtual std::string row_column() const { return {}; }
  /// Whether entries come in the same order each time that they are read. Else entries stand for whichever
  /// rows arrive first, and what belongs to one row is fetched at once.
  virtual bool is_ordered() const { return true; }
  virtual int64_t num_entries() const = 0;
  /// The ranges in which the file was written, ascending and without gaps, covering all entries.
  virtual std::span<const EntryRange> clusters() const = 0;
  /// The baskets or pages (of all levels) holding a column, ordered by first entry.
  virtual std::vector<StorageBlock> blocks(size_t column) const = 0;

  /// Reads what is stored of `columns` over `entries` with as few, coalesced requests as possible; what needs
  /// no waiting for, since the system has it in its cache, may be left for `decode`. Buffers come from
  /// `pool`. Throws IoError, FormatError, UnsupportedError; CancelledError where a stop is requested while it
  /// waits for files to be readable again.
  virtual std::unique_ptr<FetchedColumns> fetch(std::span<const size_t> columns, EntryRange entries,
                                                const std::shared_ptr<MemoryPool>& pool,
                                                const std::stop_token& stop = {}) const = 0;

  /// Decompresses and decodes the `position`-th of the fetched columns: exactly its entries, in order. May be
  /// called for the positions of one `fetched` from different threads. A column of fixed width is written to
  /// `destination` when that is given (its exact size in bytes; the column then refers to it). Throws
  /// IoError, FormatError, UnsupportedError; CancelledError as `fetch`.
  virtual Column decode(const FetchedColumns& fetched, size_t position,
                        const std::shared_ptr<MemoryPool>& pool, const Buffer& destination = {}) const = 0;
};

}  // namespace sapwood
