// Features that a model learns in a few steps: each class is loud in its own band of mel bins.
#pragma once

#include <string>
#include <vector>

#include "framework/dataset/clip_batches.h"
#include "framework/dataset/model_card.h"
#include "framework/dataset/track_validation.h"
#include "kernels/device/philox.h"

namespace melgrad::test {

struct BandedMusic {
  static constexpr int64_t n_mels = 16, classes = 3, frames = 40, crop_frames = 16;

  // Clip i has class i modulo 3 and is loud in the third of the mel bins of its class, with different noise in each
  // clip.
  explicit BandedMusic(int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      LogMel clip{.n_mels = n_mels, .frames = frames, .db = {}, .seconds = 1};
      for (int64_t cell = 0; cell < n_mels * frames; ++cell) {
        const bool loud = cell / frames * classes / n_mels == i % classes;
        const float noise = uniform(philox(11, static_cast<uint64_t>(i), static_cast<uint64_t>(cell)).v[0]);
        clip.db.push_back(-60 + 20 * noise + (loud ? 20.0f : 0.0f));
      }
      clips.push_back(clip);
      labels.push_back(static_cast<int>(i % classes));
      names.push_back("clip" + std::to_string(i));
    }
    card = {.model = "cnn_bn",
            .labels = {"a", "b", "c"},
            .mel = {},
            .standardisation = standardisation_of(clips),
            .crop_frames = crop_frames};
    card.mel.n_mels = static_cast<int>(n_mels);
  }
  ClipStore store(Device device) const { return {clips, labels, classes, card.standardisation, device}; }

  // Trains and validates on the same clips.
  struct Training {
    Training(const BandedMusic& music, Device device, const CropOptions& options, int64_t batch_size)
        : clips(music.store(device)),
          batches(clips, music.names, options),
          validate(track_validation(clips, {.crop_frames = options.crop_frames,
                                            .crops = 4,
                                            .batch_size = batch_size,
                                            .precision = options.precision})) {}
    ClipStore clips;
    ClipBatches batches;
    Validate validate;
  };

  std::vector<LogMel> clips;
  std::vector<int> labels;
  std::vector<std::string> names;
  ModelCard card;
};

}  // namespace melgrad::test
