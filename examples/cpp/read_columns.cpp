// Reads columns of a ROOT file: read_columns FILE [TREE]
#include <algorithm>
#include <cstdio>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "sapwood/dataset/dataset.h"

namespace {

// The mean of all values of a column of floats, whatever its lists.
double mean(const sapwood::Column& column) {
  const sapwood::Column* innermost = &column;
  while (!innermost->children.empty()) innermost = &innermost->item();
  const std::span<const float> values = innermost->values.as<const float>();
  return std::accumulate(values.begin(), values.end(), 0.0) /
         static_cast<double>(std::max<size_t>(values.size(), 1));
}

void read_columns(const std::string& path, const std::string& tree) {
  const auto jets = sapwood::open(std::vector<std::string>{path}, tree);
  std::printf("%s: %lld entries, %zu columns\n", path.c_str(), static_cast<long long>(jets->num_entries()),
              jets->schema().size());

  const std::vector<std::string> names = {"jet_pt", "part_px"};
  const std::vector<sapwood::Column> columns = jets->arrays(names, {.entries = {{0, 1000}}});
  for (size_t i = 0; i < names.size(); ++i) {
    std::printf("  %-10s %-16s mean of the first %lld entries: %g\n", names[i].c_str(),
                columns[i].type.to_string().c_str(), static_cast<long long>(columns[i].length),
                mean(columns[i]));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: read_columns FILE [TREE]\n");
    return 2;
  }
  try {
    read_columns(argv[1], argc > 2 ? argv[2] : "");
  } catch (const sapwood::Error& error) {
    std::fprintf(stderr, "%s: %s\n", error.kind(), error.what());
    return 1;
  }
  return 0;
}
