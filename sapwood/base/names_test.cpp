#include "sapwood/base/names.h"

#include <gtest/gtest.h>

namespace sapwood {
namespace {

using Names = std::vector<std::string>;

const Names kBranches{"nMuon", "Muon_pt", "Muon_eta", "Muon_phi", "Electron_pt", "Jet_pt", "run"};

TEST(NearestNames, FindsSlipsOfTheFingers) {
  EXPECT_EQ(nearest_names("Muon_pl", kBranches, 1), Names{"Muon_pt"});
  EXPECT_EQ(nearest_names("Moun_pt", kBranches, 1), Names{"Muon_pt"});
  EXPECT_EQ(nearest_names("Elektron_pt", kBranches, 1), Names{"Electron_pt"});
}

TEST(NearestNames, CountsCaseHalf) {
  EXPECT_EQ(nearest_names("muon_pt", {"Muon_px", "Muon_pt", "nuon_pt"}, 3),
            (Names{"Muon_pt", "nuon_pt", "Muon_px"}));
}

TEST(NearestNames, FindsWhatContainsTheName) {
  EXPECT_EQ(nearest_names("phi", kBranches), Names{"Muon_phi"});
}

TEST(NearestNames, LeavesOutWhatIsFar) {
  EXPECT_EQ(nearest_names("luminosityBlock", kBranches), Names{});
  EXPECT_EQ(nearest_names("x", {}), Names{});
}

TEST(NearestNames, GivesAtMostWhatIsAsked) { EXPECT_EQ(nearest_names("Muon_p", kBranches, 2).size(), 2u); }

TEST(NearestNamesHint, ReadsAsPartOfASentence) {
  EXPECT_EQ(nearest_names_hint("Jet_pl", {"Jet_pt"}), " (nearest: Jet_pt)");
  EXPECT_EQ(nearest_names_hint("Jet_pl", {"run"}), "");
}

TEST(Utf8Name, KeepsUtf8AndTakesOtherBytesForLatin1) {
  for (const char* name : {"", "Muon_pt", "\xC3\xA9t\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"})
    EXPECT_EQ(utf8_name(name), name);
  EXPECT_EQ(utf8_name("ab\xE9"
                      "cd"),
            "ab\xC3\xA9"
            "cd");
  // Overlong, surrogates, beyond the last code point, cut short.
  for (const char* bytes :
       {"\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\x80"})
    EXPECT_NE(utf8_name(bytes), bytes);
}

}  // namespace
}  // namespace sapwood
