#include "sapwood/serve/registry.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>

#include "sapwood/serve/status_error.h"
#include "sapwood/serve/test_model.h"

namespace sapwood::serve {
namespace {

namespace fs = std::filesystem;

struct Repository : testing::Test {
  fs::path root = fs::path(testing::TempDir()) / concat("registry-", getpid());
  std::vector<std::string> opened;
  std::weak_ptr<const Model> last;

  void SetUp() override { fs::create_directories(root); }
  void TearDown() override { fs::remove_all(root); }

  void write(const fs::path& path, std::string_view content) const {
    fs::create_directories((root / path).parent_path());
    std::ofstream(root / path) << content;
  }
  OpenServable opener() {
    return [this](const std::string& path) {
      std::ifstream file(path);
      std::string content;
      std::getline(file, content);
      if (content == "broken") throw FormatError("broken");
      opened.push_back(content);
      auto model = std::make_shared<const SumModel>();
      last = model;
      return Servable{.name = content, .model = model};
    };
  }
  Registry registry(const RegistryOptions& options = {}) {
    return Registry(ModelFolder(root.string()), opener(), options);
  }
};

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

int status_of(const auto& action) {
  try {
    action();
  } catch (const StatusError& error) {
    return error.status();
  }
  return 200;
}

TEST_F(Repository, ServesTheHighestVersion) {
  write("m/2/bundle.tar", "two");
  write("m/10/bundle.tar", "ten");
  write("m/x/bundle.tar", "no version");
  write("m/011/bundle.tar", "no version");
  write(".hidden/1/bundle.tar", "no model");
  auto served = registry();
  served.load_all();
  ASSERT_TRUE(served.find("m"));
  EXPECT_EQ(served.find("m")->version, 10);
  EXPECT_FALSE(served.find("m", 2));
  EXPECT_FALSE(served.find(".hidden"));
  EXPECT_EQ(served.only(), served.find("m"));
  const auto index = served.index();
  ASSERT_EQ(index.size(), 2u);
  EXPECT_TRUE(index[0].ready);
  EXPECT_EQ(index[1].version, 2);
  EXPECT_FALSE(index[1].ready);
}

TEST_F(Repository, KeepsSeveralVersionsWhereAsked) {
  for (const char* version : {"1", "2", "3"}) write(fs::path("m") / version / "bundle.tar", version);
  auto served = registry({.versions = 2});
  served.load("m");
  EXPECT_FALSE(served.find("m", 1));
  EXPECT_TRUE(served.find("m", 2));
  const auto three = served.find("m");
  EXPECT_EQ(served.upload("m", bytes("four")), 4);
  EXPECT_EQ(served.find("m", 3), three);
  EXPECT_FALSE(served.find("m", 2));
  Request request;
  request.inputs = {float_tensor({1, 2}, std::array{1.f, 2.f})};
  request.completion = [](const Outcome&) {};
  request.deliveries = std::make_shared<DirectDeliveries>();
  EXPECT_EQ(three->scheduler.submit(request), Admission::kAccepted);
}

TEST_F(Repository, ChangesVersionsAndGivesMemoryBack) {
  auto served = registry();
  EXPECT_EQ(status_of([&] { served.load("m"); }), 404);
  EXPECT_EQ(served.upload("m", bytes("one")), 1);
  auto old = served.find("m");
  const auto old_model = last;
  EXPECT_EQ(served.upload("m", bytes("two")), 2);
  Request request;
  EXPECT_EQ(old->scheduler.submit(request), Admission::kStopped);
  old.reset();
  EXPECT_TRUE(old_model.expired());
  EXPECT_EQ(served.find("m")->version, 2);
  served.unload("m");
  EXPECT_TRUE(last.expired());
  EXPECT_EQ(status_of([&] { served.unload("m"); }), 404);
  served.load("m");
  served.remove("m");
  EXPECT_FALSE(fs::exists(root / "m"));
  EXPECT_EQ(status_of([&] { served.remove("m"); }), 404);
}

TEST_F(Repository, AnUploadThatDoesNotLoadLeavesNothing) {
  auto served = registry();
  served.upload("m", bytes("one"));
  EXPECT_THROW(served.upload("m", bytes("broken")), FormatError);
  EXPECT_THROW(served.upload("n", bytes("broken")), FormatError);
  EXPECT_EQ(served.find("m")->version, 1);
  EXPECT_FALSE(fs::exists(root / "n"));
  EXPECT_EQ(std::distance(fs::directory_iterator(root / "m"), {}), 1);
  for (const char* name : {"", ".", "..", "../x", "a/b", ".x", "a b", "a\n"}) {
    EXPECT_THROW(served.upload(name, bytes("one")), ConfigError) << name;
  }
}

TEST_F(Repository, ABrokenVersionIsToldAndLeavesTheServedOne) {
  write("m/1/bundle.tar", "one");
  write("broken/1/bundle.tar", "broken");
  auto served = registry();
  served.load_all();
  EXPECT_TRUE(served.find("m"));
  EXPECT_FALSE(served.find("broken"));
  EXPECT_EQ(served.index().back().reason, "version 1: broken");
  EXPECT_FALSE(served.is_ready());
  write("m/2/bundle.tar", "broken");
  EXPECT_THROW(served.load("m"), FormatError);
  EXPECT_EQ(served.find("m")->version, 1);
}

TEST_F(Repository, AnOlderVersionIsServedWhereTheNewestIsBroken) {
  write("m/1/bundle.tar", "one");
  write("m/2/bundle.tar", "two");
  write("m/3/bundle.tar", "broken");
  auto served = registry({.versions = 2});
  served.load_all();
  EXPECT_EQ(served.find("m")->version, 2);
  EXPECT_TRUE(served.find("m", 1));
  EXPECT_TRUE(served.is_ready());
  EXPECT_EQ(served.index().back().reason, "version 3: broken");
}

TEST_F(Repository, LeavesOtherFilesAlone) {
  write("m/1/bundle.tar", "one");
  write("m/2/note", "no bundle");
  write("m/notes.txt", "not ours");
  fs::create_directory_symlink("loop", root / "loop");
  auto served = registry();
  served.load_all();
  EXPECT_EQ(served.find("m")->version, 1);
  EXPECT_EQ(served.upload("m", bytes("three")), 3);
  served.remove("m");
  EXPECT_TRUE(fs::exists(root / "m/notes.txt"));
  EXPECT_TRUE(fs::exists(root / "m/2/note"));
  EXPECT_FALSE(fs::exists(root / "m/1"));
  EXPECT_FALSE(served.find("m"));
  write(concat("m/", INT64_MAX, "/bundle.tar"), "last");
  EXPECT_THROW(served.upload("m", bytes("one more")), ConfigError);
  EXPECT_THROW(served.upload("stats", bytes("a route's name")), ConfigError);
}

TEST_F(Repository, CleansWhatKilledUploadsHaveLeft) {
  write("m/.unfinished-2/bundle.tar", "half");
  write(".unfinished-n/1/bundle.tar", "half removed");
  write("m/1/bundle.tar", "one");
  const ModelFolder folder(root.string());
  EXPECT_FALSE(fs::exists(root / "m/.unfinished-2"));
  EXPECT_FALSE(fs::exists(root / ".unfinished-n"));
  EXPECT_EQ(folder.versions("m"), std::vector<int64_t>{1});
}

TEST_F(Repository, ServesFilesWithoutAFolder) {
  write("a.tar", "a");
  write("again.tar", "a");
  write("bad.tar", "../a");
  Registry served(std::nullopt, opener());
  served.serve_file((root / "a.tar").string());
  EXPECT_EQ(served.find("a")->version, 1);
  EXPECT_THROW(served.serve_file((root / "again.tar").string()), ConfigError);
  EXPECT_THROW(served.serve_file((root / "bad.tar").string()), ConfigError);
  EXPECT_EQ(status_of([&] { served.upload("b", bytes("b")); }), 409);
}

}  // namespace
}  // namespace sapwood::serve
