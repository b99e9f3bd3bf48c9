#include "framework/dataset/track_prediction.h"

#include <algorithm>

#include "framework/ops.h"
#include "kernels/argmax.h"

namespace melgrad {
namespace {

int largest_of(std::span<const float> values) {
  return static_cast<int>(argmax(values.data(), static_cast<int64_t>(values.size())));
}

class EvaluationMode {
 public:
  explicit EvaluationMode(Module& model) : model_(model), training_(model.training()) { model.train(false); }
  ~EvaluationMode() { model_.train(training_); }
  EvaluationMode(const EvaluationMode&) = delete;
  EvaluationMode& operator=(const EvaluationMode&) = delete;

 private:
  Module& model_;
  bool training_;
  NoGrad no_grad_;
};

// The size of a crop comes from the checkpoint, which may be untrusted and must not determine the memory of a batch.
int64_t crops_at_a_time(const InferenceOptions& options, int64_t n_mels) {
  constexpr int64_t usual_values = int64_t{256} * 128;
  const int64_t values = std::max(usual_values, options.crop_frames * n_mels);
  return std::max<int64_t>(1, options.batch_size * usual_values / values);
}

}  // namespace

int TrackPrediction::label() const { return largest_of(probabilities); }

std::vector<int64_t> crop_starts(int64_t frames, int64_t crop_frames, int64_t crops) {
  if (frames <= crop_frames || crops <= 1) return {std::max<int64_t>(0, frames - crop_frames) / 2};
  std::vector<int64_t> starts;
  for (int64_t i = 0; i < crops; ++i) starts.push_back(i * (frames - crop_frames) / (crops - 1));
  return starts;
}

std::vector<TrackPrediction> predict_tracks(Module& model, const ClipStore& clips, const InferenceOptions& options) {
  const EvaluationMode evaluation(model);
  std::vector<int64_t> picks, starts;
  for (int64_t clip = 0; clip < clips.size(); ++clip) {
    for (const int64_t start : crop_starts(clips.frames(clip), options.crop_frames, options.crops)) {
      picks.push_back(clip);
      starts.push_back(start);
    }
  }
  std::vector<TrackPrediction> predictions(static_cast<size_t>(clips.size()));
  const auto batch_size = static_cast<size_t>(crops_at_a_time(options, clips.n_mels()));
  for (size_t first = 0; first < picks.size(); first += batch_size) {
    const size_t n = std::min(batch_size, picks.size() - first);
    Stream& stream = Stream::of(clips.device());
    // The batch after this one; crops of one clip are neighbours.
    std::vector<int64_t> next(picks.begin() + static_cast<int64_t>(first + n),
                              picks.begin() + static_cast<int64_t>(std::min(picks.size(), first + n + batch_size)));
    next.erase(std::unique(next.begin(), next.end()), next.end());
    clips.read_ahead(next);
    const Batch batch = in_phase(stream, "data", [&] {
      return clips.crops(std::span(picks).subspan(first, n), std::span(starts).subspan(first, n), options.crop_frames,
                         options.precision);
    });
    const Tensor logits = in_phase(stream, "forward", [&] { return cast(model(batch.x), DType::float32); });
    const std::vector<float> values = logits.to_vector();
    const auto classes = static_cast<size_t>(logits.shape()[1]);
    for (size_t i = 0; i < n; ++i) {
      const auto crop = std::span(values).subspan(i * classes, classes);
      const auto clip = static_cast<size_t>(picks[first + i]);
      predictions[clip].segments.push_back(largest_of(crop));
      predictions[clip].logits.resize(classes);  // the sums, for now
      for (size_t c = 0; c < classes; ++c) predictions[clip].logits[c] += static_cast<double>(crop[c]);
    }
  }
  for (TrackPrediction& prediction : predictions) {
    for (double& logit : prediction.logits) logit /= static_cast<double>(prediction.segments.size());
    prediction.probabilities = softmax(prediction.logits, options.temperature);
  }
  return predictions;
}

std::vector<LabelledLogits> labelled_logits(std::span<const TrackPrediction> predictions, const ClipStore& clips) {
  std::vector<LabelledLogits> examples;
  for (const TrackPrediction& prediction : predictions) {
    examples.push_back({.logits = prediction.logits, .label = clips.label(std::ssize(examples))});
  }
  return examples;
}

}  // namespace melgrad
