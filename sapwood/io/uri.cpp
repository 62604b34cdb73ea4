#include <fnmatch.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "sapwood/base/error.h"
#include "sapwood/io/missing_file.h"
#include "sapwood/io/random_access_file.h"

namespace sapwood::io {
namespace {

namespace fs = std::filesystem;

// The scheme of a URI, as in scheme://rest; empty for a plain path.
std::string_view scheme_of(std::string_view uri) {
  const size_t end = uri.find("://");
  if (end == std::string_view::npos || end == 0) return {};
  const std::string_view scheme = uri.substr(0, end);
  const auto belongs = [](unsigned char c) { return std::isalnum(c) || c == '+' || c == '-' || c == '.'; };
  return std::all_of(scheme.begin(), scheme.end(), belongs) ? scheme : std::string_view{};
}

std::string percent_decoded(std::string_view text, const std::string& uri) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    unsigned value = 0;
    const char* digits = text.data() + i + 1;
    if (i + 2 >= text.size() || std::from_chars(digits, digits + 2, value, 16).ptr != digits + 2) {
      throw IoError("a % that two hexadecimal digits don't follow", {.file = uri});
    }
    result += static_cast<char>(value);
    i += 2;
  }
  return result;
}

// The local path that a path or file:// URI stands for.
std::string local_path(const std::string& uri) {
  const std::string_view scheme = scheme_of(uri);
  if (scheme.empty()) return uri;
  std::string_view rest = std::string_view(uri).substr(scheme.size() + 3);
  if (scheme != "file") {
    throw UnsupportedError(concat("remote reading (", scheme, "://) is not built in yet"), {.file = uri});
  }
  if (rest.starts_with("localhost/")) rest.remove_prefix(std::string_view("localhost").size());
  if (!rest.starts_with('/')) throw IoError("a file:// URI needs an absolute path", {.file = uri});
  return percent_decoded(rest, uri);
}

bool has_glob(std::string_view text) { return text.find_first_of("*?[") != std::string_view::npos; }

std::vector<fs::directory_entry> entries_of(const fs::path& folder) {
  std::vector<fs::directory_entry> entries;
  std::error_code error;
  fs::directory_iterator entry(folder.empty() ? "." : folder, error);
  for (const fs::directory_iterator end; !error && entry != end; entry.increment(error))
    entries.push_back(*entry);
  const bool no_folder = error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory;
  if (error && !no_folder)
    throw IoError("can't list the folder: " + error.message(), {.file = folder.string()});
  return entries;
}

using Parts = std::vector<std::string>;

// Adds the files below `folder` that match the parts of a pattern from `next` on.
void expand(const fs::path& folder, const Parts& parts, size_t next, std::vector<std::string>& found) {
  std::error_code ignored;
  const bool last = next + 1 == parts.size();
  const std::string& part = parts[next];
  if (part == "**") {
    if (last) {
      for (const fs::directory_entry& entry : entries_of(folder)) {
        if (!entry.is_directory(ignored)) found.push_back((folder / entry.path().filename()).string());
      }
    } else {
      expand(folder, parts, next + 1, found);
    }
    for (const fs::directory_entry& entry : entries_of(folder)) {
      // Links to folders are not followed: they may lead in circles.
      const std::string name = entry.path().filename().string();
      const bool hidden = name.starts_with('.');
      if (!hidden && entry.is_directory(ignored) && !entry.is_symlink(ignored)) {
        expand(folder / name, parts, next, found);
      }
    }
    return;
  }
  if (!has_glob(part)) {
    const fs::path path = folder / part;
    if (last ? fs::exists(path, ignored) && !fs::is_directory(path, ignored)
             : fs::is_directory(path, ignored)) {
      last ? found.push_back(path.string()) : expand(path, parts, next + 1, found);
    }
    return;
  }
  for (const fs::directory_entry& entry : entries_of(folder)) {
    const std::string name = entry.path().filename().string();
    if (::fnmatch(part.c_str(), name.c_str(), FNM_PERIOD) != 0) continue;
    if (last) {
      if (!entry.is_directory(ignored)) found.push_back((folder / name).string());
    } else if (entry.is_directory(ignored)) {
      expand(folder / name, parts, next + 1, found);
    }
  }
}

}  // namespace

std::unique_ptr<RandomAccessFile> open_file(const std::string& uri) {
  return open_local_file(local_path(uri));
}

std::vector<std::string> resolve_paths(const std::string& pattern) {
  const std::string path = local_path(pattern);
  std::error_code ignored;
  // What exists under exactly this name is meant, even when the name holds the marks of a glob.
  if (fs::exists(path, ignored)) {
    if (fs::is_directory(path, ignored)) {
      throw IoError("is a directory, not a file; a glob such as \"" + (fs::path(path) / "*.root").string() +
                        "\" names the files in it",
                    {.file = path});
    }
    return {path};
  }
  if (!has_glob(path)) throw_missing_file(path);

  const fs::path whole(path);
  Parts parts;
  for (const fs::path& part : whole.relative_path()) {
    // Neighbouring ** mean the same as one, which takes less time.
    if (!part.empty() && !(part == "**" && !parts.empty() && parts.back() == "**"))
      parts.push_back(part.string());
  }
  std::vector<std::string> found;
  expand(whole.root_path(), parts, 0, found);
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  if (found.empty()) {
    const fs::path folder = whole.parent_path();
    const bool plain_folder = !has_glob(folder.string());
    if (plain_folder && !folder.empty() && !fs::is_directory(folder, ignored))
      throw_missing_file(folder.string());
    throw IoError("no file matches the pattern" +
                      (plain_folder ? nearest_in_folder(folder.string(), whole.filename().string()) : ""),
                  {.file = pattern});
  }
  return found;
}

}  // namespace sapwood::io
