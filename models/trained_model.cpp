#include "models/trained_model.h"

#include <span>
#include <utility>

#include "framework/init.h"
#include "framework/training/state_dict.h"
#include "models/checkpoint_file.h"
#include "models/models.h"

namespace melgrad {
TrackPrediction TrainedModel::predict(const LogMel& features, InferenceOptions options) const {
  options.crop_frames = card.crop_frames;
  options.temperature = card.temperature.value_or(1);
  const int unknown_label = 0;
  const ClipStore clips = in_phase(Stream::of(device), "data", [&] {
    return ClipStore({&features, 1}, {&unknown_label, 1}, classes(), card.standardisation, device);
  });
  return predict_tracks(*model, clips, options)[0];
}

std::vector<std::vector<double>> TrainedModel::crop_logits(std::span<const LogMel> crops,
                                                           InferenceOptions options) const {
  options.crop_frames = card.crop_frames;
  options.crops = 1;
  const std::vector<int> unknown_labels(crops.size());
  const ClipStore clips(crops, unknown_labels, classes(), card.standardisation, device);
  std::vector<std::vector<double>> logits;
  for (TrackPrediction& prediction : predict_tracks(*model, clips, options)) {
    logits.push_back(std::move(prediction.logits));
  }
  return logits;
}

TrainedModel load_trained_model(const std::filesystem::path& run, Device device) {
  const ProfilerRange range(Stream::of(device), "load model", RangeKind::phase);
  TrainedModel trained;
  trained.device = device;
  trained.file = checkpoint_file(run);
  const std::string file = trained.file.string();
  const SafeTensors tensors = read_safetensors(file);
  trained.card = model_card(tensors.metadata, file);
  try {
    const WithoutInitialValues values_come_from_the_file;
    trained.model = make_model(trained.card.model, trained.classes(), 0, trained.card.statistics);
  } catch (const Error& error) {
    fail("{} cannot be used: {}", file, error.what());
  }
  load_state_dict(*trained.model, tensors, "optimizer.", file);
  require_finite_values(*trained.model, file);
  trained.model->move_to(device);
  trained.model->train(false);
  return trained;
}

}  // namespace melgrad
