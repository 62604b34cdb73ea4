#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "sapwood/base/error.h"
#include "sapwood/dataset/dataset.h"

namespace sapwood {
namespace {

const std::string kJets = SAPWOOD_TEST_DATA "/../../examples/data/";
using DatasetPointer = std::shared_ptr<const Dataset>;

// The files of main and friend end at other entries, and are of other formats.
DatasetPointer main_jets() {
  return open({kJets + "QCD_ttree.root", kJets + "QCD_rntuple.root"})->limit_files({700, 900});
}
DatasetPointer friend_jets() {
  return open({kJets + "Tbqq_rntuple.root", kJets + "Tbqq_ttree.root", kJets + "Tbqq_rntuple.root"})
      ->limit_files({300, 1100, 200});
}

TEST(Friend, ColumnsOfBothGoByEntry) {
  const auto joined = main_jets()->with_friend(friend_jets(), "top");
  EXPECT_EQ(joined->num_entries(), 1600);
  EXPECT_EQ(joined->readable_columns().size(), 2 * main_jets()->readable_columns().size());
  const auto of_main = main_jets()->arrays({"jet_pt", "part_px"});
  const auto of_friend = friend_jets()->arrays({"jet_pt", "part_px"});
  for (const size_t threads : {1u, 3u}) {
    const auto both =
        joined->arrays({"top.jet_pt", "part_px", "jet_pt", "top.part_px"}, {.threads = threads});
    EXPECT_TRUE(identical(both[0], of_friend[0]));
    EXPECT_TRUE(identical(both[1], of_main[1]));
    EXPECT_TRUE(identical(both[2], of_main[0]));
    EXPECT_TRUE(identical(both[3], of_friend[1]));
  }
  const auto difference = joined->arrays({"top.jet_pt - jet_pt"}, {.entries = EntryRange{250, 1450}}).front();
  for (int64_t i = 0; i < 1200; ++i) {
    const auto entry = static_cast<size_t>(i + 250);
    EXPECT_EQ(difference.values.as<const float>()[static_cast<size_t>(i)],
              of_friend[0].values.as<const float>()[entry] - of_main[0].values.as<const float>()[entry]);
  }
}

TEST(Friend, FiltersAndDefinitionsStay) {
  const auto filtered = main_jets()->define("half", "jet_pt / 2")->filter("half > 260");
  const auto joined = filtered->with_friend(friend_jets(), "top")->filter("top.jet_pt > half");
  const auto expected =
      main_jets()->with_friend(friend_jets(), "top")->filter("jet_pt / 2 > 260 && top.jet_pt > jet_pt / 2");
  const auto rows = joined->arrays({"half", "top.part_px"});
  EXPECT_GT(rows[0].length, 0);
  EXPECT_LT(rows[0].length, 1600);
  const auto others = expected->arrays({"jet_pt / 2", "top.part_px"});
  EXPECT_TRUE(identical(rows[0], others[0]));
  EXPECT_TRUE(identical(rows[1], others[1]));
}

TEST(Friend, LimitsComeBeforeAndAfter) {
  const auto joined = main_jets()->with_friend(friend_jets(), "top")->limit_files({100, 50});
  const Column limited = joined->arrays({"top.jet_pt"}).front();
  const Column whole = friend_jets()->arrays({"jet_pt"}).front();
  ASSERT_EQ(limited.length, 150);
  EXPECT_TRUE(identical(slice(limited, 0, 100, heap_pool()), slice(whole, 0, 100, heap_pool())));
  EXPECT_TRUE(identical(slice(limited, 100, 50, heap_pool()), slice(whole, 700, 50, heap_pool())));
}

TEST(Friend, MayHaveFriends) {
  const auto inner = friend_jets()->with_friend(main_jets(), "again");
  const auto joined = main_jets()->with_friend(inner, "top")->with_friend(friend_jets(), "more");
  ASSERT_EQ(joined->friends().size(), 2u);
  const auto columns = joined->arrays({"top.again.part_px", "part_px", "more.jet_pt", "top.jet_pt"});
  EXPECT_TRUE(identical(columns[0], columns[1]));
  EXPECT_TRUE(identical(columns[2], columns[3]));
}

TEST(Friend, UnitsCountTheBytesOfBoth) {
  const auto joined = main_jets()->with_friend(friend_jets(), "top");
  const auto stored_bytes = [](const Dataset& data, const std::vector<std::string>& columns) {
    uint64_t bytes = 0;
    for (const Unit& unit : data.units(data.select(columns))) bytes += unit.stored_bytes;
    return bytes;
  };
  const uint64_t of_main = stored_bytes(*main_jets(), {"part_px"});
  EXPECT_EQ(stored_bytes(*joined, {"part_px"}), of_main);
  EXPECT_GT(stored_bytes(*joined, {"part_px", "top.part_px"}),
            of_main + stored_bytes(*friend_jets(), {"part_px"}) / 2);
}

TEST(Friend, ChosenColumnsAloneCome) {
  const auto chosen = friend_jets()->only({"part_px", "jet_pt"});
  const auto joined = main_jets()->only({"jet_eta"})->with_friend(chosen, "top");
  EXPECT_EQ(joined->readable_columns(), (std::vector<std::string>{"jet_eta", "top.part_px", "top.jet_pt"}));
  EXPECT_THROW(joined->arrays({"top.jet_eta"}), SchemaError);
  EXPECT_THROW(main_jets()->with_friend(friend_jets()->only({"entry_"}), "top"), ConfigError);
}

std::string refusal(const DatasetPointer& data, const DatasetPointer& other, const std::string& prefix = {}) {
  try {
    data->with_friend(other, prefix);
  } catch (const ConfigError& error) {
    return error.message();
  }
  return {};
}

TEST(Friend, WhatDoesNotFitIsRefused) {
  const auto data = main_jets();
  EXPECT_EQ(refusal(data, friend_jets()->limit(1500), "top"),
            "the friend has 1500 entries, the data set 1600: each must go with one, or one of the same keys");
  EXPECT_NE(
      refusal(data, friend_jets()).find("there is a column 'part_px' already: give the friend a prefix"),
      std::string::npos)
      << refusal(data, friend_jets());
  const auto joined = data->with_friend(friend_jets(), "top");
  EXPECT_NE(refusal(joined, friend_jets(), "top").find("another prefix"), std::string::npos);
  EXPECT_NE(refusal(data, friend_jets(), "a b").find("can't be a prefix"), std::string::npos);
  EXPECT_NE(refusal(data, friend_jets()->filter("jet_pt > 1"), "top").find("filters"), std::string::npos);
  EXPECT_NE(refusal(data, friend_jets()->define("half", "jet_pt / 2"), "top").find("'half'"),
            std::string::npos);
  const auto open_table_given = open({{.label = "", .paths = {}, .tables = {data->source().reader(0)}}});
  EXPECT_NE(refusal(open_table_given, data).find("frames"), std::string::npos);
}

TEST(Friend, WrongBytesAreToldOfItsFile) {
  const std::string path = testing::TempDir() + "wrong_friend.root";
  std::filesystem::copy_file(kJets + "Tbqq_ttree.root", path,
                             std::filesystem::copy_options::overwrite_existing);
  const auto data = open({kJets + "QCD_ttree.root"});
  const auto joined = data->with_friend(open({path}), "top");
  const auto reader = joined->source().reader(0);
  const StorageBlock block = reader->blocks(reader->schema().require("top.part_px")).back();
  {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(block.offset + 100));
    file << std::string(40, '\xff');
  }
  EXPECT_NO_THROW(joined->arrays({"part_px", "top.jet_pt"}));
  EXPECT_NO_THROW(joined->arrays({"top.part_px"}, {.entries = EntryRange{0, block.first_entry}}));
  try {
    joined->arrays({"part_px", "top.part_px"});
    FAIL();
  } catch (const FormatError& error) {
    EXPECT_EQ(error.context().file, path);
    EXPECT_EQ(error.context().column, "part_px");
  }
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace sapwood
