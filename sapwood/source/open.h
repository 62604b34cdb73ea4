#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sapwood/column/reader.h"
#include "sapwood/root/streamer_info.h"

namespace sapwood {

/// A tree or n-tuple found in a file.
struct TableInfo {
  std::string path;    ///< as `open_table` takes it: directories, name; newest cycle only
  std::string format;  ///< "TTree" or "RNTuple"
};

/// An object of a file that is not a table, for people to look at.
struct ObjectInfo {
  std::string path;
  std::string class_name;
  int16_t cycle = 0;
  uint64_t stored_bytes = 0;
};

/// The trees and n-tuples of a file, sub-directories' too, in file order. Throws IoError, FormatError.
std::vector<TableInfo> list_tables(const std::string& uri);
/// Every key of a file.
std::vector<ObjectInfo> list_objects(const std::string& uri);

/// Opens a table. With an empty `tree` the file must hold exactly one; else the error names them. `tree` may
/// carry directories and a cycle, "dir/Events;3". `shared` is for many files that are alike, which then open
/// faster. Throws IoError, FormatError, SchemaError, UnsupportedError.
std::shared_ptr<const Reader> open_table(const std::string& uri, const std::string& tree = {},
                                         root::SharedStreamerInfos* shared = nullptr);

}  // namespace sapwood
