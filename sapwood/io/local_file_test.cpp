#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <functional>

#include "sapwood/base/error.h"
#include "sapwood/io/random_access_file.h"
#include "sapwood/io/test_folder.h"

namespace sapwood::io {
namespace {

std::string read_text(const RandomAccessFile& file, uint64_t offset, size_t size) {
  std::string text(size, '\0');
  file.read_at(offset, std::as_writable_bytes(std::span(text)));
  return text;
}

template <class E>
std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const E& error) {
    return error.what();
  }
  return "nothing thrown";
}

TEST(LocalFile, ReadsAnywhere) {
  const TestFolder folder;
  const std::string path = folder.write("a.root", "0123456789");
  const auto file = open_local_file(path);
  EXPECT_EQ(file->size(), 10u);
  EXPECT_EQ(file->uri(), path);
  EXPECT_EQ(read_text(*file, 3, 4), "3456");
  EXPECT_EQ(read_text(*file, 10, 0), "");
}

TEST(LocalFile, ThrowsPastTheEnd) {
  const TestFolder folder;
  const auto file = open_local_file(folder.write("a.root", "0123456789"));
  EXPECT_THROW(read_text(*file, 7, 4), FormatError);
  EXPECT_THROW(read_text(*file, UINT64_MAX, 1), FormatError);
}

TEST(LocalFile, ThrowsWhenTheFileWasCutAfterOpening) {
  const TestFolder folder;
  const std::string path = folder.write("a.root", "0123456789");
  const auto file = open_local_file(path);
  std::filesystem::resize_file(path, 5);
  EXPECT_EQ(file->size(), 10u);
  EXPECT_THROW(read_text(*file, 3, 4), FormatError);
}

TEST(LocalFile, NamesTheNearestWhenMissing) {
  const TestFolder folder;
  folder.write("jets_train.root");
  const std::string path = folder.path("jets_tran.root");
  const std::string message = message_of<IoError>([&] { open_local_file(path); });
  EXPECT_NE(message.find("jets_train.root"), std::string::npos) << message;
  EXPECT_NE(message.find(path), std::string::npos) << message;
}

TEST(LocalFile, NamesTheFolderThatIsMissing) {
  const TestFolder folder;
  folder.write("data/a.root");
  const std::string message = message_of<IoError>([&] { open_local_file(folder.path("date/a.root")); });
  EXPECT_NE(message.find("no such folder: date (nearest: data)"), std::string::npos) << message;
}

TEST(LocalFile, RefusesWhatIsNoRegularFile) {
  const TestFolder folder;
  EXPECT_NE(message_of<IoError>([&] { open_local_file(folder.path()); }).find("directory"),
            std::string::npos);
  const std::string pipe = folder.path("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THROW(open_local_file(pipe), IoError);
}

TEST(OpenFile, TakesFileUrisAndRefusesRemoteOnes) {
  const TestFolder folder;
  const std::string path = folder.write("with space.root", "abc");
  std::string uri = "file://" + path;
  uri.replace(uri.find(' '), 1, "%20");
  EXPECT_EQ(open_file(uri)->size(), 3u);
  EXPECT_EQ(open_file("file://localhost" + path)->size(), 3u);
  EXPECT_THROW(open_file("file://relative.root"), IoError);
  EXPECT_THROW(open_file("file:///bad%2"), IoError);
  for (const char* remote :
       {"root://host//a.root", "https://host/a.root", "http://host/a", "s3://bucket/a"}) {
    EXPECT_NE(message_of<UnsupportedError>([&] { open_file(remote); }).find("not built in yet"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace sapwood::io
