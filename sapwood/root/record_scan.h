#pragma once

#include <vector>

#include "sapwood/io/random_access_file.h"
#include "sapwood/root/file.h"
#include "sapwood/root/file_header.h"

namespace sapwood::root {

/// What is found by going from record to record through a file whose lists of keys are missing or not up to
/// date, since it was not closed or is cut short.
struct RecordScan {
  /// Objects, directories among them, in file order. Those whose directory is not found are at the top.
  std::vector<Key> keys;
  /// Of each path that `keys` lack, the newest object that was deleted and not written over: of a tree what
  /// an earlier `AutoSave` wrote.
  std::vector<Key> deleted;
  uint64_t info_seek = 0;  ///< the streamer infos, as in the file header; 0 when there is no record of them
  uint32_t info_size = 0;
};

/// Stops where no record follows. Throws IoError.
RecordScan scan_records(const io::RandomAccessFile& bytes, const FileHeader& header);

}  // namespace sapwood::root
