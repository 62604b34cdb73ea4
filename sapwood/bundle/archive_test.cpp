#include "sapwood/bundle/archive.h"

#include <gtest/gtest.h>

#include <random>

#include "sapwood/base/error.h"
#include "sapwood/bundle/test_bundles.h"

namespace sapwood {
namespace {

std::string refusal(const TestBytes& archive, const ArchiveLimits& limits = {}) {
  try {
    read_archive(archive, limits);
  } catch (const FormatError& error) {
    return error.message();
  }
  return "no error";
}

std::string refusal_of(TarMember member) { return refusal(tar({{"a", bytes_of("1")}, std::move(member)})); }

TEST(Archive, GivesItsMembers) {
  const auto members = read_archive(tar({{"b.json", bytes_of("text")}, {"A-1_x", {}}}));
  EXPECT_EQ(members, (std::map<std::string, TestBytes>{{"b.json", bytes_of("text")}, {"A-1_x", {}}}));
  EXPECT_TRUE(read_archive(tar({})).empty());
}

TEST(Archive, ReadsGzip) {
  const auto members = read_archive(load_test_file("affine.tar.gz"));
  EXPECT_EQ(members.at("model.onnx"), load_test_file("affine.onnx"));
}

TEST(Archive, RefusesNamesThatAreNotPlain) {
  for (const char* name :
       {"../a", "/etc/passwd", "a/b", "./a", "..", ".", ".hidden", "", "a b", "a\\b", "-x", "\xc3\xa9"})
    EXPECT_NE(refusal_of({name, bytes_of("1")}).find("plain names"), std::string::npos) << name;
}

TEST(Archive, RefusesWhatIsNotAFile) {
  EXPECT_EQ(refusal_of({"link", {}, '1', "a"}), "member 'link' is not a file");
  EXPECT_EQ(refusal_of({"link", {}, '2', "/etc/passwd"}), "member 'link' is not a file");
  EXPECT_EQ(refusal_of({"device", {}, '3'}), "member 'device' is not a file");
  EXPECT_EQ(refusal_of({"fifo", {}, '6'}), "member 'fifo' is not a file");
  EXPECT_NE(refusal_of({"folder", {}, '5'}), "no error");
  EXPECT_EQ(refusal_of({"a", bytes_of("2")}), "the archive has member 'a' twice");
}

TEST(Archive, KeepsToItsLimits) {
  const TestBytes archive = tar({{"a", bytes_of("12345")}, {"b", bytes_of("12345")}});
  EXPECT_EQ(refusal(archive, {.members = 1}), "the archive has more than 1 members");
  EXPECT_EQ(refusal(archive, {.total_bytes = 9}), "member 'b' has more than 4 bytes");
  EXPECT_EQ(
      refusal(archive, {.member_bytes = [](const std::string& name) { return name == "a" ? 4u : 100u; }}),
      "member 'a' has more than 4 bytes");
  EXPECT_EQ(read_archive(archive, {.members = 2, .total_bytes = 10}).size(), 2u);
  EXPECT_EQ(refusal(tar({{"huge", {}, '0', "", int64_t{7} << 30}})),
            "member 'huge' has more than 2147483648 bytes");
}

TEST(Archive, RefusesWhatIsCutShortOrNoArchive) {
  EXPECT_NE(refusal(bytes_of("PK\3\4 or any other text that is no archive")), "no error");
  EXPECT_NE(refusal(tar({{"a", bytes_of("1"), '0', "", 100000}})), "no error");
  const TestBytes packed = load_test_file("affine.tar.gz");
  for (size_t size = 10; size < packed.size(); size += 37)
    EXPECT_NE(refusal({packed.begin(), packed.begin() + static_cast<ptrdiff_t>(size)}), "no error") << size;
}

}  // namespace
}  // namespace sapwood
