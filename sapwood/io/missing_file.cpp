#include "sapwood/io/missing_file.h"

#include <filesystem>
#include <system_error>
#include <vector>

#include "sapwood/base/error.h"
#include "sapwood/base/names.h"

namespace sapwood::io {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostNames = 10000;  // enough for a hint; a folder may hold millions

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder.empty() ? "." : folder, error), end;
       !error && entry != end && names.size() < kMostNames; entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  return names;
}

}  // namespace

void throw_missing_file(const std::string& path) {
  fs::path folder = fs::path(path).is_absolute() ? "/" : ".";
  const fs::path parts = fs::path(path).relative_path();
  for (auto part = parts.begin(); part != parts.end(); ++part) {
    std::error_code error;
    if (fs::exists(folder / *part, error)) {
      folder /= *part;
      continue;
    }
    const std::string what =
        std::next(part) == parts.end() ? "no such file" : "no such folder: " + part->string();
    throw IoError(what + nearest_in_folder(folder.string(), part->string()), {.file = path});
  }
  throw IoError("no such file", {.file = path});
}

std::string nearest_in_folder(const std::string& folder, const std::string& name) {
  return nearest_names_hint(name, names_in(folder));
}

}  // namespace sapwood::io
