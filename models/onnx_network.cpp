#include "models/onnx_network.h"

#include <string_view>

#include "framework/layers.h"
#include "framework/training/state_dict.h"
#include "models/onnx_statistics.h"
#include "models/statistics_classifier.h"

namespace melgrad {
namespace {

// The direct child with this last part of its name; nullptr if there is none.
const Module* find_child(const Module& module, std::string_view name) {
  for (const Module* child : module.children()) {
    if (child->name().ends_with(name)) return child;
  }
  return nullptr;
}

const Module& child_of(const Module& module, std::string_view name) {
  const Module* const child = find_child(module, name);
  MELGRAD_CHECK(child != nullptr, "{} has no part {}", module.name(), name);
  return *child;
}

// Appends modules. Each function takes the name of the input and returns that of the output.
class NetworkWriter {
 public:
  NetworkWriter(OnnxModel& graph, int64_t n_mels, int64_t frames) : graph_(graph), n_mels_(n_mels), frames_(frames) {}

  std::string root(const Module& model, const std::string& input) {
    std::string x = input;
    for (const Module* child : model.children()) {
      if (dynamic_cast<const StatisticsClassifier*>(child)) {
        x = mean_of(x, append_statistics_classifier(graph_, *child, input, n_mels_, frames_));
        continue;
      }
      x = module(*child, x);
      // The models compute these operations without a module.
      if (model.description() == "ResNet" && child->name() == "bn1") x = graph_.add("Relu", {x});
      if (dynamic_cast<const GlobalAvgPool2d*>(child)) x = graph_.add("Flatten", {x}, {{"axis", int64_t{1}}});
    }
    return x;
  }

 private:
  std::string mean_of(const std::string& a, const std::string& b) {
    return graph_.add("Mul", {graph_.add("Add", {a, b}), graph_.constant("statistics.half", {}, std::vector{0.5f})});
  }

  std::string module(const Module& m, std::string x) {
    if (const auto* conv = dynamic_cast<const Conv2d*>(&m)) return convolution(*conv, x);
    if (dynamic_cast<const BatchNorm2d*>(&m)) return batch_norm(m, x);
    if (const auto* pool = dynamic_cast<const MaxPool2d*>(&m)) return max_pool(*pool, x);
    if (dynamic_cast<const Linear*>(&m)) {
      return graph_.add("Gemm", {x, name_of(m, "weight"), name_of(m, "bias")}, {{"transB", int64_t{1}}}, m.name());
    }
    if (dynamic_cast<const ReLU*>(&m)) return graph_.add("Relu", {x}, {}, m.name());
    if (dynamic_cast<const GlobalAvgPool2d*>(&m)) return graph_.add("GlobalAveragePool", {x}, {}, m.name());
    if (dynamic_cast<const Dropout*>(&m)) return x;  // in evaluation mode
    if (m.description() == "BasicBlock") return basic_block(m, x);
    if (!dynamic_cast<const Sequential*>(&m)) fail("the layer {} ({}) has no form in ONNX", m.name(), m.description());
    for (const Module* child : m.children()) x = module(*child, x);
    return x;
  }

  std::string convolution(const Conv2d& conv, const std::string& x) {
    const auto [kernel_size, stride, padding, bias, init] = conv.options();
    std::vector<std::string> operands{x, name_of(conv, "weight")};
    if (bias) operands.push_back(name_of(conv, "bias"));
    return graph_.add("Conv", operands, window(kernel_size, stride, padding), conv.name());
  }

  std::string batch_norm(const Module& m, const std::string& x) {
    return graph_.add(
        "BatchNormalization",
        {x, name_of(m, "weight"), name_of(m, "bias"), name_of(m, "running_mean"), name_of(m, "running_var")},
        {{"epsilon", BatchNormOptions{}.epsilon}}, m.name());
  }

  std::string max_pool(const MaxPool2d& pool, const std::string& x) {
    const Pool2dOptions& options = pool.options();
    return graph_.add("MaxPool", {x}, window(options.kernel_size, options.stride, options.padding), pool.name());
  }

  std::string basic_block(const Module& m, const std::string& x) {
    const std::string hidden = graph_.add("Relu", {module(child_of(m, ".bn1"), module(child_of(m, ".conv1"), x))});
    const std::string y = module(child_of(m, ".bn2"), module(child_of(m, ".conv2"), hidden));
    const Module* const downsample = find_child(m, ".downsample");
    const std::string shortcut = downsample ? module(*downsample, x) : x;
    return graph_.add("Relu", {graph_.add("Add", {y, shortcut})}, {}, m.name());
  }

  static std::vector<OnnxAttribute> window(int64_t kernel_size, int64_t stride, int64_t padding) {
    return {{"kernel_shape", std::vector(2, kernel_size)},
            {"strides", std::vector(2, stride)},
            {"pads", std::vector(4, padding)}};
  }

  static std::string name_of(const Module& m, const char* tensor) { return m.name() + "." + tensor; }

  OnnxModel& graph_;
  int64_t n_mels_, frames_;
};

}  // namespace

std::string append_network(OnnxModel& graph, const Module& model, const std::string& x, int64_t n_mels,
                           int64_t frames) {
  for (const SafeTensor& tensor : state_dict(model)) {
    if (!tensor.name.ends_with("num_batches_tracked"))  // for training
      graph.constant(tensor.name, tensor.shape, float_values(tensor));
  }
  return NetworkWriter(graph, n_mels, frames).root(model, x);
}

}  // namespace melgrad
