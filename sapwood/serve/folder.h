#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sapwood::serve {

/// Whether `name` may name a model: 1 to 128 of A-Z a-z 0-9 . _ - with no dot in front.
bool is_model_name(std::string_view name);

/// Bundles on disk: `<root>/<model>/<version>/bundle.tar`, where versions are numbers from 1 on. What has
/// another form is none of the folder's business and left alone. Methods that change something are not to be
/// called at the same time.
class ModelFolder {
 public:
  /// Removes what an upload that did not come to its end has left. Throws IoError when `root` is no folder.
  explicit ModelFolder(std::string root);

  /// In order.
  std::vector<std::string> models() const;
  /// Those that are there, ascending; none for an unknown model.
  std::vector<int64_t> versions(std::string_view model) const;
  std::string path(std::string_view model, int64_t version) const;

  /// Adds `bundle` as the next version of `model` and returns it. `check` gets the file and the version
  /// before anybody else sees them; when it throws nothing is added. Either the whole of it is on disk when
  /// this returns, or nothing is seen of it, whenever the process is killed. Throws ConfigError for a wrong
  /// name, IoError.
  using Check = std::function<void(const std::string& path, int64_t version)>;
  int64_t store(std::string_view model, std::span<const std::byte> bundle, const Check& check);
  /// All versions. What else lies in its folder stays, and the folder with it.
  void remove(std::string_view model);

 private:
  std::string root_;
};

}  // namespace sapwood::serve
