// melgrad evaluate RUN DATA
#include <cstdio>
#include <memory>

#include "apps/arguments.h"
#include "apps/command.h"
#include "apps/label_options.h"
#include "apps/overwriting.h"
#include "apps/run_evaluation.h"
#include "framework/io/atomic_file.h"
#include "framework/io/csv_writer.h"
#include "framework/io/picture.h"
#include "kernels/convolution/exact.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;

struct EvaluateCommand {
  OutputOptions output;
  DeviceOptions device;
  FeatureOptions features;
  LabelOptions labels;
  InferenceOptions inference;
  bool exact_convolution = false;
  std::string run, data, side = "auto", out;
};

nlohmann::ordered_json evaluation_json(const Evaluation& e, const std::string& side,
                                       const std::vector<std::string>& failed,
                                       const std::vector<std::string>& left_out) {
  nlohmann::ordered_json classes;
  for (size_t i = 0; i < e.report.labels.size(); ++i) {
    const ClassScores& s = e.report.classes[i];
    classes[e.report.labels[i]] = {
        {"precision", s.precision}, {"recall", s.recall}, {"f1", s.f1}, {"support", s.support}};
  }
  return {{"split", side},
          {"tracks", e.report.macro.support},
          {"failed_files", failed},
          {"left_out", left_out},
          {"track_accuracy", e.track_accuracy.value},
          {"track_accuracy_interval", {e.track_accuracy.low, e.track_accuracy.high}},
          {"segment_accuracy", e.segment_accuracy.value},
          {"segment_accuracy_interval", {e.segment_accuracy.low, e.segment_accuracy.high}},
          {"macro_f1", e.report.macro.f1},
          {"classes", classes},
          {"labels", e.confusion.labels},
          {"confusion_matrix", e.confusion.counts},
          {"calibration", to_json(e.calibration)}};
}

std::string predictions_csv(const RunEvaluation& run) {
  const std::vector<std::string>& labels = run.dataset.labels;
  std::vector<std::string> header{"path", "label", "predicted"};
  for (const std::string& label : labels) header.push_back("probability_" + label);
  std::string text = csv_record(header);
  for (size_t i = 0; i < run.tracks.size(); ++i) {
    std::vector<std::string> fields{run.tracks[i].name, labels[static_cast<size_t>(run.tracks[i].label)],
                                    labels[static_cast<size_t>(run.predictions[i].label())]};
    for (const float probability : run.predictions[i].probabilities)
      fields.push_back(fmt::format("{:.6f}", probability));
    text += csv_record(fields);
  }
  return text;
}

void print_text(const Evaluation& e, const std::string& side) {
  const auto line = [](const char* what, const Accuracy& a) {
    fmt::print("{} accuracy {:.3f}  (95 % interval {:.3f} to {:.3f})\n", what, a.value, a.low, a.high);
  };
  fmt::print("{} tracks ({})\n", e.report.macro.support, side == "all" ? "all" : side + " side of the run's split");
  line("track  ", e.track_accuracy);
  line("segment", e.segment_accuracy);
  fmt::print("calibration error {:.3f}  ({:.3f} without temperature {:.2f})\n", e.calibration.ece_after,
             e.calibration.ece_before, e.calibration.temperature);
  fmt::print("\n{}\nrows: true, columns: predicted\n{}", to_text(e.report), to_text(e.confusion));
}

int evaluate(const EvaluateCommand& c) {
  kernel::set_exact_convolution(c.exact_convolution);
  const TrainedModel trained = load_trained_model(c.run, c.device.choose(c.output));
  const fs::path out = c.out.empty() ? trained.file.parent_path() / "evaluation" : fs::path(c.out);
  require_no_input(
      "--out",
      {out / "report.json", out / "classes.csv", out / "confusion.csv", out / "predictions.csv", out / "confusion.png"},
      {c.data, c.labels.labels});
  const RunEvaluation run = evaluate_run(
      trained, {.source = c.labels.source(c.data), .side = c.side, .inference = c.inference, .features = c.features},
      c.output);
  const Evaluation& evaluation = run.evaluation;
  make_folders(out);
  const nlohmann::ordered_json json = evaluation_json(evaluation, run.side, run.failures, run.dataset.warnings);
  write_file_atomically(out / "report.json", json_text(json));
  write_file_atomically(out / "classes.csv", to_csv(evaluation.report));
  write_file_atomically(out / "confusion.csv", to_csv(evaluation.confusion));
  write_file_atomically(out / "predictions.csv", predictions_csv(run));
  draw_confusion_matrix(out / "confusion.png", trained.card.labels, evaluation.confusion.counts,
                        fmt::format("track accuracy {:.3f}", evaluation.track_accuracy.value));
  if (c.output.json) {
    print_json(json);
  } else {
    print_text(evaluation, run.side);
    fmt::print("\nwritten to {}: confusion.png, confusion.csv, classes.csv, predictions.csv, report.json\n",
               out.string());
  }
  return run.failures.empty() ? exit_success : exit_partial;
}

}  // namespace

Command add_evaluate(CLI::App& program) {
  auto command = std::make_shared<EvaluateCommand>();
  CLI::App& app = *program.add_subcommand("evaluate", "Measure the accuracy of a trained classifier");
  app.option_defaults()->always_capture_default();
  app.footer(
      "Examples:\n"
      "  melgrad evaluate runs/first music\n"
      "  melgrad evaluate runs/first/best.safetensors other_music --split all");
  app.add_option("run", command->run, description_of_run)->required();
  app.add_option("data", command->data, description_of_data)->required();
  add_label_options(app, command->labels);
  app.add_option("--split", command->side,
                 "Part of the run's split to evaluate. auto: test, otherwise validation, otherwise all tracks")
      ->check(one_of({"auto", "test", "validation", "train", "all"}));
  add_inference_options(app, command->inference);
  app.add_option("--out", command->out,
                 "Folder for the tables and pictures. Default: the folder evaluation in the run folder")
      ->type_name("FOLDER");
  app.option_defaults()->group("Features");
  add_feature_options(app, command->features);
  add_residency_option(app, command->features);
  app.option_defaults()->group("Run");
  add_device_options(app, command->device);
  add_exact_convolution_option(app, command->exact_convolution);
  add_output_options(app, command->output);
  return {&app, [command] { return evaluate(*command); }};
}

}  // namespace melgrad
