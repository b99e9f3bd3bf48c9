#include "framework/dataset/track_validation.h"

#include <cmath>
#include <utility>

#include "framework/dataset/model_card.h"

namespace melgrad {

Validate track_validation(const ClipStore& clips, const InferenceOptions& options,
                          std::vector<TrackPrediction>* last_predictions) {
  return [&clips, options, last_predictions](Module& model) {
    std::vector<TrackPrediction> predictions = predict_tracks(model, clips, options);
    double log_loss = 0;
    int64_t correct = 0;
    for (size_t i = 0; i < predictions.size(); ++i) {
      const int label = clips.label(static_cast<int64_t>(i));
      const auto probability = static_cast<double>(predictions[i].probabilities[static_cast<size_t>(label)]);
      log_loss -= std::log(probability < 1e-12 ? 1e-12 : probability);  // std::max would hide a NaN
      correct += predictions[i].label() == label;
    }
    const auto n = static_cast<double>(predictions.size());
    const double temperature = fit_temperature(labelled_logits(predictions, clips)).value_or(1);
    if (last_predictions) *last_predictions = std::move(predictions);
    return Validation{.loss = log_loss / n,
                      .accuracy = static_cast<double>(correct) / n,
                      .accuracy_name = "track_accuracy",
                      .metadata = {temperature_entry(temperature)}};
  };
}

}  // namespace melgrad
