// melgrad_bench: times every op, a training step, inference, the log-mel spectrogram and the way from files to features
// on one device.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <map>

#include "bench/benchmarks.h"
#include "bench/run_guarded.h"
#include "framework/io/atomic_file.h"
#include "kernels/device/tf32.h"
#include "models/models.h"

namespace melgrad::bench {
namespace {

using Benchmark = nlohmann::ordered_json (*)(const Settings&);

int run(int argc, char** argv) {
  const std::map<std::string, Benchmark> benchmarks{
      {"operations", operations}, {"training_step", training_step}, {"inference", inference}, {"mel", mel}};
  const std::map<std::string, Benchmark> with_music{{"log_mel", log_mel_clips}, {"features", features}};
  std::vector<std::string> names, all;
  for (const auto& [name, benchmark] : benchmarks) names.push_back(name);
  all = names;
  for (const auto& [name, benchmark] : with_music) all.push_back(name);

  Settings settings;
  std::string device = "cpu", precision = "fp32", json;
  std::vector<std::string> wanted = names;
  CLI::App app("Measures the speed of melgrad on one device");
  app.option_defaults()->always_capture_default();
  app.add_option("benchmarks", wanted, "Benchmarks to run; log_mel and features need --data")
      ->check(CLI::IsMember(all));
  app.add_option("--device", device, "Compute device")->check(CLI::IsMember({"cpu", "cuda"}));
  app.add_option("--precision", precision, "Data type of activations and gradients")
      ->check(CLI::IsMember({"fp32", "tf32", "bf16", "fp16"}));
  app.add_option("--model", settings.model, "Model of the training step")->check(CLI::IsMember(model_names()));
  app.add_option("--batch-size", settings.batch_size, "Examples per batch")->check(CLI::PositiveNumber);
  app.add_option("--frames", settings.frames, "Frames per example")->check(CLI::PositiveNumber);
  app.add_option("--data", settings.data, "Data set of log_mel and features: a folder of genre folders, or a manifest");
  app.add_option("--clips", settings.clips, "Tracks of the data set to use")->check(CLI::PositiveNumber);
  app.add_flag("--htk", settings.htk, "Use the mel scale of HTK in log_mel and features");
  app.add_option("--npy", settings.npy, "Write the first track's features in dB to this NumPy file");
  app.add_option("--json", json, "Write the results to this JSON file");
  CLI11_PARSE(app, argc, argv);

  settings.device = device == "cuda" ? Device::cuda : Device::cpu;
  if (precision == "bf16") settings.precision = DType::bfloat16;
  if (precision == "fp16") settings.precision = DType::float16;
  kernel::set_tf32(precision == "tf32");
  nlohmann::ordered_json result{{"device", Stream::of(settings.device).description()},
                                {"precision", precision},
                                {"batch_size", settings.batch_size},
                                {"frames", settings.frames}};
  for (const std::string& name : wanted) {
    result[name] = (with_music.contains(name) ? with_music : benchmarks).at(name)(settings);
  }
  if (!json.empty()) write_file_atomically(json, result.dump(1) + "\n");
  return 0;
}

}  // namespace
}  // namespace melgrad::bench

int main(int argc, char** argv) {
  return melgrad::bench::run_guarded("melgrad_bench", melgrad::bench::run, argc, argv);
}
