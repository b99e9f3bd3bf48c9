#include "models/onnx_export.h"

#include <numeric>

#include "models/onnx_front_end.h"
#include "models/onnx_network.h"

namespace melgrad {
namespace {

using Integers = std::vector<int64_t>;

OnnxValue input_of(const ModelCard& card, bool front_end) {
  if (front_end) {
    return {.name = "waveform",
            .shape = {"batch", "samples"},
            .description = fmt::format("one channel in [-1, 1) at {} Hz", card.mel.sample_rate)};
  }
  return {.name = "log_mel",
          .shape = {"batch", int64_t{card.mel.n_mels}, "frames"},
          .description =
              "log-mel spectrogram in dB, 10 log10(power), the lowest mel bin first, as melgrad mel and "
              "librosa.power_to_db give it"};
}

std::vector<OnnxValue> outputs_of(int64_t classes) {
  return {{.name = "logits",
           .shape = {"batch", classes},
           .description = "mean of the logits over the crops, before the temperature"},
          {.name = "probabilities",
           .shape = {"batch", classes},
           .description = "softmax(logits / temperature), in the order of the labels"}};
}

// The crops of a recording, as crop_starts() places them and ClipStore cuts them.
class Crops {
 public:
  Crops(OnnxModel& graph, const ModelCard& card, int64_t crops) : graph_(graph), card_(card), crops_(crops) {}

  // The first frame of every crop, int64 [crops]. The number of crops is 1 if `spare` is 0.
  std::string starts(const std::string& spare) {
    if (crops_ == 1) return graph_.add("Div", {spare, constant("two", {1}, {2})});
    const std::string zero = constant("zero", {}, {0}), one = constant("one", {}, {1});
    const std::string scalar = graph_.add("Squeeze", {spare});
    const std::string count =
        graph_.add("Where", {graph_.add("Greater", {scalar, zero}), constant("crops", {}, {crops_}), one});
    const std::string index = graph_.add("Range", {zero, count, one});
    return graph_.add("Div", {graph_.add("Mul", {index, scalar}), constant("intervals", {}, {crops_ - 1})});
  }

  // The frames of every crop, int64 [crops, crop_frames]. A recording shorter than a crop is repeated.
  std::string positions(const std::string& db) {
    const std::string frames = graph_.add("Shape", {db}, {{"start", int64_t{2}}, {"end", int64_t{3}}});
    const std::string length = constant("crop_frames", {1}, {card_.crop_frames});
    const std::string spare = graph_.add("Max", {graph_.add("Sub", {frames, length}), constant("none", {1}, {0})});
    Integers steps(static_cast<size_t>(card_.crop_frames));
    std::iota(steps.begin(), steps.end(), 0);
    const std::string column = graph_.add("Unsqueeze", {starts(spare), constant("columns", {1}, {1})});
    const std::string ends =
        graph_.add("Add", {column, graph_.constant("frame_of_crop", {card_.crop_frames}, std::move(steps))});
    return graph_.add("Mod", {ends, frames});
  }

  // [batch, n_mels, frames] -> [batch * crops, 1, n_mels, crop_frames], standardised.
  std::string cut(const std::string& db, const std::string& positions) {
    const std::string gathered = graph_.add("Gather", {db, positions}, {{"axis", int64_t{2}}});
    const std::string crops = graph_.add("Transpose", {gathered}, {{"perm", Integers{0, 2, 1, 3}}});
    const std::string shape = constant("shape_of_crops", {4}, {-1, 1, card_.mel.n_mels, card_.crop_frames});
    std::string x = graph_.add("Reshape", {crops, shape});
    const auto& [mean, deviation, top_db] = card_.standardisation;
    if (top_db > 0) x = append_dynamic_range(graph_, x, top_db, {2, 3});
    const Integers bins{int64_t{card_.mel.n_mels}, 1};
    const std::string centred = graph_.add("Sub", {x, graph_.constant("standardisation.mean", bins, mean)});
    return graph_.add("Mul", {centred, graph_.constant("standardisation.inverse_std", bins, inverse_of(deviation))});
  }

  // [batch * crops, classes] -> [batch, classes]
  std::string mean(const std::string& logits, const std::string& positions) {
    const std::string count = graph_.add("Shape", {positions}, {{"start", int64_t{0}}, {"end", int64_t{1}}});
    const std::string shape =
        graph_.add("Concat", {constant("any", {1}, {-1}), count, constant("classes", {1}, {std::ssize(card_.labels)})},
                   {{"axis", int64_t{0}}});
    const std::string by_recording = graph_.add("Reshape", {logits, shape});
    return graph_.add("ReduceMean", {by_recording}, {{"axes", Integers{1}}, {"keepdims", int64_t{0}}}, "logits");
  }

 private:
  std::string constant(const char* name, Integers shape, Integers values) {
    return graph_.constant(std::string("crops.") + name, std::move(shape), std::move(values));
  }

  OnnxModel& graph_;
  const ModelCard& card_;
  int64_t crops_;
};

std::map<std::string, std::string> metadata_of(const ModelCard& card, const OnnxExportOptions& options,
                                               const OnnxValue& input) {
  auto metadata = to_metadata(card);
  metadata["melgrad_version"] = options.version;
  metadata["input"] = layout_and_description(input);
  metadata["crops"] = std::to_string(options.crops);
  if (!options.split_fingerprint.empty()) metadata["split_fingerprint"] = options.split_fingerprint;
  return metadata;
}

}  // namespace

OnnxModel to_onnx(const TrainedModel& trained, const OnnxExportOptions& options) {
  const ModelCard& card = trained.card;
  OnnxModel graph{.name = card.model,
                  .version = options.version,
                  .description = "Classifies recordings. The metadata entry `labels` names the classes.",
                  .inputs = {input_of(card, options.front_end)},
                  .outputs = outputs_of(trained.classes())};
  graph.metadata = metadata_of(card, options, graph.inputs[0]);
  const std::string input = graph.inputs[0].name;
  // On features whose range is limited already this changes nothing.
  const std::string db = append_dynamic_range(
      graph, options.front_end ? append_front_end(graph, card.mel, input) : input, card.mel.top_db, {1, 2});
  Crops crops(graph, card, options.crops);
  const std::string positions = crops.positions(db);
  const std::string of_crops =
      append_network(graph, *trained.model, crops.cut(db, positions), card.mel.n_mels, card.crop_frames);
  const std::string logits = crops.mean(of_crops, positions);
  const auto temperature = static_cast<float>(card.temperature.value_or(1));
  const std::string scaled =
      graph.add("Div", {logits, graph.constant("temperature", {}, std::vector<float>{temperature})});
  graph.add("Softmax", {scaled}, {{"axis", int64_t{1}}}, "probabilities");
  return graph;
}

}  // namespace melgrad
