// Files of which there are many: wide tables of floats, and jets with lists of particles. Each file has
// contents of its own, from its seed. For ROOT's interpreter.
#include <TFile.h>
#include <TTree.h>

#include <ROOT/RNTupleModel.hxx>
#include <ROOT/RNTupleWriter.hxx>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace scale {

// Draws quickly from a normal and an exponential distribution: a value of a table, times a little more or
// less than one. Mantissas keep 14 bits, so that floats compress as measured ones do.
class Values {
 public:
  explicit Values(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15 + 1) {
    std::mt19937_64 engine(1);
    std::normal_distribution<float> normal;
    std::exponential_distribution<float> exponential;
    for (float& value : normal_) value = normal(engine);
    for (float& value : exponential_) value = exponential(engine);
  }
  uint64_t bits() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }
  float normal() { return drawn(normal_); }
  float exponential() { return drawn(exponential_); }

 private:
  static constexpr size_t kTable = 4096;
  float drawn(const std::array<float, kTable>& table) {
    const uint64_t random = bits();
    const float value = table[random % kTable] * (1 + static_cast<float>(random >> 52) * 0x1p-14f);
    uint32_t word;
    std::memcpy(&word, &value, sizeof word);
    word &= ~uint32_t{0x1FF};
    float rounded;
    std::memcpy(&rounded, &word, sizeof word);
    return rounded;
  }

  uint64_t state_;
  std::array<float, kTable> normal_, exponential_;
};

inline std::string wide_name(int i) {
  const std::string digits = std::to_string(i);
  return "x" + std::string(3 - digits.size(), '0') + digits;
}

// `Events` of `columns` columns: floats, and a label as the last.
void write_wide_ttree(const std::string& path, long long rows, unsigned seed, int columns, int compression) {
  TFile file(path.c_str(), "RECREATE", "", compression);
  auto* tree = new TTree("Events", "");
  std::vector<float> values(columns - 1);
  int label = 0;
  for (int i = 0; i + 1 < columns; ++i) tree->Branch(wide_name(i).c_str(), &values[i]);
  tree->Branch("label", &label);
  Values random(seed);
  for (long long i = 0; i < rows; ++i) {
    for (float& value : values) value = random.normal();
    label = random.bits() & 1;
    tree->Fill();
  }
  file.Write();
}

void write_wide_rntuple(const std::string& path, long long rows, unsigned seed, int columns,
                        int compression) {
  auto model = ROOT::RNTupleModel::Create();
  std::vector<std::shared_ptr<float>> values;
  for (int i = 0; i + 1 < columns; ++i) values.push_back(model->MakeField<float>(wide_name(i)));
  auto label = model->MakeField<int>("label");
  ROOT::RNTupleWriteOptions options;
  options.SetCompression(compression);
  // Without a TFile ROOT would leave the file's UUID empty.
  TFile file(path.c_str(), "RECREATE", "", compression);
  auto writer = ROOT::RNTupleWriter::Append(std::move(model), "Events", file, options);
  Values random(seed);
  for (long long i = 0; i < rows; ++i) {
    for (auto& value : values) *value = random.normal();
    *label = random.bits() & 1;
    writer->Fill();
  }
}

constexpr int kMostParticles = 150;

// `tree` of jets as JetClass has them: eleven vectors of the particles, four numbers of the jet, and whether
// it is a QCD jet.
void write_jets(const std::string& path, long long rows, unsigned seed, int compression) {
  const std::vector<std::string> energies{"part_px", "part_py", "part_pz", "part_energy"};
  const std::vector<std::string> others{"part_deta",  "part_dphi",  "part_charge", "part_d0val",
                                        "part_d0err", "part_dzval", "part_dzerr"};
  const std::vector<std::string> of_jet{"jet_pt", "jet_sdmass", "jet_tau1", "jet_tau2"};
  TFile file(path.c_str(), "RECREATE", "", compression);
  auto* tree = new TTree("tree", "");
  std::vector<std::vector<float>> particles(energies.size() + others.size());
  std::vector<float> jet(of_jet.size());
  bool is_qcd = false;
  for (size_t i = 0; i < particles.size(); ++i) {
    particles[i].reserve(kMostParticles);
    const std::string& name = i < energies.size() ? energies[i] : others[i - energies.size()];
    tree->Branch(name.c_str(), &particles[i]);
  }
  for (size_t i = 0; i < jet.size(); ++i) tree->Branch(of_jet[i].c_str(), &jet[i]);
  tree->Branch("label_QCD", &is_qcd);
  Values random(seed);
  for (long long i = 0; i < rows; ++i) {
    const int count = std::clamp(45 + static_cast<int>(20 * random.normal()), 1, kMostParticles);
    for (size_t k = 0; k < particles.size(); ++k) {
      particles[k].resize(count);
      if (k < energies.size()) {
        for (float& value : particles[k]) value = 20 * random.exponential();
      } else {
        for (float& value : particles[k]) value = random.normal();
      }
    }
    for (float& value : jet) value = 100 * random.exponential();
    is_qcd = random.bits() & 1;
    tree->Fill();
  }
  file.Write();
}

}  // namespace scale
