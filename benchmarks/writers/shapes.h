// Shapes that are neither flat nor counted arrays, a tree of each. A dictionary is made of it.
#include <TFile.h>
#include <TRandom3.h>
#include <TTree.h>

#include <string>
#include <vector>

struct ShapeHit {
  float x = 0, y = 0, z = 0, energy = 0;
  int cell = 0;
  unsigned short layer = 0;
};

struct ShapeTrack {
  double px = 0, py = 0, pz = 0;
  int charge = 0;
  std::vector<ShapeHit> hits;
};

namespace shapes {

inline ShapeHit hit(TRandom3& random) {
  ShapeHit hit;
  hit.x = random.Gaus();
  hit.y = random.Gaus();
  hit.z = random.Uniform(-100, 100);
  hit.energy = random.Exp(5);
  hit.cell = random.Integer(10000);
  hit.layer = random.Integer(50);
  return hit;
}

// `Events` in <path>: "split": vector<ShapeHit> hits, split; "whole": vector<ShapeTrack> tracks, not split;
// "nested": vector<vector<float>> values; "strings": string name and vector<string> words.
inline void write(const std::string& path, const std::string& shape, long long rows, unsigned seed,
                  int compression) {
  TFile file(path.c_str(), "RECREATE", "", compression);
  auto* tree = new TTree("Events", "");
  std::vector<ShapeHit> hits;
  std::vector<ShapeTrack> tracks;
  std::vector<std::vector<float>> values;
  std::string name;
  std::vector<std::string> words;
  if (shape == "split") tree->Branch("hits", &hits, 32000, 99);
  if (shape == "whole") tree->Branch("tracks", &tracks, 32000, 0);
  if (shape == "nested") tree->Branch("values", &values);
  if (shape == "strings") tree->Branch("name", &name), tree->Branch("words", &words);
  TRandom3 random(seed);
  const char* const kWords[] = {"electron", "muon", "tau", "jet", "photon", "missing energy", "vertex", "b"};
  for (long long i = 0; i < rows; ++i) {
    hits.resize(shape == "split" ? random.Poisson(20) : 0);
    for (ShapeHit& each : hits) each = hit(random);
    tracks.resize(shape == "whole" ? random.Poisson(4) : 0);
    for (ShapeTrack& track : tracks) {
      track.px = random.Gaus();
      track.py = random.Gaus();
      track.pz = random.Gaus();
      track.charge = random.Integer(2) ? 1 : -1;
      track.hits.resize(random.Poisson(6));
      for (ShapeHit& each : track.hits) each = hit(random);
    }
    values.resize(shape == "nested" ? random.Poisson(8) : 0);
    for (auto& list : values) {
      list.resize(random.Poisson(6));
      for (float& value : list) value = random.Gaus();
    }
    if (shape == "strings") {
      name = std::string("sample_") + kWords[random.Integer(8)] + '_' + std::to_string(random.Integer(1000));
      words.resize(random.Poisson(6));
      for (auto& word : words) word = kWords[random.Integer(8)];
    }
    tree->Fill();
  }
  file.Write();
}

}  // namespace shapes

#ifdef __CLING__
#pragma link C++ class ShapeHit + ;
#pragma link C++ class ShapeTrack + ;
#pragma link C++ class std::vector < ShapeHit> + ;
#pragma link C++ class std::vector < ShapeTrack> + ;
#pragma link C++ class std::vector < std::vector < float>> + ;
#endif
