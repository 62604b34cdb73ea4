#include "sapwood/serve/folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "sapwood/base/error.h"

namespace sapwood::serve {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kBundle = "bundle.tar";
constexpr std::string_view kUnfinished = ".unfinished-";

[[noreturn]] void fail(const std::string& action, const fs::path& path, std::error_code error) {
  throw IoError(concat("can't ", action, ": ", error.message()), {.file = path.string()});
}

std::error_code last_error() { return {errno, std::generic_category()}; }

class Descriptor {
 public:
  Descriptor(const fs::path& path, int flags)
      : path_(path), number_(open(path.c_str(), flags | O_CLOEXEC, 0644)) {
    if (number_ < 0) fail("open", path, last_error());
  }
  ~Descriptor() { close(number_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  void write_all(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t written = write(number_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail("write", path_, last_error());
      bytes = bytes.subspan(static_cast<size_t>(written));
    }
  }
  void sync() {
    if (fsync(number_) != 0) fail("sync", path_, last_error());
  }

 private:
  fs::path path_;
  int number_;
};

void sync_folder(const fs::path& path) { Descriptor(path, O_RDONLY | O_DIRECTORY).sync(); }

std::optional<int64_t> parse_version(const std::string& name) {
  int64_t version = 0;
  const char* end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data(), end, version);
  if (error != std::errc() || stop != end || version < 1 || std::to_string(version) != name)
    return std::nullopt;
  return version;
}

void remove_tree(const fs::path& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) fail("remove", path, error);
}

/// Hides the folder before its files go, one after the other: a version is whole or absent.
void remove_at_once(const fs::path& path) {
  const fs::path hidden = path.parent_path() / concat(kUnfinished, path.filename().string());
  std::error_code error;
  fs::remove_all(hidden, error);
  fs::rename(path, hidden, error);
  if (error) fail("remove", path, error);
  remove_tree(hidden);
}

/// What is in a folder; nothing where there is none.
std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code error;
  fs::directory_iterator next(folder, error);
  for (; !error && next != fs::directory_iterator(); next.increment(error)) entries.push_back(next->path());
  if (error && error != std::errc::no_such_file_or_directory) fail("read", folder, error);
  return entries;
}

/// As far as it may be done: leftovers are hidden anyway.
void remove_unfinished(const fs::path& folder) {
  std::error_code ignored;
  fs::directory_iterator next(folder, ignored);
  std::vector<fs::path> found;
  for (; !ignored && next != fs::directory_iterator(); next.increment(ignored)) {
    if (next->path().filename().string().starts_with(kUnfinished)) found.push_back(next->path());
  }
  for (const fs::path& path : found) fs::remove_all(path, ignored);
}

}  // namespace

bool is_model_name(std::string_view name) {
  constexpr size_t kLongest = 128;
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  // The Open Inference Protocol has a route of that name where models have theirs.
  return !name.empty() && name.size() <= kLongest && name.front() != '.' && name != "stats" &&
         std::ranges::all_of(name, is_allowed);
}

ModelFolder::ModelFolder(std::string root) : root_(std::move(root)) {
  std::error_code error;
  if (!fs::is_directory(root_, error)) throw IoError("no such folder", {.file = root_});
  remove_unfinished(root_);
  for (const std::string& model : models()) remove_unfinished(fs::path(root_) / model);
}

std::vector<std::string> ModelFolder::models() const {
  std::vector<std::string> names;
  std::error_code unreadable;
  for (const fs::path& entry : entries_of(root_)) {
    std::string name = entry.filename().string();
    if (is_model_name(name) && fs::is_directory(entry, unreadable)) names.push_back(std::move(name));
  }
  std::ranges::sort(names);
  return names;
}

std::vector<int64_t> ModelFolder::versions(std::string_view model) const {
  std::vector<int64_t> versions;
  std::error_code error;
  if (!is_model_name(model)) return versions;
  for (const fs::path& entry : entries_of(fs::path(root_) / model)) {
    const auto version = parse_version(entry.filename().string());
    if (version && fs::is_regular_file(entry / kBundle, error)) versions.push_back(*version);
  }
  std::ranges::sort(versions);
  return versions;
}

std::string ModelFolder::path(std::string_view model, int64_t version) const {
  return fs::path(root_) / model / std::to_string(version) / kBundle;
}

int64_t ModelFolder::store(std::string_view model, std::span<const std::byte> bundle, const Check& check) {
  if (!is_model_name(model)) {
    throw ConfigError(concat(
        "'", model, "' can't name a model: A-Z a-z 0-9 . _ - are allowed, no dot in front, and not 'stats'"));
  }
  const fs::path folder = fs::path(root_) / model;
  int64_t version = 1;
  for (const fs::path& entry : entries_of(folder)) {
    const int64_t taken = parse_version(entry.filename().string()).value_or(0);
    if (taken == INT64_MAX) throw ConfigError("there is no higher version", {.file = entry.string()});
    version = std::max(version, taken + 1);
  }
  const std::string number = std::to_string(version);
  const fs::path hidden = folder / concat(kUnfinished, number);
  std::error_code error;
  fs::create_directories(hidden, error);
  if (error) fail("create", hidden, error);
  try {
    Descriptor file(hidden / kBundle, O_WRONLY | O_CREAT | O_TRUNC);
    file.write_all(bundle);
    file.sync();
    sync_folder(hidden);
    check(hidden / kBundle, version);
    fs::rename(hidden, folder / number, error);
    if (error) fail("rename", hidden, error);
  } catch (const Error&) {
    fs::remove_all(hidden, error);
    fs::remove(folder, error);  // Only an empty one goes.
    throw;
  }
  sync_folder(folder);
  sync_folder(root_);
  return version;
}

void ModelFolder::remove(std::string_view model) {
  if (!is_model_name(model)) throw ConfigError(concat("'", model, "' can't name a model"));
  const fs::path folder = fs::path(root_) / model;
  for (const int64_t version : versions(model)) remove_at_once(folder / std::to_string(version));
  std::error_code not_empty;
  fs::remove(folder, not_empty);
}

}  // namespace sapwood::serve
