#include "sapwood/serve/registry.h"

#include <malloc.h>

#include <algorithm>
#include <set>
#include <utility>

#include "sapwood/base/error.h"
#include "sapwood/serve/status_error.h"

namespace sapwood::serve {
namespace {

/// Runs rows of zeros, so that the first requests do not pay for what the runtime sets up then.
void warm_up(const Model& model) {
  for (const int64_t rows : {1, 64}) {
    std::vector<Tensor> inputs;
    for (const TensorSpec& spec : model.inputs()) {
      Tensor tensor{.name = spec.name, .dtype = spec.dtype, .shape = spec.shape, .data = {}};
      for (int64_t& dimension : tensor.shape) {
        if (dimension < 0) dimension = &dimension == tensor.shape.data() ? rows : 1;
      }
      tensor.data =
          Buffer(static_cast<size_t>(num_elements(tensor.shape)) * dtype_size(spec.dtype), heap_pool());
      std::ranges::fill(tensor.data.as<std::byte>(), std::byte{0});
      inputs.push_back(std::move(tensor));
    }
    try {
      model.run(inputs);
    } catch (const ModelError&) {
      return;  // Zeros may be nothing that it takes; the golden sample has said whether it works.
    }
  }
}

}  // namespace

Registry::Registry(std::optional<ModelFolder> folder, OpenServable open, const RegistryOptions& options)
    : folder_(std::move(folder)), open_(std::move(open)), options_(options) {}

Registry::~Registry() { stop(); }

std::shared_ptr<ServedModel> Registry::find(std::string_view name, std::optional<int64_t> version) const {
  const std::lock_guard lock(mutex_);
  const auto model = models_.find(name);
  if (model == models_.end()) return nullptr;
  if (!version) return model->second.rbegin()->second;
  const auto found = model->second.find(*version);
  return found == model->second.end() ? nullptr : found->second;
}

std::shared_ptr<ServedModel> Registry::only() const {
  const std::lock_guard lock(mutex_);
  return models_.size() == 1 ? models_.begin()->second.rbegin()->second : nullptr;
}

std::vector<std::shared_ptr<ServedModel>> Registry::served() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<ServedModel>> all;
  for (const auto& [name, versions] : models_) {
    for (const auto& [number, model] : versions) all.push_back(model);
  }
  return all;
}

std::vector<Registry::Entry> Registry::index() const {
  std::vector<Entry> entries;
  std::set<std::pair<std::string, int64_t>> listed;
  for (const auto& model : served()) {
    entries.push_back({model->name, model->version, true, ""});
    listed.insert({model->name, model->version});
  }
  if (!folder_) return entries;
  for (const std::string& name : folder_->models()) {
    std::string reason;
    {
      const std::lock_guard lock(mutex_);
      const auto failure = failures_.find(name);
      if (failure != failures_.end()) reason = failure->second;
    }
    for (const int64_t version : folder_->versions(name)) {
      if (!listed.contains({name, version})) entries.push_back({name, version, false, reason});
    }
  }
  return entries;
}

std::shared_ptr<ServedModel> Registry::open(const std::string& path, std::string_view name,
                                            int64_t version) const {
  Servable servable = open_(path);
  warm_up(*servable.model);
  std::string served_name(name.empty() ? servable.name : name);
  return std::make_shared<ServedModel>(std::move(served_name), version, std::move(servable),
                                       options_.scheduler);
}

void Registry::serve_file(const std::string& path) {
  const std::lock_guard changing(change_mutex_);
  auto model = open(path, "", 1);
  if (!is_model_name(model->name)) {
    throw ConfigError(concat("the bundle's name '", model->name, "' can't name a model"), {.file = path});
  }
  if (find(model->name))
    throw ConfigError(concat("two bundles are named '", model->name, "'"), {.file = path});
  replace(model->name, {{1, model}});
}

void Registry::load(std::string_view name) {
  const std::lock_guard changing(change_mutex_);
  const std::vector<int64_t> there = folder_ ? folder_->versions(name) : std::vector<int64_t>();
  if (there.empty()) throw StatusError(404, concat("the repository has no model '", name, "'"));
  try {
    Versions versions;
    const size_t kept = std::min(std::max<size_t>(options_.versions, 1), there.size());
    for (const int64_t version : std::span(there).last(kept)) {
      versions[version] = open(folder_->path(name, version), name, version);
    }
    replace(std::string(name), std::move(versions));
  } catch (const Error& error) {
    const std::lock_guard lock(mutex_);
    failures_[std::string(name)] = error.what();
    throw;
  }
}

void Registry::load_all() {
  if (!folder_) return;
  for (const std::string& name : folder_->models()) {
    try {
      load(name);
    } catch (const Error&) {
      // The index tells it; one bad model keeps no other from being served.
    }
  }
}

void Registry::replace(const std::string& name, Versions versions) {
  Versions old;
  {
    const std::lock_guard lock(mutex_);
    failures_.erase(name);
    if (const auto found = models_.find(name); found != models_.end()) old = std::move(found->second);
    std::erase_if(old, [&](const auto& version) {
      const auto kept = versions.find(version.first);
      return kept != versions.end() && kept->second == version.second;
    });
    if (versions.empty()) {
      models_.erase(name);
    } else {
      models_[name] = std::move(versions);
    }
  }
  for (const auto& [number, model] : old) model->scheduler.stop(true);
  if (old.empty()) return;
  old.clear();
  malloc_trim(0);
}

void Registry::unload(std::string_view name) {
  const std::lock_guard changing(change_mutex_);
  if (!find(name)) throw StatusError(404, concat("no model '", name, "' is served"));
  replace(std::string(name), {});
}

int64_t Registry::upload(std::string_view name, std::span<const std::byte> bundle) {
  const std::lock_guard changing(change_mutex_);
  if (!folder_) throw StatusError(409, "the server has no repository to upload to (--repository)");
  std::shared_ptr<ServedModel> model;
  const int64_t version = folder_->store(
      name, bundle, [&](const std::string& path, int64_t number) { model = open(path, name, number); });
  Versions versions;
  {
    const std::lock_guard lock(mutex_);
    if (const auto served = models_.find(name); served != models_.end()) versions = served->second;
  }
  versions[version] = model;
  while (versions.size() > std::max<size_t>(options_.versions, 1)) versions.erase(versions.begin());
  replace(std::string(name), std::move(versions));
  return version;
}

void Registry::remove(std::string_view name) {
  const std::lock_guard changing(change_mutex_);
  if (!folder_) throw StatusError(409, "the server has no repository to delete from (--repository)");
  if (folder_->versions(name).empty())
    throw StatusError(404, concat("the repository has no model '", name, "'"));
  replace(std::string(name), {});
  folder_->remove(name);
}

void Registry::stop() {
  const std::lock_guard changing(change_mutex_);
  std::vector<std::string> names;
  for (const auto& model : served()) names.push_back(model->name);
  for (const std::string& name : names) replace(name, {});
}

}  // namespace sapwood::serve
