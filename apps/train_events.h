// The pictures and settings that melgrad train writes for TensorBoard. The curves come from the log.
#pragma once

#include <filesystem>

#include "apps/training.h"
#include "framework/training/event_log.h"

namespace melgrad {

// The options in the config.toml of a run, as the hyperparameters that TensorBoard shows.
NamedSettings settings_of_run(const std::filesystem::path& run_folder);

// The bytes of a PNG file with the spectrogram of a crop of the first training track, augmented as in training.
std::string training_crop_png(const Training& training, const TrainingSetup& setup);

// The bytes of a PNG file with the confusion matrix of the validation tracks.
std::string validation_confusion_png(Training& training);

}  // namespace melgrad
