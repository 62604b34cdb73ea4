#pragma once

#include <memory>

#include "sapwood/column/column.h"

namespace sapwood {

/// Joins columns of one type that come one after the other, without knowing before how many values there will
/// be: in memory for as many as seem to come, which grows where there are more.
class ColumnJoiner {
 public:
  explicit ColumnJoiner(std::shared_ptr<MemoryPool> pool) : pool_(std::move(pool)) {}
  /// `share`: how much of the whole has come when `part` has, up to 1. Throws SchemaError where the type
  /// is not that of the parts before.
  void append(const Column& part, double share);
  /// What has been joined, of one part at least. There is nothing to be appended any more.
  Column finish();

 private:
  void append_to(Column& to, const Column& part, double share);
  void append_bytes(Buffer& to, size_t used, const Buffer& from, size_t size, double share);
  void make_room(Buffer& buffer, size_t used, size_t more, double share);

  std::shared_ptr<MemoryPool> pool_;
  Column joined_;  // with room at the end of its buffers
  bool begun_ = false;
};

}  // namespace sapwood
