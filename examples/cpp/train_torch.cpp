// Trains a Particle-Flow Network with LibTorch: train_torch BACKGROUND_FILES SIGNAL_FILES
#include <torch/torch.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "sapwood/loader/loader.h"

namespace {

torch::ScalarType torch_type(sapwood::DType dtype) {
  switch (dtype) {
    case sapwood::DType::kBool:
      return torch::kBool;
    case sapwood::DType::kInt32:
      return torch::kInt32;
    case sapwood::DType::kInt64:
      return torch::kInt64;
    case sapwood::DType::kFloat16:
      return torch::kFloat16;
    case sapwood::DType::kBFloat16:
      return torch::kBFloat16;
    case sapwood::DType::kFloat32:
      return torch::kFloat32;
    case sapwood::DType::kFloat64:
      return torch::kFloat64;
  }
  std::abort();
}

// The batch's memory as a tensor, without a copy: the tensor holds a share of the buffer until it goes.
torch::Tensor as_tensor(const sapwood::Buffer& buffer, const sapwood::TensorInfo& info, int64_t rows) {
  return torch::from_blob(
      buffer.data(), sapwood::tensor_shape(info, rows, buffer.size()), [buffer](void*) {},
      torch_type(info.dtype));
}

std::vector<torch::Tensor> as_tensors(const sapwood::Batch& batch, const sapwood::Loader& loader) {
  std::vector<torch::Tensor> tensors;
  for (size_t i = 0; i < batch.tensors.size(); ++i) {
    tensors.push_back(as_tensor(batch.tensors[i], loader.tensors()[i], batch.rows));
  }
  return tensors;
}

// Dense layers for each particle, the sum over the particles, dense layers for the jet.
struct ParticleFlowNetworkImpl : torch::nn::Module {
  ParticleFlowNetworkImpl(int64_t channels, int64_t width)
      : particle(register_module("particle",
                                 torch::nn::Sequential(torch::nn::Linear(channels, width), torch::nn::ReLU(),
                                                       torch::nn::Linear(width, width), torch::nn::ReLU()))),
        jet(register_module("jet", torch::nn::Sequential(torch::nn::Linear(width, width), torch::nn::ReLU(),
                                                         torch::nn::Linear(width, 2)))) {}

  // values [N, P, C] and mask [N, P], true at particles; gives logits [N, 2].
  torch::Tensor forward(const torch::Tensor& values, const torch::Tensor& mask) {
    const torch::Tensor of_particles = particle->forward(values) * mask.unsqueeze(-1);
    return jet->forward(of_particles.sum(1) / 32);
  }

  torch::nn::Sequential particle;
  torch::nn::Sequential jet;
};
TORCH_MODULE(ParticleFlowNetwork);

double train_epoch(ParticleFlowNetwork& model, torch::optim::Optimizer& optimizer,
                   const sapwood::Loader& loader, uint64_t epoch) {
  double loss_sum = 0;
  const auto batches = loader.epoch(epoch);
  for (const sapwood::Batch& batch : *batches) {
    const auto tensors = as_tensors(batch, loader);
    const torch::Tensor loss =
        torch::nn::functional::cross_entropy(model->forward(tensors[0], tensors[1]), tensors[2]);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    loss_sum += loss.item<double>() * static_cast<double>(batch.rows);
  }
  return loss_sum / static_cast<double>(loader.num_rows());
}

double accuracy(ParticleFlowNetwork& model, const sapwood::Loader& loader) {
  const torch::NoGradGuard no_gradients;
  int64_t correct = 0;
  const auto batches = loader.epoch(0);
  for (const sapwood::Batch& batch : *batches) {
    const auto tensors = as_tensors(batch, loader);
    correct += (model->forward(tensors[0], tensors[1]).argmax(1) == tensors[2]).sum().item<int64_t>();
  }
  return static_cast<double>(correct) / static_cast<double>(loader.num_rows());
}

void train(const std::string& background, const std::string& signal) {
  const auto jets =
      sapwood::open({{.label = "QCD", .paths = {background}}, {.label = "top", .paths = {signal}}});

  sapwood::LoaderOptions options{.batch_size = 128, .seed = 7};
  options.features.groups = {
      {.name = "part",
       .variables = {"part_deta", "part_dphi", "log(part_energy)", "part_energy / jet_pt", "part_charge"},
       .pad = 64,
       .layout = sapwood::Layout::kChannelsLast},
      {.name = "target",
       .variables = {"sample_label"},
       .dtype = sapwood::DType::kInt64,
       .squeeze = true,
       .role = sapwood::Role::kLabel},
  };
  // Their tensors: part [N, 64, 5], part_mask [N, 64], target [N].
  const std::vector<sapwood::Loader> parts = sapwood::Loader(jets, options).split({0.8, 0.2});
  std::printf("%s\n", parts[0].explain().to_string().c_str());

  torch::manual_seed(1);
  ParticleFlowNetwork model(parts[0].tensors()[0].shape.back(), 64);
  torch::optim::Adam optimizer(model->parameters(), torch::optim::AdamOptions(2e-3));
  for (uint64_t epoch = 0; epoch < 5; ++epoch) {
    const double loss = train_epoch(model, optimizer, parts[0], epoch);
    std::printf("epoch %llu: loss %.4f, validation accuracy %.3f\n", static_cast<unsigned long long>(epoch),
                loss, accuracy(model, parts[1]));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: train_torch BACKGROUND_FILES SIGNAL_FILES\n");
    return 2;
  }
  try {
    train(argv[1], argv[2]);
  } catch (const sapwood::Error& error) {
    std::fprintf(stderr, "%s: %s\n", error.kind(), error.what());
    return 1;
  }
  return 0;
}
