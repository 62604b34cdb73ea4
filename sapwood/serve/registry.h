#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sapwood/serve/folder.h"
#include "sapwood/serve/servable.h"

namespace sapwood::serve {

struct RegistryOptions {
  SchedulerOptions scheduler{};
  size_t versions = 1;  ///< of a model that are served at the same time, the highest ones
};

/// The models that are served. `find` and `only` are quick and never wait for a model that is loaded; the
/// methods that change something may take seconds, and wait for each other. All may be called from any
/// thread.
class Registry {
 public:
  /// Nothing is loaded yet. Without a folder only files are served.
  Registry(std::optional<ModelFolder> folder, OpenServable open, const RegistryOptions& options = {});
  /// Like `stop()`.
  ~Registry();

  /// The highest version that is served, or the one given; null when there is none.
  std::shared_ptr<ServedModel> find(std::string_view name, std::optional<int64_t> version = {}) const;
  /// The one model that is served, if it is one.
  std::shared_ptr<ServedModel> only() const;
  /// All that are served, in order.
  std::vector<std::shared_ptr<ServedModel>> served() const;

  struct Entry {
    std::string name;
    int64_t version = 0;
    bool ready = false;
    std::string reason;  ///< why it is not, when it was tried
  };
  /// What is served and what the folder has.
  std::vector<Entry> index() const;

  /// Whether no model failed to load that is not served in another version.
  bool is_ready() const;

  bool has_folder() const { return folder_.has_value(); }
  /// Serves the bundle in a file under its own name, as version 1.
  void serve_file(const std::string& path);
  /// Loads the highest versions of a model of the folder (again), warms them up, and only then lets them take
  /// the place of what was served, whose requests are all answered before its memory is given back. Throws
  /// StatusError 404 for an unknown model, and what opening it throws: what was served stays then; where
  /// nothing was, older versions that open are served.
  void load(std::string_view name);
  /// Loads all of the folder; those that fail are told by `index()`.
  void load_all();
  /// Throws StatusError 404 when it is not served.
  void unload(std::string_view name);
  /// Loads a bundle, stores it as the next version, and serves it as `load` does. Throws StatusError 409
  /// without a folder, and what opening the bundle throws; nothing has changed then.
  int64_t upload(std::string_view name, std::span<const std::byte> bundle);
  /// Unloads the model and removes all its versions.
  void remove(std::string_view name);
  /// Answers what is queued, then ends.
  void stop();

 private:
  using Versions = std::map<int64_t, std::shared_ptr<ServedModel>>;
  std::shared_ptr<ServedModel> open(const std::string& path, std::string_view name, int64_t version) const;
  void replace(const std::string& name, Versions versions);

  std::optional<ModelFolder> folder_;
  const OpenServable open_;
  const RegistryOptions options_;
  std::mutex change_mutex_;  ///< held while models are loaded and drained
  mutable std::mutex mutex_;
  std::map<std::string, Versions, std::less<>> models_;
  std::map<std::string, std::string, std::less<>> failures_;  ///< of loading, by name
};

}  // namespace sapwood::serve
