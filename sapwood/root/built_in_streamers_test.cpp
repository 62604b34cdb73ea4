#include "sapwood/root/built_in_streamers.h"

#include <gtest/gtest.h>

namespace sapwood::root {
namespace {

TEST(BuiltInStreamers, KnowTreeClasses) {
  for (const int version : {16, 17, 18, 19, 20}) EXPECT_NE(built_in_streamer_info("TTree", version), nullptr);
  EXPECT_NE(built_in_streamer_info("TBranchElement", 10), nullptr);
  EXPECT_EQ(built_in_streamer_info("TTree", 99), nullptr);
}

// What the table says begins as what ROOT wrote into files of several versions.
TEST(BuiltInStreamers, AgreeWithFiles) {
  int compared = 0;
  for (const char* name :
       {"uproot-sample-5.23.02-zlib.root", "uproot-issue38a.root", "uproot-small-evnt-tree-fullsplit.root",
        "uproot-small-dy-withoffsets.root", "uproot-nesteddirs.root"}) {
    const auto file = File::open(io::open_local_file(std::string(SAPWOOD_TEST_DATA "/") + name));
    const auto infos = StreamerInfos::read(*file);
    for (const char* class_name :
         {"TTree", "TBranch", "TBranchElement", "TLeaf", "TLeafI", "TLeafC", "TLeafElement"}) {
      for (int version = 1; version <= 20; ++version) {
        const StreamerInfo* ours = built_in_streamer_info(class_name, version);
        const StreamerInfo* theirs = infos->find(class_name, version);
        if (ours == nullptr || theirs == nullptr) continue;
        SCOPED_TRACE(concat(name, ' ', class_name, ' ', version));
        ASSERT_LE(ours->elements.size(), theirs->elements.size());
        for (size_t i = 0; i < ours->elements.size(); ++i) {
          EXPECT_EQ(ours->elements[i].name, theirs->elements[i].name);
          EXPECT_EQ(ours->elements[i].is_base, theirs->elements[i].is_base);
          if (!ours->elements[i].is_base && ours->elements[i].type < kObject) {
            const int32_t a = ours->elements[i].type, b = theirs->elements[i].type;
            const bool same = a == b || (a == kInt && b == kCounter) || (a == kCounter && b == kInt);
            EXPECT_TRUE(same) << ours->elements[i].name << ' ' << a << ' ' << b;
          }
          EXPECT_EQ(ours->elements[i].count_name, theirs->elements[i].count_name);
        }
        ++compared;
      }
    }
  }
  EXPECT_GT(compared, 10);
}

}  // namespace
}  // namespace sapwood::root
