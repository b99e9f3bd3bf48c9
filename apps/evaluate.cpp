// melgrad evaluate RUN DATA
#include <algorithm>
#include <cstdio>
#include <memory>
#include <numeric>

#include "apps/arguments.h"
#include "apps/command.h"
#include "apps/features.h"
#include "framework/dataset/split_csv.h"
#include "framework/io/atomic_file.h"
#include "framework/io/csv_writer.h"
#include "framework/io/picture.h"
#include "framework/training/metrics.h"
#include "models/trained_model.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;

struct EvaluateCommand {
  OutputOptions output;
  DeviceOptions device;
  FeatureOptions features;
  InferenceOptions inference;
  std::string run, data, split = "auto", out;
};

struct Chosen {
  std::string side;
  std::vector<size_t> tracks;
};

std::vector<size_t> all_tracks(const Dataset& dataset) {
  std::vector<size_t> tracks(dataset.tracks.size());
  std::iota(tracks.begin(), tracks.end(), size_t{0});
  return tracks;
}

// Returns the tracks that --split selects. auto selects the test tracks of the run's split, or its validation tracks if
// it has no test tracks, or all tracks if there is no split.csv beside the checkpoint.
Chosen choose_tracks(const EvaluateCommand& c, const fs::path& checkpoint, const Dataset& dataset) {
  const fs::path split_file = checkpoint.parent_path() / "split.csv";
  const bool has_split = fs::exists(split_file);
  if (c.split == "auto" && !has_split) {
    c.output.note(
        fmt::format("there is no {}, so all tracks are evaluated; the accuracy is too high if the model was trained on "
                    "some of them",
                    split_file.string()));
  }
  if (c.split == "all" || (c.split == "auto" && !has_split)) return {"all", all_tracks(dataset)};
  Split split;
  try {
    split = read_split_csv(split_file, dataset);
  } catch (const Error& error) {
    fail("{}; if no track was used for training, evaluate all of them with --split all", error.what());
  }
  const std::pair<const char*, std::vector<size_t>*> sides[] = {
      {"test", &split.test}, {"validation", &split.validation}, {"train", &split.train}};
  for (const auto& [name, tracks] : sides) {
    if ((c.split == "auto" || c.split == name) && !tracks->empty()) return {name, *tracks};
  }
  fail("{} has no {} tracks; choose another --split", split_file.string(), c.split);
}

// Replaces the labels of the data set by those of the model. Throws Error if the model does not have the label of one
// of the tracks.
void adopt_labels(Dataset& dataset, const std::vector<size_t>& tracks, const ModelCard& card,
                  const fs::path& checkpoint) {
  for (const size_t i : tracks) {
    Track& track = dataset.tracks[i];
    const std::string& label = dataset.labels[static_cast<size_t>(track.label)];
    const auto found = std::find(card.labels.begin(), card.labels.end(), label);
    if (found == card.labels.end()) {
      fail(
          "{} has the label '{}', which the model {} does not have; its labels are {}; remove such tracks or rename "
          "their label",
          track.name, label, checkpoint.string(), fmt::join(card.labels, ", "));
    }
    track.label = static_cast<int>(found - card.labels.begin());
  }
  dataset.labels = card.labels;
}

struct Evaluation {
  Accuracy track_accuracy, segment_accuracy;
  ConfusionMatrix confusion;
  ClassificationReport report;
};

Evaluation score(std::span<const TrackPrediction> predictions, const ClipStore& clips, const ModelCard& card) {
  ConfusionMatrix confusion(card.labels);
  std::vector<ClusterScore> tracks, segments;
  for (size_t i = 0; i < predictions.size(); ++i) {
    const int label = clips.label(static_cast<int64_t>(i));
    confusion.add(label, predictions[i].label());
    tracks.push_back({.correct = predictions[i].label() == label, .total = 1});
    const auto& voted = predictions[i].segments;
    segments.push_back(
        {.correct = std::count(voted.begin(), voted.end(), label), .total = static_cast<int64_t>(voted.size())});
  }
  return {.track_accuracy = bootstrap_accuracy(tracks, 0),
          .segment_accuracy = bootstrap_accuracy(segments, 0),
          .confusion = confusion,
          .report = classification_report(confusion)};
}

nlohmann::ordered_json to_json(const Evaluation& e, const std::string& side, const std::vector<std::string>& failed) {
  nlohmann::ordered_json classes;
  for (size_t i = 0; i < e.report.labels.size(); ++i) {
    const ClassScores& s = e.report.classes[i];
    classes[e.report.labels[i]] = {
        {"precision", s.precision}, {"recall", s.recall}, {"f1", s.f1}, {"support", s.support}};
  }
  return {{"split", side},
          {"tracks", e.report.macro.support},
          {"failed_files", failed},
          {"track_accuracy", e.track_accuracy.value},
          {"track_accuracy_interval", {e.track_accuracy.low, e.track_accuracy.high}},
          {"segment_accuracy", e.segment_accuracy.value},
          {"segment_accuracy_interval", {e.segment_accuracy.low, e.segment_accuracy.high}},
          {"macro_f1", e.report.macro.f1},
          {"classes", classes},
          {"labels", e.confusion.labels},
          {"confusion_matrix", e.confusion.counts}};
}

std::string predictions_csv(const Features& loaded, const Dataset& dataset,
                            std::span<const TrackPrediction> predictions) {
  std::vector<std::string> header{"path", "label", "predicted"};
  for (const std::string& label : dataset.labels) header.push_back("probability_" + label);
  std::string text = csv_record(header);
  for (size_t i = 0; i < predictions.size(); ++i) {
    const Track& track = dataset.tracks[loaded.records[i].track];
    std::vector<std::string> fields{track.name, dataset.labels[static_cast<size_t>(track.label)],
                                    dataset.labels[static_cast<size_t>(predictions[i].label())]};
    for (const float probability : predictions[i].probabilities) fields.push_back(fmt::format("{:.6f}", probability));
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
  fmt::print("\n{}\nrows: true, columns: predicted\n{}", to_text(e.report), to_text(e.confusion));
}

int evaluate(const EvaluateCommand& command) {
  EvaluateCommand c = command;
  const Device device = c.device.choose(c.output);
  const TrainedModel classifier = load_trained_model(c.run, device);
  Dataset dataset = load_dataset(c.data);
  for (const std::string& warning : dataset.warnings) c.output.note(warning);
  const auto [side, tracks] = choose_tracks(c, classifier.file, dataset);
  adopt_labels(dataset, tracks, classifier.card, classifier.file);
  Features loaded =
      load_features(dataset, tracks, c.features.request(classifier.card.mel, device), c.output.reporter(), "features");
  const ClipStore clips(loaded.take_clips(), loaded.labels(dataset), classifier.classes(),
                        classifier.card.standardisation, device);
  c.inference.crop_frames = classifier.card.crop_frames;
  const std::vector<TrackPrediction> predictions = predict_tracks(*classifier.model, clips, c.inference);
  const Evaluation evaluation = score(predictions, clips, classifier.card);

  const fs::path out = c.out.empty() ? classifier.file.parent_path() / "evaluation" : fs::path(c.out);
  make_folders(out);
  const nlohmann::ordered_json json = to_json(evaluation, side, loaded.failure_messages());
  write_file_atomically(out / "report.json", json_text(json));
  write_file_atomically(out / "classes.csv", to_csv(evaluation.report));
  write_file_atomically(out / "confusion.csv", to_csv(evaluation.confusion));
  write_file_atomically(out / "predictions.csv", predictions_csv(loaded, dataset, predictions));
  draw_confusion_matrix(out / "confusion.png", classifier.card.labels, evaluation.confusion.counts,
                        fmt::format("track accuracy {:.3f}", evaluation.track_accuracy.value));
  if (c.output.json) {
    print_json(json);
  } else {
    print_text(evaluation, side);
    fmt::print("\nwritten to {}: confusion.png, confusion.csv, classes.csv, predictions.csv, report.json\n",
               out.string());
  }
  return loaded.failures.empty() ? exit_success : exit_partial;
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
  app.add_option("--split", command->split,
                 "Part of the run's split to evaluate. auto: test, otherwise validation, otherwise all tracks")
      ->check(one_of({"auto", "test", "validation", "train", "all"}));
  add_inference_options(app, command->inference);
  app.add_option("--out", command->out,
                 "Folder for the tables and pictures. Default: the folder evaluation in the run folder")
      ->type_name("FOLDER");
  app.option_defaults()->group("Features");
  add_feature_options(app, command->features);
  app.option_defaults()->group("Run");
  add_device_options(app, command->device);
  add_output_options(app, command->output);
  return {&app, [command] { return evaluate(*command); }};
}

}  // namespace melgrad
