// A tree as CMS's NanoAOD has them: about a thousand branches of scalars, counted arrays and trigger bits,
// with values that look like physics no more than their sizes do. For ROOT's interpreter.
#include <TFile.h>
#include <TRandom3.h>
#include <TTree.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

namespace writers {

// Of a collection: items of an event are Poisson distributed, at most kMostItems.
struct Collection {
  const char* name;
  double mean_items;
  int floats, ints, shorts, bools;
};

constexpr int kMostItems = 100;
constexpr int kTriggers = 400, kFilters = 30, kScalars = 60;

inline const std::vector<Collection>& collections() {
  static const std::vector<Collection> all{
      {"Electron", 1.0, 28, 8, 3, 14},     {"Muon", 1.2, 26, 7, 2, 18},
      {"Tau", 0.9, 24, 7, 3, 4},           {"Photon", 1.5, 20, 6, 2, 9},
      {"Jet", 7.0, 30, 6, 8, 0},           {"FatJet", 0.8, 44, 4, 4, 0},
      {"SubJet", 1.6, 18, 2, 1, 0},        {"SV", 1.4, 15, 1, 1, 0},
      {"GenPart", 40, 5, 5, 0, 0},         {"GenJet", 8.0, 5, 1, 1, 0},
      {"IsoTrack", 0.6, 9, 2, 2, 4},       {"TrigObj", 9.0, 8, 4, 1, 0},
      {"LHEPart", 6.0, 5, 3, 0, 0},        {"SoftActivityJet", 4, 3, 0, 0, 0},
      {"LowPtElectron", 1.1, 26, 4, 2, 4}, {"boostedTau", 0.2, 20, 6, 2, 2},
      {"OtherPV", 2.5, 2, 0, 0, 0},        {"PSWeight", 4, 1, 0, 0, 0}};
  return all;
}

// Branches `name_<kind><i>` of T, each with memory of its own that `fill` draws values for.
template <class T>
class Branches {
 public:
  Branches(TTree& tree, const std::string& prefix, const char* kind, int count, const std::string& length) {
    const char* code = std::is_same_v<T, float> ? "F"
                       : std::is_same_v<T, int> ? "I"
                       : sizeof(T) == 2         ? "S"
                                                : "O";
    for (int i = 0; i < count; ++i) {
      values_.push_back(std::make_unique<T[]>(kMostItems));
      const std::string name = prefix + "_" + kind + std::to_string(i);
      tree.Branch(name.c_str(), values_.back().get(), (name + length + "/" + code).c_str());
    }
  }
  template <class Draw>
  void fill(int items, const Draw& draw) {
    for (auto& column : values_) {
      for (int i = 0; i < items; ++i) column[i] = static_cast<T>(draw());
    }
  }

 private:
  std::vector<std::unique_ptr<T[]>> values_;
};

// As NanoAOD does: mantissas of ten bits, so that floats compress.
inline float rounded(double value) {
  int exponent = 0;
  const double mantissa = std::frexp(value, &exponent);
  return static_cast<float>(std::ldexp(std::round(mantissa * 1024) / 1024, exponent));
}

void write_nano(const std::string& path, long long rows, unsigned seed, int compression) {
  struct Filled {
    int count = 0;
    std::unique_ptr<Branches<float>> floats;
    std::unique_ptr<Branches<int>> ints;
    std::unique_ptr<Branches<short>> shorts;
    std::unique_ptr<Branches<bool>> bools;
  };
  TFile file(path.c_str(), "RECREATE", "", compression);
  auto* tree = new TTree("Events", "");
  unsigned run = 1, block = 0;
  unsigned long long event = 0;
  tree->Branch("run", &run);
  tree->Branch("luminosityBlock", &block);
  tree->Branch("event", &event);
  std::vector<Filled> filled(collections().size());
  for (size_t i = 0; i < filled.size(); ++i) {
    const Collection& of = collections()[i];
    const std::string count = std::string("n") + of.name, length = "[" + count + "]";
    tree->Branch(count.c_str(), &filled[i].count);
    filled[i].floats = std::make_unique<Branches<float>>(*tree, of.name, "f", of.floats, length);
    filled[i].ints = std::make_unique<Branches<int>>(*tree, of.name, "i", of.ints, length);
    filled[i].shorts = std::make_unique<Branches<short>>(*tree, of.name, "s", of.shorts, length);
    filled[i].bools = std::make_unique<Branches<bool>>(*tree, of.name, "b", of.bools, length);
  }
  Branches<float> scalars(*tree, "MET", "f", kScalars, "");
  Branches<bool> triggers(*tree, "HLT", "path", kTriggers, "");
  Branches<bool> filters(*tree, "Flag", "filter", kFilters, "");
  TRandom3 random(seed);
  for (long long i = 0; i < rows; ++i) {
    event = seed * 1'000'000ull + i;
    block = static_cast<unsigned>(i / 1000);
    for (size_t k = 0; k < filled.size(); ++k) {
      Filled& of = filled[k];
      of.count = std::min<int>(random.Poisson(collections()[k].mean_items), kMostItems);
      of.floats->fill(of.count, [&] { return rounded(random.Exp(40)); });
      of.ints->fill(of.count, [&] { return random.Integer(30); });
      of.shorts->fill(of.count, [&] { return random.Integer(8); });
      of.bools->fill(of.count, [&] { return random.Rndm() < 0.3; });
    }
    scalars.fill(1, [&] { return rounded(random.Gaus(0, 30)); });
    triggers.fill(1, [&] { return random.Rndm() < 0.02; });
    filters.fill(1, [&] { return random.Rndm() < 0.98; });
    tree->Fill();
  }
  file.Write();
}

}  // namespace writers
