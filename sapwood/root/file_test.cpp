#include "sapwood/root/file.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "sapwood/io/memory_file.h"
#include "sapwood/root/streamer_info.h"

namespace sapwood::root {
namespace {

using Content = std::vector<std::byte>;

Content load(const std::string& name) {
  std::ifstream in(std::string(SAPWOOD_TEST_DATA "/") + name, std::ios::binary);
  const std::vector<char> chars{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const Bytes bytes = std::as_bytes(std::span(chars));
  return {bytes.begin(), bytes.end()};
}

std::shared_ptr<const File> open(Content bytes) {
  return File::open(std::make_unique<io::MemoryFile>(std::move(bytes), "test.root"));
}

Content text(std::string_view text) {
  const Bytes bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

std::string failure(Content bytes) {
  try {
    open(std::move(bytes));
  } catch (const FormatError& error) {
    return error.what();
  }
  return "";
}

/// A minimal file, built by hand: header, top directory, and directories each in the one before.
class Builder {
 public:
  template <class T>
  Builder& add(T value) {
    for (size_t i = sizeof value; i-- > 0;)
      bytes.push_back(static_cast<std::byte>(static_cast<uint64_t>(value) >> (8 * i)));
    return *this;
  }
  Builder& add_string(std::string_view value) {
    add<uint8_t>(static_cast<uint8_t>(value.size()));
    for (const char c : value) bytes.push_back(static_cast<std::byte>(c));
    return *this;
  }
  Builder& pad_to(size_t size) {
    bytes.resize(size);
    return *this;
  }
  Builder& add_key(int32_t record, int16_t header, uint32_t seek, std::string_view class_name,
                   std::string_view name) {
    add<int32_t>(record).add<int16_t>(4).add<int32_t>(0).add<uint32_t>(0).add<int16_t>(header);
    add<int16_t>(1).add<uint32_t>(seek).add<uint32_t>(100);
    return add_string(class_name).add_string(name).add_string("");
  }
  Builder& add_directory(uint32_t key_list_size, uint32_t key_list_seek) {
    add<int16_t>(5).add<uint64_t>(0).add<uint32_t>(key_list_size).add<uint32_t>(50);
    return add<uint32_t>(100).add<uint32_t>(0).add<uint32_t>(key_list_seek).pad_to(bytes.size() + 20);
  }
  Content bytes;
};

/// A file whose top directory's keys begin at `key_list_seek`, 200 being where they really are.
Content small_file(uint32_t key_list_seek, uint32_t sub_key_list_seek) {
  Builder file;
  file.bytes = text("root");
  file.add<int32_t>(60000).add<int32_t>(100).add<uint32_t>(500).add<uint32_t>(0).add<uint64_t>(0);
  file.add<uint32_t>(30).add<uint8_t>(4).add<uint32_t>(0).add<uint32_t>(0).add<uint32_t>(0);
  file.pad_to(130).add_directory(100, key_list_seek).pad_to(200);
  file.add_key(100, 40, 200, "TFile", "x").add<int32_t>(1).add_key(100, 50, 350, "TDirectory", "sub");
  return file.pad_to(400).add_directory(100, sub_key_list_seek).pad_to(500).bytes;
}

TEST(File, ListsKeysOfAllDirectories) {
  const auto file = open(load("uproot-nesteddirs.root"));
  EXPECT_GT(file->version(), 50000);
  std::vector<std::string> trees;
  for (const Key& key : file->keys()) {
    if (key.class_name == "TTree") trees.push_back(key.path);
  }
  EXPECT_EQ(trees, (std::vector<std::string>{"one/two/tree", "one/tree", "three/tree"}));
}

TEST(File, FindsByPathAndCycle) {
  const auto file = open(load("uproot-nesteddirs.root"));
  const Key* tree = file->find("one/two/tree");
  ASSERT_NE(tree, nullptr);
  EXPECT_EQ(file->find("one/two/tree;1"), tree);
  EXPECT_EQ(file->find("one/two/tree;9"), nullptr);
  EXPECT_EQ(file->find("one/two/tree;x"), nullptr);
  EXPECT_EQ(file->find("tree"), nullptr);
}

TEST(File, ReadsObjectsAndStreamerInfos) {
  const auto file = open(load("uproot-nesteddirs.root"));
  const Key* tree = file->find("one/tree");
  ASSERT_NE(tree, nullptr);
  EXPECT_EQ(file->read_object(*tree, heap_pool()).size(), tree->uncompressed_size);
  const auto infos = StreamerInfos::read(*file);
  ASSERT_NE(infos->newest("TTree"), nullptr);
  EXPECT_TRUE(infos->derives_from("TBranchElement", "TBranch"));
  EXPECT_FALSE(infos->derives_from("TBranch", "TBranchElement"));
}

TEST(SharedStreamerInfos, AreParsedOnce) {
  SharedStreamerInfos shared;
  const auto infos = shared.read(*open(load("uproot-nesteddirs.root")));
  EXPECT_TRUE(infos->derives_from("TBranchElement", "TBranch"));
  EXPECT_EQ(shared.read(*open(load("uproot-nesteddirs.root"))), infos);
  const auto others = shared.read(*open(load("uproot-leaflist.root")));
  EXPECT_NE(others, infos);
  EXPECT_NE(others->newest("TTree"), nullptr);
}

TEST(File, OpensAnEmptyFile) { EXPECT_TRUE(open(load("uproot-issue70.root"))->keys().empty()); }

TEST(File, RefusesWhatIsNoRootFile) {
  for (const auto& content : {text(""), text("ro"), text("x,y\n1,2\n"), text("\x89PNG\r\n\x1a\n........")}) {
    EXPECT_NE(failure(content).find("not a ROOT file"), std::string::npos);
  }
}

TEST(File, SaysWhereATruncatedFileShouldEnd) {
  Content bytes = load("uproot-leaflist.root");
  const size_t whole = bytes.size();
  bytes.resize(whole - 100);
  const std::string message = open(bytes)->warning();
  EXPECT_NE(message.find("truncated"), std::string::npos) << message;
  EXPECT_NE(message.find(std::to_string(whole)), std::string::npos) << message;
  EXPECT_NE(message.find(std::to_string(whole - 100)), std::string::npos) << message;
}

TEST(File, RefusesATruncatedFileOfWhichNothingIsLeft) {
  Content bytes = load("uproot-leaflist.root");
  bytes.resize(300);
  EXPECT_NE(failure(bytes).find("no object is left"), std::string::npos);
}

TEST(File, FindsTheObjectsOfAFileThatWasNotClosed) {
  const auto file = open(load("unclosed.root"));
  EXPECT_NE(file->warning().find("not closed"), std::string::npos) << file->warning();
  std::vector<std::string> paths;
  for (const Key& key : file->keys()) paths.push_back(key.path);
  EXPECT_EQ(paths, (std::vector<std::string>{"dir", "note", "dir/tree"}));
  EXPECT_EQ(file->read_object(*file->find("dir/tree"), heap_pool()).size(),
            file->find("dir/tree")->uncompressed_size);
  EXPECT_TRUE(open(load("autosaved.root"))->warning().empty());
}

TEST(File, RefusesAFileThatWasNotClosedAndHoldsNothing) {
  EXPECT_NE(failure(small_file(0, 0)).find("not closed"), std::string::npos);
}

TEST(File, LeavesADirectoryWithoutKeysEmpty) {
  const auto file = open(small_file(200, 0));
  ASSERT_EQ(file->keys().size(), 1u);
  EXPECT_EQ(file->keys().front().path, "sub");
}

TEST(File, RefusesADirectoryInsideItself) {
  EXPECT_NE(failure(small_file(200, 200)).find("key list"), std::string::npos);
}

}  // namespace
}  // namespace sapwood::root
