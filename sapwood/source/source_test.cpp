#include "sapwood/source/source.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "sapwood/base/error.h"

namespace sapwood {
namespace {

const std::string kData = SAPWOOD_TEST_DATA "/";
const std::string kJets = kData + "../../examples/data/";
const std::vector<std::string> kColumns{"jet_pt", "part_deta"};

// A folder of copies, which goes with it.
class Copies {
 public:
  explicit Copies(const std::vector<std::string>& files) {
    std::filesystem::create_directories(folder_);
    for (const std::string& file : files) {
      const auto to = folder_ / std::filesystem::path(file).filename();
      std::filesystem::copy_file(file, to, std::filesystem::copy_options::overwrite_existing);
      paths.push_back(to);
    }
  }
  Copies(const Copies&) = delete;
  Copies& operator=(const Copies&) = delete;
  ~Copies() { remove(); }
  void remove() const { std::filesystem::remove_all(folder_); }

  std::vector<std::string> paths;

 private:
  const std::filesystem::path folder_ = std::filesystem::path(testing::TempDir()) /
                                        testing::UnitTest::GetInstance()->current_test_info()->name();
};

std::shared_ptr<const Source> open_all(const std::vector<std::string>& paths) {
  return Source::open({{.label = "", .paths = paths}}, "tree");
}

TEST(Source, OutlinesAreThoseOfTheFiles) {
  const auto source = open_all({kJets + "QCD_ttree.root", kJets + "Tbqq_rntuple.root"});
  for (size_t file = 0; file < 2; ++file) {
    const TableOutline outline = source->outline(file, kColumns);
    const auto reader = source->reader(file);
    EXPECT_EQ(outline.num_entries, reader->num_entries());
    EXPECT_TRUE(std::ranges::equal(outline.clusters, reader->clusters()));
    ASSERT_EQ(outline.columns.size(), kColumns.size());
    for (size_t i = 0; i < kColumns.size(); ++i) {
      const size_t column = reader->schema().require(kColumns[i]);
      const std::vector<StorageBlock> blocks = reader->blocks(column);
      ASSERT_EQ(outline.columns[i].blocks.size(), blocks.size());
      for (size_t b = 0; b < blocks.size(); ++b) {
        EXPECT_EQ(outline.columns[i].blocks[b].first_entry, blocks[b].first_entry);
        EXPECT_EQ(outline.columns[i].blocks[b].offset, blocks[b].offset);
        EXPECT_EQ(outline.columns[i].blocks[b].compressed_bytes, blocks[b].compressed_bytes);
        EXPECT_EQ(outline.columns[i].blocks[b].uncompressed_bytes, blocks[b].uncompressed_bytes);
      }
      EXPECT_EQ(outline.columns[i].values_per_entry, reader->schema()[column].values_per_entry);
    }
  }
}

TEST(Source, OutlinesDontOpenFilesAgain) {
  // More than there are readers in the cache.
  const Copies copies({kJets + "QCD_ttree.root", kJets + "Tbqq_ttree.root"});
  std::vector<std::string> paths;
  for (int i = 0; i < 100; ++i) paths.insert(paths.end(), copies.paths.begin(), copies.paths.end());
  const auto source = open_all(paths);
  const auto limited = source->limited(std::vector<int64_t>(paths.size(), 500));
  copies.remove();
  for (size_t file = 0; file < paths.size(); ++file) {
    EXPECT_FALSE(source->outline(file, kColumns).columns[1].blocks.empty());
    EXPECT_EQ(limited->outline(file, kColumns).clusters.size(), limited->files()[file].clusters.size());
  }
}

TEST(Source, OutlinesOfOtherColumnsAreRefused) {
  const auto source = open_all({kJets + "QCD_ttree.root", kData + "uproot-small-flat-tree.root"});
  EXPECT_NO_THROW(source->outline(0, kColumns));
  EXPECT_THROW(source->outline(1, kColumns), SchemaError);
}

}  // namespace
}  // namespace sapwood
