#include "sapwood/source/open.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <unordered_set>

#include "sapwood/base/names.h"
#include "sapwood/io/random_access_file.h"
#include "sapwood/rntuple/ntuple.h"
#include "sapwood/root/file.h"
#include "sapwood/root/streamer_info.h"
#include "sapwood/ttree/tree.h"

namespace sapwood {
namespace {

enum class Format { kNone, kTree, kNtuple };

Format format_of(const std::string& class_name) {
  if (class_name == "TTree" || class_name == "TNtuple" || class_name == "TNtupleD") return Format::kTree;
  if (class_name == "ROOT::RNTuple" || class_name == "ROOT::Experimental::RNTuple") return Format::kNtuple;
  return Format::kNone;
}

/// Whether it is a class of somebody's own that derives from TTree.
bool is_derived_tree(const root::StreamerInfos& infos, const std::string& class_name) {
  return class_name != "TChain" && infos.derives_from(class_name, "TTree");
}

/// Those of known classes; where there is none, of derived ones.
std::vector<TableInfo> tables_of(const root::File& file) {
  std::vector<TableInfo> tables;
  std::unordered_set<std::string_view> seen;
  for (const root::Key& key : file.keys()) {
    const Format format = format_of(key.class_name);
    if (format == Format::kNone || !seen.insert(key.path).second) continue;
    tables.push_back({key.path, format == Format::kTree ? "TTree" : "RNTuple"});
  }
  if (!tables.empty() || file.keys().empty()) return tables;
  const auto infos = root::StreamerInfos::read(file);
  for (const root::Key& key : file.keys()) {
    if (is_derived_tree(*infos, key.class_name) && seen.insert(key.path).second)
      tables.push_back({key.path, "TTree"});
  }
  return tables;
}

std::string joined_names(const std::vector<TableInfo>& tables) {
  constexpr size_t kMostNames = 20;
  std::string text;
  for (const TableInfo& table : std::span(tables).first(std::min(tables.size(), kMostNames)))
    text += (text.empty() ? "'" : ", '") + table.path + "'";
  if (tables.size() > kMostNames) text += concat(" and ", tables.size() - kMostNames, " more");
  return text;
}

const root::Key& find_table(const root::File& file, const std::string& tree) {
  const std::vector<TableInfo> tables = tables_of(file);
  if (tree.empty()) {
    if (tables.empty()) throw SchemaError("the file holds no TTree and no RNTuple");
    if (tables.size() > 1)
      throw SchemaError("the file holds several trees: name one of " + joined_names(tables));
    return *file.find(tables.front().path);
  }
  const root::Key* key = file.find(tree);
  if (key != nullptr && format_of(key->class_name) != Format::kNone) return *key;
  if (key != nullptr && is_derived_tree(*root::StreamerInfos::read(file), key->class_name)) return *key;
  if (key != nullptr)
    throw SchemaError(concat("'", tree, "' is a ", key->class_name, ", not a TTree or RNTuple"));
  std::vector<std::string> names;
  for (const TableInfo& table : tables) names.push_back(table.path);
  throw SchemaError(
      concat("no tree '", tree, "'", nearest_names_hint(tree, names),
             tables.empty() ? "; the file holds none" : "; the file holds " + joined_names(tables)));
}

}  // namespace

std::vector<TableInfo> list_tables(const std::string& uri) {
  return with_context({.file = uri}, [&] { return tables_of(*root::File::open(io::open_file(uri))); });
}

std::vector<ObjectInfo> list_objects(const std::string& uri) {
  return with_context({.file = uri}, [&] {
    const auto file = root::File::open(io::open_file(uri));
    std::vector<ObjectInfo> objects;
    for (const root::Key& key : file->keys()) {
      objects.push_back({key.path, key.class_name, key.cycle, key.record_size});
    }
    return objects;
  });
}

std::shared_ptr<const Reader> open_table(const std::string& uri, const std::string& tree,
                                         root::SharedStreamerInfos* shared) {
  return with_context({.file = uri}, [&]() -> std::shared_ptr<const Reader> {
    const auto file = root::File::open(io::open_file(uri));
    const root::Key& key = find_table(*file, tree);
    return with_context({.object = key.path}, [&]() -> std::shared_ptr<const Reader> {
      if (format_of(key.class_name) == Format::kNtuple) return rntuple::Ntuple::open(file, key);
      return ttree::Tree::open(file, key, shared);
    });
  });
}

}  // namespace sapwood
