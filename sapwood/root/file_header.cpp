#include "sapwood/root/file_header.h"

#include <cstdlib>

namespace sapwood::root {
namespace {

constexpr int32_t kBigFileVersion = 1000000;
constexpr int16_t kBigDirectoryVersion = 1000;

}  // namespace

bool is_directory_class(std::string_view class_name) {
  return class_name == "TDirectory" || class_name == "TDirectoryFile";
}

// File header, big-endian:
//   "root", int32 fVersion (1000000 is added in files with 64-bit positions), int32 fBEGIN,
//   position fEND, position fSeekFree, int32 fNbytesFree, int32 nfree, int32 fNbytesName, uint8 fUnits,
//   int32 fCompress, position fSeekInfo, int32 fNbytesInfo, UUID          (position: uint32 or uint64)
FileHeader read_file_header(Bytes bytes, uint64_t file_size) {
  constexpr char kMagic[] = {'r', 'o', 'o', 't'};
  if (file_size == 0) throw FormatError("not a ROOT file: it is empty");
  if (bytes.size() < sizeof kMagic || std::memcmp(bytes.data(), kMagic, sizeof kMagic) != 0) {
    throw FormatError("not a ROOT file: it doesn't begin with 'root'");
  }
  BigEndianCursor in(bytes, "file header");
  in.skip(sizeof kMagic);
  FileHeader header;
  header.version = in.read<int32_t>();
  header.begin = in.read<uint32_t>();
  // Text may begin with "root" too; no writer has put the first record elsewhere than at byte 64, 100 or a
  // little after. A writer that took 1000000 away from a version without it left a negative one.
  constexpr uint32_t kLastBegin = 1 << 16;
  if (std::abs(int64_t{header.version}) >= 2 * kBigFileVersion || header.version == 0 ||
      header.begin > kLastBegin) {
    throw FormatError(concat("not a ROOT file: its header names version ", header.version,
                             " and a first record at byte ", header.begin));
  }
  const bool big = header.version >= kBigFileVersion;
  const auto read_position = [&] { return big ? in.read<uint64_t>() : in.read<uint32_t>(); };
  header.end = read_position();
  header.free_seek = read_position();
  in.skip(8);
  header.name_bytes = in.read<uint32_t>();
  in.skip(5);
  header.info_seek = read_position();
  header.info_size = in.read<uint32_t>();
  header.version %= kBigFileVersion;
  if (header.begin > file_size || header.name_bytes > file_size - header.begin) {
    throw FormatError(concat("corrupt file header: the top directory at byte ", header.begin, " + ",
                             header.name_bytes, " of ", file_size));
  }
  return header;
}

// TDirectory, big-endian:
//   int16 version, uint32 fDatimeC, uint32 fDatimeM, int32 fNbytesKeys, int32 fNbytesName,
//   fSeekDir, fSeekParent, fSeekKeys (uint32 each, or uint64 when version > 1000), UUID
Directory read_directory(Bytes bytes) {
  BigEndianCursor in(bytes, "directory");
  const auto version = in.read<int16_t>();
  in.skip(8);
  Directory directory;
  directory.key_list_size = in.read<uint32_t>();
  in.skip(4);
  const bool big = version > kBigDirectoryVersion;
  const auto read_position = [&] { return big ? in.read<uint64_t>() : in.read<uint32_t>(); };
  directory.seek = read_position();
  read_position();
  directory.key_list_seek = read_position();
  return directory;
}

}  // namespace sapwood::root
