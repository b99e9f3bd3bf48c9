// melgrad explain RUN FILE
#include <algorithm>
#include <cstdio>
#include <memory>

#include "apps/arguments.h"
#include "apps/command.h"
#include "apps/features.h"
#include "apps/overwriting.h"
#include "framework/audio/spectrogram_picture.h"
#include "framework/terminal/text.h"
#include "models/grad_cam.h"

namespace melgrad {
namespace {

struct ExplainCommand {
  OutputOptions output;
  DeviceOptions device;
  InferenceOptions inference;
  std::string run, file, png, label;
};

size_t class_to_explain(const ExplainCommand& c, const TrainedModel& trained, const TrackPrediction& prediction) {
  if (c.label.empty()) return static_cast<size_t>(prediction.label());
  const auto found = std::ranges::find(trained.card.labels, c.label);
  if (found == trained.card.labels.end()) {
    fail("{} has no label '{}'{}; its labels are {}", trained.file.string(), c.label,
         did_you_mean(c.label, trained.card.labels), fmt::join(trained.card.labels, ", "));
  }
  return static_cast<size_t>(found - trained.card.labels.begin());
}

nlohmann::ordered_json to_json(const std::vector<Moment>& moments) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Moment& moment : moments) {
    list.push_back({{"start_s", moment.start},
                    {"end_s", moment.end},
                    {"low_hz", moment.low_hertz},
                    {"high_hz", moment.high_hertz},
                    {"share", moment.share}});
  }
  return list;
}

void print_moments(const std::vector<Moment>& moments, const std::string& label) {
  if (moments.empty()) {
    fmt::print("no part of the recording raised the logit of {}\n", label);
    return;
  }
  fmt::print("these moments raised the logit of {}:\n", label);
  for (const Moment& moment : moments) {
    fmt::print("  {:7.2f} s to {:7.2f} s  {:6.0f} to {:5.0f} Hz  {:5.1f} % of the relevance\n", moment.start,
               moment.end, moment.low_hertz, moment.high_hertz, 100 * moment.share);
  }
}

int explain(const ExplainCommand& c) {
  const TrainedModel trained = load_trained_model(c.run, c.device.choose(c.output));
  require_no_input("--png", {c.png}, {trained.file, c.file});
  const LogMel features = log_mel(c.file, trained.card.mel, trained.device);
  if (!features.warning.empty()) complain(features.warning);
  const TrackPrediction prediction = trained.predict(features, c.inference);
  const size_t target = class_to_explain(c, trained, prediction);
  const std::string& label = trained.card.labels[target];
  const double probability = prediction.probabilities[target];
  const Relevance relevance = relevance_of(trained, features, static_cast<int64_t>(target), c.inference);
  const std::vector<Moment> moments = moments_of(relevance, trained.card.mel);
  if (!c.png.empty()) {
    const std::string name = std::filesystem::path(c.file).filename().string();
    draw_relevance(c.png, features, trained.card.mel, relevance.values,
                   fmt::format("{}: relevance for {} (probability {:.3f})", name, label, probability));
  }
  const std::string& predicted = trained.card.labels[static_cast<size_t>(prediction.label())];
  if (c.output.json) {
    print_json({{"file", c.file},
                {"label", label},
                {"probability", probability},
                {"predicted", predicted},
                {"seconds", features.seconds},
                {"moments", to_json(moments)},
                {"png", c.png}});
    return exit_success;
  }
  fmt::print("{}: {} {:.3f}", one_line(c.file), label, probability);
  if (label != predicted)
    fmt::print("  (predicted: {} {:.3f})", predicted, *std::ranges::max_element(prediction.probabilities));
  fmt::print("\n");
  print_moments(moments, label);
  return exit_success;
}

}  // namespace

Command add_explain(CLI::App& program) {
  auto command = std::make_shared<ExplainCommand>();
  CLI::App& app = *program.add_subcommand("explain", "Show which parts of a recording raised the logit of a class");
  app.option_defaults()->always_capture_default();
  app.footer(
      "The relevance is Grad-CAM (Selvaraju et al. 2017), computed on the crops of melgrad predict.\n\n"
      "Examples:\n"
      "  melgrad explain runs/first song.mp3 --png song.png\n"
      "  melgrad explain runs/first song.mp3 --label jazz --json");
  app.add_option("run", command->run, description_of_run)->required();
  app.add_option("file", command->file, "Audio file. -: standard input")->required();
  app.add_option("--png", command->png, "Draw the spectrogram with the relevant parts coloured to this PNG file")
      ->type_name("FILE");
  app.add_option("--label", command->label, "Class to explain. Default: the predicted one")->type_name("LABEL");
  add_inference_options(app, command->inference);
  app.option_defaults()->group("Run");
  add_device_options(app, command->device);
  add_output_options(app, command->output);
  return {&app, [command] { return explain(*command); }};
}

}  // namespace melgrad
