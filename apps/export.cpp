// melgrad export RUN FILE
#include <cstdio>
#include <memory>

#include "apps/command.h"
#include "apps/overwriting.h"
#include "apps/version.h"
#include "framework/dataset/split_csv.h"
#include "framework/terminal/text.h"
#include "models/onnx_export.h"

namespace melgrad {
namespace {

struct ExportCommand {
  OutputOptions output;
  std::string run, file;
  bool with_frontend = false;
  int64_t crops = InferenceOptions{}.crops;
};

// Empty, with a note, if there is no split.csv beside the checkpoint.
std::string fingerprint_of(const std::filesystem::path& checkpoint, const OutputOptions& output) {
  const std::filesystem::path split = checkpoint.parent_path() / "split.csv";
  if (std::error_code unseen; !std::filesystem::exists(split, unseen)) {
    output.note(fmt::format("{} does not exist, so the file has no split_fingerprint", split.string()));
    return "";
  }
  return split_fingerprint(split);
}

nlohmann::ordered_json to_json(const std::vector<OnnxValue>& values) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const OnnxValue& value : values) {
    nlohmann::ordered_json shape = nlohmann::ordered_json::array();
    for (const auto& size : value.shape) std::visit([&](const auto& length) { shape.push_back(length); }, size);
    list.push_back({{"name", value.name}, {"shape", shape}, {"description", value.description}});
  }
  return list;
}

int export_model(const ExportCommand& c) {
  const TrainedModel trained = load_trained_model(c.run, Device::cpu);
  const ModelCard& card = trained.card;
  if (const std::string note = calibration_note(card, trained.file.string()); !note.empty()) c.output.note(note);
  require_no_input("FILE", {c.file}, {trained.file, trained.file.parent_path() / "split.csv"});
  const OnnxModel model = to_onnx(trained, {.front_end = c.with_frontend,
                                            .crops = c.crops,
                                            .version = version_number(),
                                            .split_fingerprint = fingerprint_of(trained.file, c.output)});
  const size_t bytes = write_onnx(c.file, model);
  if (c.output.json) {
    print_json({{"file", c.file},
                {"bytes", bytes},
                {"opset", onnx_opset},
                {"model", card.model},
                {"inputs", to_json(model.inputs)},
                {"outputs", to_json(model.outputs)},
                {"metadata", model.metadata}});
    return exit_success;
  }
  fmt::print("{}: {} with {} classes, opset {}, {}\n", one_line(c.file), card.model, card.labels.size(), onnx_opset,
             size_text(bytes));
  const auto print_values = [](const char* kind, const std::vector<OnnxValue>& values) {
    for (const OnnxValue& value : values) {
      fmt::print("{:<7} {}: {}\n", kind, value.name, layout_and_description(value));
    }
  };
  print_values("input", model.inputs);
  print_values("output", model.outputs);
  return exit_success;
}

}  // namespace

Command add_export(CLI::App& program) {
  auto command = std::make_shared<ExportCommand>();
  CLI::App& app = *program.add_subcommand("export", "Write a trained model as an ONNX file");
  app.option_defaults()->always_capture_default();
  app.footer(
      "The outputs are those of melgrad predict. The crops, the dynamic range, the standardisation and the temperature "
      "are part of the graph; docs/export.md describes inputs, outputs and metadata.\n\n"
      "Examples:\n"
      "  melgrad export runs/first genres.onnx --with-frontend\n"
      "  melgrad export runs/first/best.safetensors best.onnx");
  app.add_option("run", command->run, description_of_run)->required();
  app.add_option("file", command->file, "ONNX file to write")->required();
  app.add_flag("--with-frontend", command->with_frontend,
               "Begin with the waveform: the graph computes the log-mel spectrogram. Otherwise it begins with the "
               "spectrogram of melgrad mel");
  app.add_option("--crops", command->crops, "Crops of each recording, evenly spaced. Their logits are averaged")
      ->check(CLI::Range(1, 100'000));
  app.option_defaults()->group("Run");
  add_output_options(app, command->output);
  return {&app, [command] { return export_model(*command); }};
}

}  // namespace melgrad
