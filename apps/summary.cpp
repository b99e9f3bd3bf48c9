// melgrad summary MODEL
#include <cstdio>
#include <memory>

#include "apps/arguments.h"
#include "apps/command.h"
#include "apps/features.h"
#include "framework/io/atomic_file.h"
#include "framework/ops.h"
#include "framework/optimizer.h"
#include "framework/random.h"
#include "models/architecture.h"
#include "models/models.h"

namespace melgrad {
namespace {

struct SummaryCommand {
  OutputOptions output;
  std::string model, svg;
  int64_t classes = 10, n_mels = 128, crop_frames = 256, batch_size = 32;
};

struct Layer {
  std::string name, description;
  Shape output;
  int64_t parameters, multiply_adds;
};

int64_t count(const std::vector<Named>& tensors) {
  int64_t total = 0;
  for (const Named& named : tensors) total += named.tensor.numel();
  return total;
}

// Collects the modules without children, in the order in which they run.
class LayerList : public ForwardObserver {
 public:
  void called(const Module& module, const Tensor& y, int64_t multiply_adds) override {
    if (!module.children().empty()) return;
    layers.push_back({module.name(), module.description(), y.shape(), count(module.parameters()), multiply_adds});
  }
  std::vector<Layer> layers;
};

std::vector<Layer> list_layers(Module& model, const SummaryCommand& c) {
  const NoGrad no_grad;
  LayerList list;
  model.train(false);
  model(Tensor::zeros({1, c.n_mels, c.crop_frames, 1}));
  return list.layers;
}

// Peak memory of a training step in bytes: weights, gradients, moments of the optimizer, activations.
size_t step_peak_bytes(const SummaryCommand& c, int64_t batch_size) {
  Stream& stream = Stream::of(Device::cpu);
  const size_t before = stream.memory().used;
  stream.reset_peak();
  const std::unique_ptr<Module> model = make_model(c.model, c.classes);
  Adam optimizer(decay_groups(model->parameters(), 0), {});
  const Tensor targets = Tensor::full({batch_size, c.classes}, 1.0f / static_cast<float>(c.classes));
  cross_entropy((*model)(Tensor::zeros({batch_size, c.n_mels, c.crop_frames, 1})), targets).backward();
  optimizer.step(0);
  return stream.memory().peak - before;
}

// Extrapolates from two small batches, because only the activations grow with the batch. The memory that the first step
// leaves in use is the workspace.
double step_bytes(const SummaryCommand& c) {
  const size_t before = Stream::of(Device::cpu).memory().used;
  step_peak_bytes(c, 4);
  const auto workspace = static_cast<double>(Stream::of(Device::cpu).memory().used - before);
  const auto two = static_cast<double>(step_peak_bytes(c, 2)), four = static_cast<double>(step_peak_bytes(c, 4));
  return workspace + two + (four - two) / 2 * static_cast<double>(c.batch_size - 2);
}

int summary(const SummaryCommand& c) {
  require_crop_options(c.crop_frames, c.n_mels);
  const std::unique_ptr<Module> model = make_model(c.model, c.classes);
  const std::vector<Layer> layers = list_layers(*model, c);
  const std::vector<Named> parameters = model->parameters();
  int64_t trainable = 0, multiply_adds = 0;
  for (const Named& named : parameters) trainable += named.tensor.requires_grad() ? named.tensor.numel() : 0;
  for (const Layer& layer : layers) multiply_adds += layer.multiply_adds;
  const double bytes = step_bytes(c);
  if (!c.svg.empty()) {
    write_file_atomically(c.svg, architecture_svg(architecture_of(*model, c.n_mels, c.crop_frames), c.model,
                                                  {1, c.n_mels, c.crop_frames, 1}, true));
  }

  if (c.output.json) {
    nlohmann::ordered_json rows = nlohmann::ordered_json::array();
    for (const Layer& layer : layers) {
      rows.push_back({{"name", layer.name},
                      {"layer", layer.description},
                      {"output_shape", std::vector<int64_t>(layer.output.begin(), layer.output.end())},
                      {"parameters", layer.parameters},
                      {"multiply_adds", layer.multiply_adds}});
    }
    print_json({{"model", c.model},
                {"input_shape", {1, c.n_mels, c.crop_frames, 1}},
                {"layers", rows},
                {"total_parameters", count(parameters)},
                {"trainable_parameters", trainable},
                {"multiply_adds", multiply_adds},
                {"batch_size", c.batch_size},
                {"training_step_bytes", static_cast<int64_t>(bytes)}});
    return exit_success;
  }
  fmt::print("{} for an input of {} mel bins x {} frames\n\n", c.model, c.n_mels, c.crop_frames);
  constexpr const char* row = "{:<24} {:<34} {:<18} {:>12} {:>14}\n";
  fmt::print(fmt::runtime(row), "name", "layer", "output (N,H,W,C)", "parameters", "multiply-adds");
  for (const Layer& layer : layers) {
    fmt::print(fmt::runtime(row), layer.name, layer.description, fmt::format("{}", layer.output), layer.parameters,
               layer.multiply_adds);
  }
  fmt::print(
      "\ntotal parameters      {:>14}\ntrainable parameters  {:>14}\nmultiply-adds         {:>14}  per crop, forward "
      "pass\n",
      count(parameters), trainable, multiply_adds);
  fmt::print("memory                {:>14.1f}  MiB, estimated, for a training step of batch size {} in float32\n",
             bytes / 1048576, c.batch_size);
  return exit_success;
}

}  // namespace

Command add_summary(CLI::App& program) {
  auto command = std::make_shared<SummaryCommand>();
  CLI::App& app = *program.add_subcommand("summary", "Print the layers, size and training memory of a model");
  app.option_defaults()->always_capture_default();
  std::string summaries;
  for (const ModelInfo& info : models()) summaries += fmt::format("\n  {:<14}{}", info.name, info.summary);
  app.footer("Models:" + summaries + "\n\nExamples:\n  melgrad summary resnet18 --batch-size 64 --svg resnet18.svg");
  app.add_option("model", command->model, "Network to print")->required()->check(one_of(model_names()));
  app.add_option("--classes", command->classes, "Number of genres")->check(CLI::Range(size_t{2}, most_labels));
  app.add_option("--n-mels", command->n_mels, "Number of mel bins")->check(CLI::Range(16, 4096));
  app.add_option("--crop-frames", command->crop_frames, "Length of a crop in frames")->check(CLI::Range(16, 1'000'000));
  app.add_option("--batch-size", command->batch_size, "Crops per training step, to estimate its memory")
      ->check(CLI::Range(1, 65536));
  app.add_option("--svg", command->svg, "Draw the architecture to this SVG file")->type_name("FILE");
  app.option_defaults()->group("Run");
  add_output_options(app, command->output);
  return {&app, [command] { return summary(*command); }};
}

}  // namespace melgrad
