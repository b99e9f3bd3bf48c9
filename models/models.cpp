#include "models/models.h"

#include "models/cnn.h"
#include "models/resnet.h"

namespace melgrad {
namespace {

using Maker = std::unique_ptr<Network> (*)(int64_t classes, float dropout);

template <bool batch_norm>
std::unique_ptr<Network> cnn(int64_t classes, float dropout) {
  return std::make_unique<Cnn>(CnnOptions{.batch_norm = batch_norm, .classes = classes, .dropout = dropout});
}

template <int64_t width, int64_t... blocks>
std::unique_ptr<Network> resnet(int64_t classes, float dropout) {
  return std::make_unique<ResNet>(
      ResNetOptions{.blocks = {blocks...}, .width = width, .classes = classes, .dropout = dropout});
}

struct Entry {
  ModelInfo info;
  Maker make;
};

const std::vector<Entry>& entries() {
  static const std::vector<Entry> all{
      {{"cnn", "3x3 convolutions with ReLU and max-pooling, 16 to 128 channels"}, cnn<false>},
      {{"cnn_bn", "cnn with batch norm after each convolution"}, cnn<true>},
      {{"resnet_small", "ResNet-18 at a quarter of its width, for small data sets"}, resnet<16, 2, 2, 2, 2>},
      {{"resnet18", "ResNet-18 with a one-channel stem"}, resnet<64, 2, 2, 2, 2>},
      {{"resnet34", "ResNet-34 with a one-channel stem"}, resnet<64, 3, 4, 6, 3>},
  };
  return all;
}

}  // namespace

const std::vector<ModelInfo>& models() {
  static const auto infos = [] {
    std::vector<ModelInfo> result;
    for (const Entry& entry : entries()) result.push_back(entry.info);
    return result;
  }();
  return infos;
}

std::vector<std::string> model_names() {
  std::vector<std::string> names;
  for (const ModelInfo& info : models()) names.push_back(info.name);
  return names;
}

std::unique_ptr<Module> make_model(const std::string& name, int64_t classes, float dropout, bool statistics) {
  for (const auto& [info, make] : entries()) {
    if (info.name != name) continue;
    std::unique_ptr<Network> network = make(classes, dropout);
    if (statistics) network->add_statistics(classes);
    return network;
  }
  fail("there is no model '{}'; the models are {}", name, fmt::join(model_names(), ", "));
}

}  // namespace melgrad
