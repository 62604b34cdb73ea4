#include "sapwood/serve/registry.h"

#include <malloc.h>

#include <algorithm>
#include <set>
#include <utility>

#include "sapwood/base/error.h"
#include "sapwood/serve/status_error.h"

namespace sapwood::serve {

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
  SchedulerOptions scheduler = options_.scheduler;
  scheduler.joins_requests = warm_up(*servable.model) && scheduler.joins_requests;
  std::string served_name(name.empty() ? servable.name : name);
  return std::make_shared<ServedModel>(std::move(served_name), version, std::move(servable), scheduler);
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
  const size_t wanted = std::max<size_t>(options_.versions, 1);
  const bool is_served = find(name) != nullptr;
  Versions versions;
  std::exception_ptr failure;
  std::string reason;
  for (auto version = there.rbegin(); version != there.rend() && versions.size() < wanted; ++version) {
    try {
      versions[*version] = open(folder_->path(name, *version), name, *version);
    } catch (const std::exception& error) {
      if (failure) continue;
      failure = std::current_exception();
      reason = concat("version ", *version, ": ", error.what());
      // An older version is better than none, but no reason to give up what is served.
      if (is_served) break;
    }
  }
  if (!(failure && (is_served || versions.empty()))) replace(std::string(name), std::move(versions));
  if (!failure) return;
  {
    const std::lock_guard lock(mutex_);
    failures_[std::string(name)] = reason;
  }
  std::rethrow_exception(failure);
}

bool Registry::is_ready() const {
  const std::lock_guard lock(mutex_);
  return std::ranges::all_of(failures_, [&](const auto& failure) { return models_.contains(failure.first); });
}

void Registry::load_all() {
  if (!folder_) return;
  for (const std::string& name : folder_->models()) {
    try {
      load(name);
    } catch (const std::exception&) {
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
  folder_->remove(name);
  replace(std::string(name), {});
}

void Registry::stop() {
  const std::lock_guard changing(change_mutex_);
  std::vector<std::string> names;
  for (const auto& model : served()) names.push_back(model->name);
  for (const std::string& name : names) replace(name, {});
}

}  // namespace sapwood::serve
