#pragma once

#include <cstdint>

struct ArrowArray;

namespace sapwood {

/// A table that another library computes row by row, such as a `ROOT::RDataFrame`, as `FrameReader` calls it.
/// Plain C, since the two sides may come from different compilers. What pointers point to stays until
/// `close`.
struct FrameCalls {
  void* frame;
  const char* description;  ///< for messages
  int64_t num_entries;      ///< of the data, whether rows come of them or not
  int64_t num_clusters;
  const int64_t* cluster_stops;  ///< ascending, the last one `num_entries`
  int64_t num_columns;
  const char* const* names;
  const char* const* stored_types;  ///< in the library's own words
  const char* const* types;         ///< as `Type::to_string` writes them; empty: can't be read
  bool drops_rows;                  ///< not of every entry does a row come
  bool whole_clusters;              ///< `read` starts and stops where clusters do
  bool ordered;                     ///< rows of the same entries come in the same order each time
  /// Reads columns over entries [start, stop). Calls `part` once or several times with `num_columns + 1`
  /// arrays of equal length (Arrow C data interface; lists and strings large), which it takes over: first the
  /// rows' entries (uint64), then the columns. Returns false, with a text of at most `error_size` bytes, when
  /// that fails. May be called from any thread.
  bool (*read)(void* frame, const int64_t* columns, int64_t num_columns, int64_t start, int64_t stop,
               void* context, void (*part)(void* context, ArrowArray* arrays), char* error,
               int64_t error_size);
  void (*close)(void* frame);
};

}  // namespace sapwood
