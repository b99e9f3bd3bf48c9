#include "bench/benchmarks.h"
#include "bench/random_values.h"
#include "bench/timing.h"
#include "framework/ops.h"
#include "framework/optimizer.h"
#include "framework/training/step_graphs.h"
#include "framework/training/step_inputs.h"
#include "models/models.h"

namespace melgrad::bench {
namespace {

// A model with its optimizer, and the work of one step, as in Trainer.
class Training {
 public:
  explicit Training(const Settings& s)
      : settings_(s),
        stream_(Stream::of(s.device)),
        model_(model_on(s)),
        optimizer_(decay_groups(model_->parameters(), 0.01f),
                   {.compute_dtype = s.precision, .loss_scaling = s.precision == DType::float16}),
        inputs_(s.device, 0),
        x_(random_values({s.batch_size, s.n_mels, s.frames, 1}, s.precision, s.device)),
        targets_(Tensor::full({s.batch_size, s.classes}, 1 / static_cast<float>(s.classes), s.device)) {}

  // With CUDA graphs if `graphs` and the device has them.
  Timing time_steps(bool graphs) {
    StepGraphs recorded(stream_, graphs);
    return measure(
        stream_,
        [&] {
          inputs_.upload({}, ++step_, optimizer_.count_step(1e-3f));
          recorded.run(settings_.batch_size, [this] { submit(); });
        },
        11, 0.2);
  }

 private:
  static std::unique_ptr<Module> model_on(const Settings& s) {
    std::unique_ptr<Module> model = make_model(s.model, s.classes, 0.3f);
    model->move_to(s.device);
    return model;
  }

  void submit() {
    optimizer_.zero_grad();
    inputs_.lead(default_generator(settings_.device), inputs_.part(0));
    const Tensor loss = cross_entropy((*model_)(x_), targets_, 0.1f);
    const Tensor& scale = optimizer_.loss_scale();
    scale.defined() ? loss.backward(scale) : loss.backward();
    optimizer_.update(inputs_.adam());
  }

  Settings settings_;
  Stream& stream_;
  std::unique_ptr<Module> model_;
  Adam optimizer_;
  StepInputs inputs_;
  Tensor x_, targets_;
  uint64_t step_ = 0;
};

}  // namespace

nlohmann::ordered_json training_step(const Settings& s) {
  Stream& stream = Stream::of(s.device);
  Training training(s);
  stream.reset_peak();
  const Timing submitted = training.time_steps(false);
  const double peak = static_cast<double>(stream.memory().peak);
  nlohmann::ordered_json result{{"model", s.model},
                                {"batch_size", s.batch_size},
                                {"n_mels", s.n_mels},
                                {"frames", s.frames},
                                {"precision", name_of(s.precision)},
                                {"seconds", submitted.median_seconds},
                                {"least_seconds", submitted.least_seconds},
                                {"peak_bytes", peak}};
  fmt::print("{} step, batch {} of {} x {}, {}: {:.3f} ms, {:.0f} examples/s, {:.0f} MiB\n", s.model, s.batch_size,
             s.n_mels, s.frames, name_of(s.precision), submitted.median_seconds * 1e3,
             static_cast<double>(s.batch_size) / submitted.median_seconds, peak / (1 << 20));
  if (stream.graph_recorder()) {
    const Timing recorded = training.time_steps(true);
    result["graph_seconds"] = recorded.median_seconds;
    fmt::print("the same as a CUDA graph: {:.3f} ms, {:.0f} examples/s\n", recorded.median_seconds * 1e3,
               static_cast<double>(s.batch_size) / recorded.median_seconds);
  }
  return result;
}

}  // namespace melgrad::bench
