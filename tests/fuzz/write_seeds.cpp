// Writes inputs for the fuzz targets that read ROOT files, made of the files of tests/data:
// write_seeds FOLDER FILE...
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>

#include "sapwood/io/random_access_file.h"
#include "sapwood/ttree/tree.h"
#include "tests/fuzz/fixture.h"

namespace {

using namespace sapwood;
namespace fs = std::filesystem;

constexpr size_t kLargest = 128 << 10;

void write(const fs::path& path, Bytes bytes) {
  if (bytes.size() > kLargest) return;
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary)
      .write(static_cast<const char*>(static_cast<const void*>(bytes.data())),
             static_cast<std::streamsize>(bytes.size()));
}

void write_parts(const fs::path& folder, const std::string& path) {
  const std::string name = fs::path(path).stem().string();
  const auto file = root::File::open(io::open_local_file(path));
  std::vector<std::byte> whole(file->bytes().size());
  file->bytes().read_at(0, whole);
  write(folder / "file" / name, whole);
  fuzz::Twin twin;
  try {
    twin = fuzz::uncompressed_twin(file);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s: %s\n", path.c_str(), error.what());
    return;
  }
  write(folder / "file" / (name + "-twin"), twin.bytes);
  for (const fuzz::Region& region : twin.regions) {
    if (region.what != "streamer infos") continue;
    write(folder / "streamer_info" / name,
          Bytes(twin.bytes).subspan(region.record, region.offset - region.record + region.size));
  }
  bool has_tree = false;
  for (const root::Key& key : file->keys()) has_tree = has_tree || ttree::is_tree_class(key.class_name);
  write(folder / (has_tree ? "tree" : "ntuple") / name, twin.bytes);
}

void write_fixture(const fs::path& folder, const char* file, const char* what) {
  size_t number = 0;
  for (const auto& input : fuzz::Fixture(std::string(SAPWOOD_TEST_DATA "/") + file, what).inputs())
    write(folder / what / std::to_string(number++), input);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: %s FOLDER FILE...\n", argv[0]);
    return 2;
  }
  const fs::path folder = argv[1];
  try {
    for (const char* path : std::span(argv, static_cast<size_t>(argc)).subspan(2)) write_parts(folder, path);
    write_fixture(folder, "objects.root", "basket");
    write_fixture(folder, "test_stl_containers_rntuple_v1-0-0-0.root", "page");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
