#include "bench/benchmarks.h"
#include "bench/random_values.h"
#include "bench/timing.h"
#include "models/models.h"

namespace melgrad::bench {

nlohmann::ordered_json inference(const Settings& s) {
  Stream& stream = Stream::of(s.device);
  const std::unique_ptr<Module> model = make_model(s.model, s.classes);
  model->move_to(s.device);
  model->train(false);
  const Tensor x = random_values({s.batch_size, s.n_mels, s.frames, 1}, s.precision, s.device);
  const NoGrad no_gradients;
  stream.reset_peak();
  const Timing timing = measure(
      stream, [&] { (*model)(x); }, 11, 0.2);
  const double peak = static_cast<double>(stream.memory().peak);
  fmt::print("{} inference, batch {} of {} x {}, {}: {:.3f} ms, {:.0f} examples/s, {:.0f} MiB\n", s.model, s.batch_size,
             s.n_mels, s.frames, name_of(s.precision), timing.median_seconds * 1e3,
             static_cast<double>(s.batch_size) / timing.median_seconds, peak / (1 << 20));
  return {{"model", s.model},
          {"batch_size", s.batch_size},
          {"n_mels", s.n_mels},
          {"frames", s.frames},
          {"precision", name_of(s.precision)},
          {"seconds", timing.median_seconds},
          {"least_seconds", timing.least_seconds},
          {"peak_bytes", peak}};
}

}  // namespace melgrad::bench
