// Events of muons and jets as analyses select them, in counted arrays. For ROOT's interpreter.
#include <TFile.h>
#include <TRandom3.h>
#include <TTree.h>

#include <algorithm>
#include <functional>
#include <string>

namespace writers {

struct Objects {
  static constexpr int kMost = 40;
  int count = 0;
  float pt[kMost], eta[kMost], phi[kMost], mass[kMost];
  int charge[kMost];

  void book(TTree& tree, const std::string& name, bool charged) {
    tree.Branch(("n" + name).c_str(), &count, ("n" + name + "/I").c_str());
    const auto array = [&](const char* member, void* values, const char* code) {
      tree.Branch((name + "_" + member).c_str(), values,
                  (name + "_" + member + "[n" + name + "]/" + code).c_str());
    };
    array("pt", pt, "F");
    array("eta", eta, "F");
    array("phi", phi, "F");
    array("mass", mass, "F");
    if (charged) array("charge", charge, "I");
  }
  // The hardest first.
  void fill(TRandom3& random, double mean, double pt_scale, double pt_least, double one_mass) {
    count = std::min<int>(random.Poisson(mean), kMost);
    for (int i = 0; i < count; ++i) {
      pt[i] = pt_least + random.Exp(pt_scale);
      eta[i] = random.Gaus(0, 1.5);
      phi[i] = random.Uniform(-3.14159, 3.14159);
      mass[i] = one_mass > 0 ? one_mass : 0.1 * pt[i];
      charge[i] = random.Integer(2) ? 1 : -1;
    }
    std::sort(pt, pt + count, std::greater<float>());
  }
};

void write_physics(const std::string& path, long long rows, unsigned seed, int compression) {
  TFile file(path.c_str(), "RECREATE", "", compression);
  auto* tree = new TTree("Events", "");
  Objects muons, jets;
  muons.book(*tree, "Muon", true);
  jets.book(*tree, "Jet", false);
  TRandom3 random(seed);
  for (long long i = 0; i < rows; ++i) {
    muons.fill(random, 1.6, 20, 3, 0.10566);
    jets.fill(random, 5, 40, 15, 0);
    tree->Fill();
  }
  file.Write();
}

}  // namespace writers
