#include "apps/features.h"

#include "framework/dataset/model_card.h"
#include "kernels/device/cache_folder.h"

namespace melgrad {

std::filesystem::path FeatureOptions::cache_folder() const {
  if (no_cache) return {};
  return cache.empty() ? default_cache_folder() : std::filesystem::path(cache);
}

FeatureRequest FeatureOptions::request(const MelSettings& mel, Device device) const {
  return {.mel = mel, .cache_folder = cache_folder(), .strict = strict, .device = device};
}

void add_cache_options(CLI::App& command, FeatureOptions& options) {
  command
      .add_option("--cache", options.cache,
                  "Folder of the feature cache. Default: MELGRAD_CACHE, otherwise ~/.cache/melgrad")
      ->type_name("FOLDER");
  command.add_flag("--no-cache", options.no_cache, "Do not read or write the feature cache");
}

void add_feature_options(CLI::App& command, FeatureOptions& options) {
  add_cache_options(command, options);
  command.add_flag("--strict", options.strict, "Stop at a file that cannot be read instead of leaving it out");
}

void add_inference_options(CLI::App& command, InferenceOptions& options) {
  command.add_option("--crops", options.crops, "Crops of each track, evenly spaced. Their logits are averaged")
      ->check(CLI::Range(1, 100'000));
  command.add_option("--batch-size", options.batch_size, "Crops per forward pass. Lower it if memory runs out")
      ->check(CLI::Range(1, 65536));
}

void add_mel_options(CLI::App& command, MelSettings& settings) {
  command.add_option("--sample-rate", settings.sample_rate,
                     "Sample rate in Hz. Audio at other rates is resampled to it");
  command.add_option("--n-fft", settings.n_fft, "Length of the FFT window in samples")
      ->check(CLI::Range(2, most_n_fft));
  command.add_option("--hop-length", settings.hop_length, "Distance between two frames in samples")
      ->check(CLI::Range(1, 1 << 20));
  command.add_option("--n-mels", settings.n_mels, "Number of mel bins")->check(CLI::Range(1, 1 << 16));
  command.add_option("--fmin", settings.fmin, "Lower edge of the lowest mel bin, in Hz");
  command.add_option("--fmax", settings.fmax, "Upper edge of the highest mel bin, in Hz. 0: half the sample rate");
  command.add_flag("--htk", settings.htk, "Use the mel scale of HTK instead of that of Slaney");
  command.add_option("--top-db", settings.top_db,
                     "Dynamic range in dB. Values further below the maximum of the file are raised to this limit");
}

void require_crop_options(int64_t crop_frames, int64_t n_mels) {
  try {
    require_crop(crop_frames, n_mels);
  } catch (const Error& error) {
    throw UsageError(fmt::format("{}; lower --crop-frames or --n-mels", error.what()));
  }
}

}  // namespace melgrad
