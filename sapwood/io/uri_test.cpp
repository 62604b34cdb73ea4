#include <gtest/gtest.h>

#include <filesystem>

#include "sapwood/base/error.h"
#include "sapwood/io/random_access_file.h"
#include "sapwood/io/test_folder.h"

namespace sapwood::io {
namespace {

class ResolvePaths : public testing::Test {
 protected:
  // What the pattern gives, relative to the folder.
  std::vector<std::string> resolve(const std::string& pattern) const {
    std::vector<std::string> names;
    for (const std::string& path : resolve_paths(folder_.path(pattern))) {
      names.push_back(path.substr(folder_.path().size()));
    }
    return names;
  }
  void SetUp() override {
    for (const char* name :
         {"b.root", "a.root", "a.txt", "run1/c.root", "run2/deep/d.root", ".hidden.root"}) {
      folder_.write(name);
    }
  }
  TestFolder folder_;
};

using Names = std::vector<std::string>;

TEST_F(ResolvePaths, TakesPathsAsTheyAre) { EXPECT_EQ(resolve("a.root"), Names{"a.root"}); }

TEST_F(ResolvePaths, SortsWhatAGlobMatches) {
  EXPECT_EQ(resolve("*.root"), (Names{"a.root", "b.root"}));
  EXPECT_EQ(resolve("?.root"), (Names{"a.root", "b.root"}));
  EXPECT_EQ(resolve("[b-z].root"), Names{"b.root"});
  EXPECT_EQ(resolve("run*/*.root"), Names{"run1/c.root"});
  EXPECT_EQ(resolve("run*/deep/d.root"), Names{"run2/deep/d.root"});
}

TEST_F(ResolvePaths, DescendsWithTwoStars) {
  EXPECT_EQ(resolve("**/*.root"), (Names{"a.root", "b.root", "run1/c.root", "run2/deep/d.root"}));
  EXPECT_EQ(resolve("**/**/d.root"), Names{"run2/deep/d.root"});
  EXPECT_EQ(resolve("run2/**"), Names{"run2/deep/d.root"});
}

TEST_F(ResolvePaths, DoesNotRunInCircles) {
  std::filesystem::create_directory_symlink(folder_.path(), folder_.path("run1/up"));
  EXPECT_EQ(resolve("**/c.root"), Names{"run1/c.root"});
}

TEST_F(ResolvePaths, PrefersANameThatHoldsGlobMarks) {
  folder_.write("a[1].root");
  EXPECT_EQ(resolve("a[1].root"), Names{"a[1].root"});
}

TEST_F(ResolvePaths, ThrowsWhenNothingIsThere) {
  EXPECT_THROW(resolve("c.root"), IoError);
  EXPECT_THROW(resolve("*.parquet"), IoError);
  EXPECT_THROW(resolve("nowhere/*.root"), IoError);
  EXPECT_THROW(resolve("run1"), IoError);
  EXPECT_THROW(resolve_paths("root://host//data/*.root"), UnsupportedError);
  EXPECT_THROW(resolve_paths(""), IoError);
}

TEST_F(ResolvePaths, NamesTheNearest) {
  folder_.write("jets_1.root");
  for (const char* wrong : {"jets_2.root", "jets_*.rot"}) {
    try {
      resolve(wrong);
      FAIL();
    } catch (const IoError& error) {
      EXPECT_NE(std::string(error.what()).find("nearest: jets_1.root"), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace sapwood::io
