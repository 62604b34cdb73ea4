#include "sapwood/bundle/archive.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <memory>

#include "sapwood/base/error.h"

namespace sapwood {
namespace {

constexpr size_t kMaxNameLength = 100;

struct ReadFree {
  void operator()(archive* reader) const { archive_read_free(reader); }
};
using Reader = std::unique_ptr<archive, ReadFree>;

[[noreturn]] void fail(archive* reader) {
  const char* reason = archive_error_string(reader);
  throw FormatError(concat("not a whole tar archive: ", reason != nullptr ? reason : "it is damaged"));
}

Reader open(Bytes bytes) {
  Reader reader(archive_read_new());
  if (reader == nullptr) throw std::bad_alloc();
  if (archive_read_support_format_tar(reader.get()) != ARCHIVE_OK ||
      archive_read_support_filter_gzip(reader.get()) != ARCHIVE_OK) {
    throw UnsupportedError("the system's libarchive does not read tar archives compressed by gzip");
  }
  if (archive_read_open_memory(reader.get(), bytes.data(), bytes.size()) != ARCHIVE_OK) fail(reader.get());
  return reader;
}

bool is_plain(const std::string& name) {
  const auto letter_or_digit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !name.empty() && name.size() <= kMaxNameLength && letter_or_digit(name.front()) &&
         std::ranges::all_of(name,
                             [&](char c) { return letter_or_digit(c) || c == '.' || c == '_' || c == '-'; });
}

std::string checked_name(archive_entry* entry) {
  const char* path = archive_entry_pathname(entry);
  std::string name = path != nullptr ? path : "";
  if (!is_plain(name)) {
    throw FormatError(concat("a member is called '", name.substr(0, kMaxNameLength),
                             "': members have plain names, without folders"));
  }
  if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != nullptr ||
      archive_entry_symlink(entry) != nullptr) {
    throw FormatError(concat("member '", name, "' is not a file"));
  }
  return name;
}

std::vector<std::byte> read_member(archive* reader, const std::string& name, uint64_t limit) {
  const auto too_large = [&] {
    throw FormatError(concat("member '", name, "' has more than ", limit, " bytes"));
  };
  std::vector<std::byte> bytes;
  for (;;) {
    const void* block = nullptr;
    size_t size = 0;
    la_int64_t offset = 0;
    const int status = archive_read_data_block(reader, &block, &size, &offset);
    if (status == ARCHIVE_EOF) break;
    if (status != ARCHIVE_OK) fail(reader);
    // Blocks of a sparse file have gaps between them, which are zeros.
    const auto start = static_cast<uint64_t>(offset);
    if (start < bytes.size() || start > limit || size > limit - start) too_large();
    bytes.resize(start);
    const auto* first = static_cast<const std::byte*>(block);
    bytes.insert(bytes.end(), first, first + size);
  }
  return bytes;
}

}  // namespace

std::map<std::string, std::vector<std::byte>> read_archive(Bytes bytes, const ArchiveLimits& limits) {
  const Reader reader = open(bytes);
  std::map<std::string, std::vector<std::byte>> members;
  uint64_t left = limits.total_bytes;
  for (;;) {
    archive_entry* entry = nullptr;
    const int status = archive_read_next_header(reader.get(), &entry);
    if (status == ARCHIVE_EOF) break;
    if (status != ARCHIVE_OK) fail(reader.get());
    const std::string name = checked_name(entry);
    if (members.size() == limits.members)
      throw FormatError(concat("the archive has more than ", limits.members, " members"));
    const uint64_t limit = std::min(left, limits.member_bytes(name));
    // As it says itself; what it holds is counted while it is read.
    const la_int64_t size = archive_entry_size(entry);
    if (size < 0 || static_cast<uint64_t>(size) > limit)
      throw FormatError(concat("member '", name, "' has more than ", limit, " bytes"));
    std::vector<std::byte> content = read_member(reader.get(), name, limit);
    if (content.size() != static_cast<uint64_t>(size))
      throw FormatError(concat("member '", name, "' is cut short"));
    left -= content.size();
    if (!members.emplace(name, std::move(content)).second)
      throw FormatError(concat("the archive has member '", name, "' twice"));
  }
  return members;
}

}  // namespace sapwood
