// melgrad predict RUN FILE...
#include <algorithm>
#include <cstdio>
#include <memory>
#include <new>
#include <numeric>

#include "apps/command.h"
#include "apps/features.h"
#include "framework/dataset/folder_walk.h"
#include "framework/terminal/interrupt.h"
#include "framework/terminal/text.h"
#include "kernels/convolution/exact.h"
#include "kernels/device/error.h"
#include "models/trained_model.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;

struct PredictCommand {
  OutputOptions output;
  DeviceOptions device;
  InferenceOptions inference;
  bool exact_convolution = false;
  std::string run;
  std::vector<std::string> files;
  int top = 3;
};

// Replaces folders by the audio files in them, at any depth, sorted by name, and tells what else is in them. A folder
// without audio files stays in the list, so that predict_file reports it.
std::vector<fs::path> expand(const std::vector<std::string>& arguments) {
  std::vector<fs::path> files;
  for (const std::string& argument : arguments) {
    std::error_code ignored;  // predict_file reports a path without access rights
    if (!fs::is_directory(argument, ignored)) {
      files.emplace_back(argument);
      continue;
    }
    FolderListing listing = list_audio(argument);
    if (const std::string account = listing.account(argument); !account.empty()) complain(account);
    if (listing.audio.empty()) listing.audio.emplace_back(argument);
    std::ranges::move(listing.audio, std::back_inserter(files));
  }
  return files;
}

struct Ranked {
  std::string label;
  float probability;
};

std::vector<Ranked> predict_file(const TrainedModel& classifier, const fs::path& file, const PredictCommand& c) {
  if (std::error_code ignored; fs::is_directory(file, ignored))
    fail("{} contains no audio files that can be read; give audio files, or a folder with audio files", file.string());
  const LogMel features = log_mel(file, classifier.card.mel, classifier.device);
  if (!features.warning.empty()) complain(features.warning);
  const TrackPrediction prediction = classifier.predict(features, c.inference);
  std::vector<Ranked> ranked;
  for (size_t i = 0; i < classifier.card.labels.size(); ++i) {
    ranked.push_back({classifier.card.labels[i], prediction.probabilities[i]});
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const Ranked& a, const Ranked& b) { return a.probability > b.probability; });
  ranked.resize(std::min(ranked.size(), static_cast<size_t>(c.top)));
  return ranked;
}

// If memory runs out, only this file fails, because the next one may be shorter.
std::vector<Ranked> predict_within_memory(const TrainedModel& classifier, const fs::path& file,
                                          const PredictCommand& c) {
  std::string what = "out of memory";
  try {
    return predict_file(classifier, file, c);
  } catch (const OutOfMemory& error) {
    what = error.what();
  } catch (const std::bad_alloc&) {
  }
  fail("{}: {}; use a smaller --batch-size or cut the file into shorter ones", file.string(), what);
}

nlohmann::ordered_json to_json(const std::vector<Ranked>& ranked) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Ranked& r : ranked) list.push_back({{"label", r.label}, {"probability", r.probability}});
  return list;
}

// The whole command without its results. A file that cannot be classified ends it.
void classify(const PredictCommand& c, Device device) {
  const TrainedModel classifier = load_trained_model(c.run, device);
  for (const fs::path& file : expand(c.files)) {
    if (interrupted()) throw Interrupted("interrupted; nothing was measured");
    predict_within_memory(classifier, file, c);
  }
}

PreparedWork prepare(const PredictCommand& c) {
  kernel::set_exact_convolution(c.exact_convolution);
  const Device device = c.device.choose(c.output);
  return {.run =
              [c, device](int64_t count) {
                for (; count > 0; --count) classify(c, device);
              },
          .device = device};
}

int predict(const PredictCommand& c) {
  install_interrupt_handler();
  kernel::set_exact_convolution(c.exact_convolution);
  const TrainedModel classifier = load_trained_model(c.run, c.device.choose(c.output));
  const std::vector<fs::path> files = expand(c.files);
  nlohmann::ordered_json results = nlohmann::ordered_json::array();
  size_t failed = 0;
  for (const fs::path& file : files) {
    if (interrupted()) break;
    std::vector<Ranked> ranked;
    try {
      ranked = predict_within_memory(classifier, file, c);
    } catch (const Error& error) {
      ++failed;
      complain(error.what());
      if (c.output.json) results.push_back({{"file", file.string()}, {"error", error.what()}});
      continue;
    }
    if (c.output.json) {
      results.push_back({{"file", file.string()}, {"label", ranked[0].label}, {"predictions", to_json(ranked)}});
    } else {
      std::string line = one_line(file.string()) + ":";
      for (const Ranked& r : ranked) line += fmt::format("  {} {:.3f}", r.label, r.probability);
      fmt::print("{}\n", line);
      flush_output();
    }
  }
  if (c.output.json) print_json(results);
  if (interrupted()) throw Interrupted("interrupted; the remaining files were not classified");
  if (failed == 0) return exit_success;
  return failed == files.size() ? exit_failure : exit_partial;
}

}  // namespace

Command add_predict(CLI::App& program) {
  auto command = std::make_shared<PredictCommand>();
  CLI::App& app = *program.add_subcommand("predict", "Classify audio files");
  app.option_defaults()->always_capture_default();
  app.footer("Examples:\n  melgrad predict runs/first song.mp3 album/ --top 3");
  app.add_option("run", command->run, description_of_run)->required();
  app.add_option("files", command->files, "Audio files, or folders to search for audio files. -: standard input")
      ->required();
  app.add_option("--top", command->top, "Number of genres to print per file, the most probable first")
      ->check(CLI::Range(1, 1000));
  add_inference_options(app, command->inference);
  app.option_defaults()->group("Run");
  add_device_options(app, command->device);
  add_exact_convolution_option(app, command->exact_convolution);
  add_output_options(app, command->output);
  return {.app = &app,
          .run = [command] { return predict(*command); },
          .profiled = ProfiledWork{
              .unit = "run", .prepare = [command] { return prepare(*command); }, .output = &command->output}};
}

}  // namespace melgrad
