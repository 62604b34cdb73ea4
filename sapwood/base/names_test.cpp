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

}  // namespace
}  // namespace sapwood
