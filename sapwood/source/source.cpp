#include "sapwood/source/source.h"

#include <algorithm>
#include <list>
#include <mutex>
#include <unordered_map>

#include "sapwood/base/parallel.h"
#include "sapwood/io/random_access_file.h"
#include "sapwood/source/open.h"

namespace sapwood {

// The readers used last, newest first.
struct Source::Cache {
  static constexpr size_t kCapacity = 128;
  std::mutex mutex;
  std::list<std::pair<size_t, std::shared_ptr<const Reader>>> recent;
  std::unordered_map<size_t, decltype(recent)::iterator> places;

  std::shared_ptr<const Reader> find(size_t file) {
    const std::lock_guard lock(mutex);
    const auto place = places.find(file);
    if (place == places.end()) return nullptr;
    recent.splice(recent.begin(), recent, place->second);
    return place->second->second;
  }

  void insert(size_t file, std::shared_ptr<const Reader> reader) {
    const std::lock_guard lock(mutex);
    if (places.contains(file)) return;
    recent.emplace_front(file, std::move(reader));
    places[file] = recent.begin();
    if (recent.size() > kCapacity) {
      places.erase(recent.back().first);
      recent.pop_back();
    }
  }
};

Source::Source() : cache_(std::make_shared<Cache>()) {}

std::shared_ptr<const Source> Source::open(std::vector<Sample> samples, const std::string& tree) {
  const std::shared_ptr<Source> source(new Source);
  for (size_t i = 0; i < samples.size(); ++i) {
    const auto same = [&](const Sample& other) { return other.label == samples[i].label; };
    if (std::count_if(samples.begin(), samples.end(), same) > 1) {
      throw ConfigError("the label '" + samples[i].label + "' is given twice");
    }
    for (const std::string& pattern : samples[i].paths) {
      for (std::string& path : io::resolve_paths(pattern)) {
        FileInfo file;
        file.path = std::move(path);
        file.sample = i;
        source->files_.push_back(std::move(file));
      }
    }
  }
  if (source->files_.empty()) throw ConfigError("no paths given");

  // The first file decides on the tree and the columns; the others must have the same tree.
  const std::shared_ptr<const Reader> first = open_table(source->files_.front().path, tree);
  source->tree_ = tree.empty() ? first->object() : tree;
  source->schema_ = first->schema();
  std::vector<std::string> formats(source->files_.size());
  parallel_for(source->files_.size(), available_threads(), [&](size_t i) {
    FileInfo& file = source->files_[i];
    const auto reader = i == 0 ? first : open_table(file.path, source->tree_);
    file.num_entries = file.stored_entries = reader->num_entries();
    file.clusters.assign(reader->clusters().begin(), reader->clusters().end());
    formats[i] = reader->format();
    source->cache_->insert(i, reader);
  });
  source->count_entries();
  source->format_ = formats.front();
  if (std::any_of(formats.begin(), formats.end(), [&](const auto& f) { return f != formats.front(); })) {
    source->format_ = "TTree and RNTuple";
  }
  source->samples_ = std::move(samples);
  return source;
}

void Source::count_entries() {
  num_entries_ = 0;
  for (FileInfo& file : files_) {
    file.first_entry = num_entries_;
    num_entries_ += file.num_entries;
  }
}

std::shared_ptr<const Source> Source::limited(const std::vector<int64_t>& entries) const {
  if (entries.size() != files_.size()) {
    throw ConfigError(concat(entries.size(), " limits are given for ", files_.size(), " files"));
  }
  const std::shared_ptr<Source> source(new Source(*this));
  for (size_t i = 0; i < entries.size(); ++i) {
    if (entries[i] < 0) throw ConfigError(concat("a limit is ", entries[i], ", must not be negative"));
    FileInfo& file = source->files_[i];
    file.num_entries = std::min(file.num_entries, entries[i]);
    std::erase_if(file.clusters, [&](const EntryRange& range) { return range.start >= file.num_entries; });
    if (!file.clusters.empty()) {
      file.clusters.back().stop = std::min(file.clusters.back().stop, file.num_entries);
    }
  }
  source->count_entries();
  return source;
}

std::shared_ptr<const Reader> Source::reader(size_t file) const {
  if (auto reader = cache_->find(file)) return reader;
  auto reader = open_table(files_[file].path, tree_);
  if (reader->num_entries() != files_[file].stored_entries) {
    throw IoError(concat("the file changed since it was opened: ", files_[file].stored_entries,
                         " entries then, ", reader->num_entries(), " now"),
                  {.file = files_[file].path, .object = tree_});
  }
  cache_->insert(file, reader);
  return reader;
}

std::vector<size_t> Source::column_indices(const Reader& reader,
                                           const std::vector<std::string>& names) const {
  return with_context({.file = reader.file(), .object = reader.object()}, [&] {
    std::vector<size_t> indices;
    for (const std::string& name : names) {
      const Type& expected = schema_[schema_.require(name)].type;
      const size_t index = reader.schema().require(name);
      if (reader.schema()[index].type != expected) {
        throw SchemaError(concat("the column is ", reader.schema()[index].type.to_string(), " here and ",
                                 expected.to_string(), " in ", files_.front().path),
                          {.column = name});
      }
      indices.push_back(index);
    }
    return indices;
  });
}

}  // namespace sapwood
