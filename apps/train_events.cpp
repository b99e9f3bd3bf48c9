#include "apps/train_events.h"

#include <charconv>

#include "apps/config.h"
#include "framework/audio/spectrogram_picture.h"
#include "framework/io/picture.h"
#include "framework/ops.h"
#include "framework/random.h"
#include "framework/training/metrics.h"
#include "framework/training/step_inputs.h"

namespace melgrad {
namespace {

std::variant<bool, double, std::string> setting_of(const std::string& text) {
  if (text == "true" || text == "false") return text == "true";
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return number;
  return text;
}

}  // namespace

NamedSettings settings_of_run(const std::filesystem::path& run_folder) {
  NamedSettings settings;
  for (const auto& [key, value] : values_in(run_folder / "config.toml")) settings.emplace_back(key, setting_of(value));
  return settings;
}

std::string training_crop_png(const Training& training, const TrainingSetup& setup) {
  const std::vector<int64_t> items{0};
  StepInputs inputs(setup.device, 1);
  inputs.upload(items, 0, {});
  Generator generator(setup.command.train.seed, setup.device);
  const Batch batch = training.batches->batch(inputs.items(), generator);
  const ModelCard& card = training.data.card;
  LogMel crop{.n_mels = card.mel.n_mels, .frames = card.crop_frames};
  crop.db = cast(batch.x, DType::float32).to_vector();  // standardised
  const auto& [mean, deviation, top_db] = card.standardisation;
  for (size_t i = 0; i < crop.db.size(); ++i) {
    const size_t bin = i / static_cast<size_t>(crop.frames);
    crop.db[i] = crop.db[i] * deviation[bin] + mean[bin];
  }
  return spectrogram_png(crop, card.mel, fmt::format("a training crop of {}, augmented", training.batches->name(0)));
}

std::string validation_confusion_png(Training& training) {
  const ModelCard& card = training.data.card;
  ConfusionMatrix confusion(card.labels);
  int64_t track = 0;
  for (const TrackPrediction& prediction : training.validation_predictions()) {
    confusion.add(training.data.validation->label(track++), prediction.label());
  }
  return confusion_matrix_png(card.labels, confusion.counts,
                              fmt::format("validation tracks after epoch {}", training.trainer.completed_epochs()));
}

}  // namespace melgrad
