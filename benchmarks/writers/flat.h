// 28 float columns (normal and exponential by turns), a label and a weight; written entry by entry. For
// ROOT's interpreter.
#include <TFile.h>
#include <TTree.h>

#include <ROOT/RNTupleModel.hxx>
#include <ROOT/RNTupleWriter.hxx>
#include <random>

namespace writers {
struct Row {
  float features[28];
  int label;
  float weight;
};

class Generator {
 public:
  explicit Generator(unsigned seed) : engine_(seed) {}
  void fill(Row& row) {
    for (int i = 0; i < 28; ++i) row.features[i] = i % 2 ? normal_(engine_) : 50 * exponential_(engine_);
    row.label = engine_() & 1;
    row.weight = uniform_(engine_);
  }

 private:
  std::mt19937_64 engine_;
  std::normal_distribution<float> normal_;
  std::exponential_distribution<float> exponential_;
  std::uniform_real_distribution<float> uniform_;
};

std::string feature_name(int i) { return (i < 10 ? "f0" : "f") + std::to_string(i); }

void write_ttree(const std::string& path, long long rows, unsigned seed, int compression,
                 long long auto_flush) {
  TFile file(path.c_str(), "RECREATE", "", compression);
  auto* tree = new TTree("Events", "");
  tree->SetAutoFlush(auto_flush);
  Row row;
  for (int i = 0; i < 28; ++i) tree->Branch(feature_name(i).c_str(), &row.features[i]);
  tree->Branch("label", &row.label);
  tree->Branch("weight", &row.weight);
  Generator generator(seed);
  for (long long i = 0; i < rows; ++i) {
    generator.fill(row);
    tree->Fill();
  }
  file.Write();
}

void write_rntuple(const std::string& path, long long rows, unsigned seed, int compression,
                   size_t cluster_bytes) {
  auto model = ROOT::RNTupleModel::Create();
  std::vector<std::shared_ptr<float>> features;
  for (int i = 0; i < 28; ++i) features.push_back(model->MakeField<float>(feature_name(i)));
  auto label = model->MakeField<int>("label");
  auto weight = model->MakeField<float>("weight");
  ROOT::RNTupleWriteOptions options;
  options.SetCompression(compression);
  if (cluster_bytes) {
    options.SetMaxUnzippedClusterSize(cluster_bytes);
    options.SetApproxZippedClusterSize(cluster_bytes);
  }
  auto writer = ROOT::RNTupleWriter::Recreate(std::move(model), "Events", path, options);
  Generator generator(seed);
  Row row;
  for (long long i = 0; i < rows; ++i) {
    generator.fill(row);
    for (int k = 0; k < 28; ++k) *features[k] = row.features[k];
    *label = row.label;
    *weight = row.weight;
    writer->Fill();
  }
}
}  // namespace writers
