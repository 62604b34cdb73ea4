#include "sapwood/source/source.h"

#include <algorithm>
#include <atomic>
#include <list>
#include <mutex>
#include <unordered_map>

#include "sapwood/base/parallel.h"
#include "sapwood/io/random_access_file.h"
#include "sapwood/source/friend_reader.h"
#include "sapwood/source/open.h"

namespace sapwood {

// The readers used last, newest first.
struct Source::Cache {
  static constexpr size_t kCapacity = 128;
  std::mutex mutex;
  std::list<std::pair<size_t, std::shared_ptr<const Reader>>> recent;
  std::unordered_map<size_t, decltype(recent)::iterator> places;
  root::SharedStreamerInfos streamer_infos;

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

// Of all columns of the files that have the columns of the first one, until there are enough.
struct Source::Outlines {
  static constexpr uint64_t kCapacity = uint64_t{64} << 20;  // bytes
  std::vector<std::vector<ColumnOutline>> of_file;           // empty where there is none
  std::atomic<uint64_t> bytes{0};

  void add(size_t file, const Reader& reader) {
    for (size_t column = 0; column < reader.schema().size() && bytes <= kCapacity; ++column) {
      ColumnOutline& outline = of_file[file].emplace_back();
      if (reader.schema()[column].unsupported.empty()) outline = outline_of(reader, column);
      bytes += sizeof outline + outline.blocks.capacity() * sizeof(StorageBlock);
    }
    if (of_file[file].size() < reader.schema().size()) of_file[file] = {};
  }
};

// What a source is joined from.
struct Source::Friend {
  std::shared_ptr<const Source> main;
  std::shared_ptr<const FriendColumns> columns;
  std::vector<EntryRange> entries;  // of the friend, that go with each file's
};

namespace {

bool same_columns(const Schema& a, const Schema& b) {
  return std::ranges::equal(a.columns(), b.columns(), [](const ColumnInfo& x, const ColumnInfo& y) {
    return x.name == y.name && x.type == y.type && x.unsupported == y.unsupported;
  });
}

// The blocks that hold these entries.
ColumnOutline part_of(const ColumnOutline& whole, EntryRange entries) {
  const auto first_from = [&](int64_t entry) {
    return std::ranges::lower_bound(whole.blocks, entry, {}, &StorageBlock::first_entry);
  };
  auto first = first_from(entries.start);
  const bool starts_here = first != whole.blocks.end() && first->first_entry == entries.start;
  if (!starts_here && first != whole.blocks.begin()) first = first_from(std::prev(first)->first_entry);
  const auto last = std::max(first, first_from(entries.stop));
  return {.blocks = {first, last}, .values_per_entry = whole.values_per_entry};
}

}  // namespace

Source::Source() : cache_(std::make_shared<Cache>()) {}

std::shared_ptr<const Source> Source::open(std::vector<Sample> samples, const std::string& tree,
                                           std::vector<Default> defaults) {
  const std::shared_ptr<Source> source(new Source);
  source->defaults_ = std::move(defaults);
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
    for (const auto& table : samples[i].tables) {
      FileInfo file;
      file.path = concat(table->file(), " (", source->files_.size(), ")");
      file.sample = i;
      file.table = table;
      source->files_.push_back(std::move(file));
    }
  }
  if (source->files_.empty()) throw ConfigError("no paths given");

  root::SharedStreamerInfos& infos = source->cache_->streamer_infos;
  // The first file decides on the tree and the columns; the others must have the same tree.
  const FileInfo& first_file = source->files_.front();
  const std::shared_ptr<const Reader> first =
      first_file.table ? first_file.table : open_table(first_file.path, tree, &infos);
  source->tree_ = tree.empty() ? first->object() : tree;
  source->schema_ = first->schema();
  std::vector<std::string> formats(source->files_.size());
  const auto outlines = std::make_shared<Outlines>();
  outlines->of_file.resize(source->files_.size());
  parallel_for(source->files_.size(), available_threads(), [&](size_t i) {
    FileInfo& file = source->files_[i];
    const auto reader = i == 0       ? first
                        : file.table ? file.table
                                     : open_table(file.path, source->tree_, &infos);
    file.num_entries = file.stored_entries = reader->num_entries();
    file.clusters.assign(reader->clusters().begin(), reader->clusters().end());
    file.warning = reader->warning();
    formats[i] = reader->format();
    if (!file.table && source->defaults_.empty()) source->cache_->insert(i, reader);
    if (same_columns(reader->schema(), source->schema_)) outlines->add(i, *reader);
  });
  source->outlines_ = outlines;
  source->add_missing_columns();
  source->count_entries();
  source->format_ = formats.front();
  if (std::any_of(formats.begin(), formats.end(), [&](const auto& f) { return f != formats.front(); })) {
    source->format_ = "TTree and RNTuple";
  }
  source->samples_ = std::move(samples);
  return source;
}

// Columns with defaults that the first file has not are those of the first file that has them.
void Source::add_missing_columns() {
  std::vector<ColumnInfo> columns = schema_.columns();
  for (const Default& missing : defaults_) {
    if (schema_.find(missing.column)) continue;
    bool is_found = false;
    for (size_t i = 1; i < files_.size() && !is_found; ++i) {
      const auto table =
          files_[i].table ? files_[i].table : open_table(files_[i].path, tree_, &cache_->streamer_infos);
      const auto place = table->schema().find(missing.column);
      if (!place) continue;
      columns.push_back(table->schema()[*place]);
      is_found = true;
    }
    if (!is_found) schema_.require(missing.column);
  }
  schema_ = Schema(std::move(columns));
  for (const Default& missing : defaults_)
    check_default(missing, schema_[schema_.require(missing.column)].type);
}

// With the columns that it lacks and that have defaults.
std::shared_ptr<const Reader> Source::filled(std::shared_ptr<const Reader> table) const {
  std::vector<FilledReader::Filling> fillings;
  for (const auto& [column, value] : defaults_) {
    if (!table->schema().find(column)) fillings.push_back({schema_[schema_.require(column)], value});
  }
  if (fillings.empty()) return table;
  return std::make_shared<const FilledReader>(std::move(table), std::move(fillings));
}

void Source::count_entries() {
  num_entries_ = 0;
  for (FileInfo& file : files_) {
    file.first_entry = num_entries_;
    num_entries_ += file.num_entries;
  }
}

bool Source::is_ordered() const {
  return std::ranges::none_of(files_,
                              [](const FileInfo& file) { return file.table && !file.table->is_ordered(); });
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

std::shared_ptr<const Source> Source::joined(std::shared_ptr<const Source> main,
                                             std::shared_ptr<const FriendColumns> friend_columns) {
  const std::shared_ptr<Source> source(new Source(*main));
  source->cache_ = std::make_shared<Cache>();
  std::vector<ColumnInfo> columns = main->schema_.columns();
  const std::vector<ColumnInfo>& more = friend_columns->schema().columns();
  columns.insert(columns.end(), more.begin(), more.end());
  source->schema_ = Schema(std::move(columns));
  std::vector<EntryRange> entries;
  for (const FileInfo& file : main->files_)
    entries.push_back({file.first_entry, file.first_entry + file.num_entries});
  source->friend_ =
      std::make_shared<Friend>(Friend{std::move(main), std::move(friend_columns), std::move(entries)});
  return source;
}

std::shared_ptr<const Reader> Source::reader(size_t file) const {
  if (files_[file].table) return filled(files_[file].table);
  if (auto reader = cache_->find(file)) return reader;
  if (friend_) {
    auto reader = std::make_shared<const FriendReader>(friend_->main->reader(file), friend_->columns,
                                                       friend_->entries[file]);
    cache_->insert(file, reader);
    return reader;
  }
  auto reader = filled(open_table(files_[file].path, tree_, &cache_->streamer_infos));
  if (reader->num_entries() != files_[file].stored_entries) {
    throw IoError(concat("the file changed since it was opened: ", files_[file].stored_entries,
                         " entries then, ", reader->num_entries(), " now"),
                  {.file = files_[file].path, .object = tree_});
  }
  cache_->insert(file, reader);
  return reader;
}

TableOutline Source::outline(size_t file, const std::vector<std::string>& names) const {
  const FileInfo& info = files_[file];
  TableOutline table{.num_entries = info.stored_entries, .clusters = info.clusters};
  for (const std::string& name : names)
    table.columns.push_back(outline(file, name, {0, info.stored_entries}));
  return table;
}

ColumnOutline Source::outline(size_t file, const std::string& name, EntryRange entries) const {
  if (friend_) {
    const auto column = friend_->columns->schema().find(name);
    if (!column) return friend_->main->outline(file, name, entries);
    const EntryRange whole = friend_->entries[file];
    const int64_t stop = std::min(whole.stop, whole.start + entries.stop);
    return friend_->columns->outline(*column, {whole.start + entries.start, stop}, whole.start);
  }
  const std::vector<ColumnOutline>& kept = outlines_->of_file[file];
  const size_t place = schema_.require(name);
  if (place < kept.size()) return part_of(kept[place], entries);
  const std::shared_ptr<const Reader> opened = reader(file);
  return part_of(outline_of(*opened, column_indices(*opened, {name}).front()), entries);
}

std::vector<size_t> Source::column_indices(const Reader& reader,
                                           const std::vector<std::string>& names) const {
  return with_context({.file = reader.file(), .object = reader.object()}, [&] {
    std::vector<size_t> indices;
    for (const std::string& name : names) {
      const Type& expected = schema_[schema_.require(name)].type;
      const auto found = reader.schema().find(name);
      if (!found) {
        throw SchemaError(concat("no column '", name, "' here, which ", files_.front().path,
                                 " has: a default can stand for it"));
      }
      const size_t index = *found;
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
