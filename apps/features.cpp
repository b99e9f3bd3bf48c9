#include "apps/features.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "apps/arguments.h"
#include "framework/dataset/model_card.h"
#include "kernels/device/cache_folder.h"

namespace melgrad {

namespace {

constexpr const char* limit_variable = "MELGRAD_CACHE_LIMIT";

uint64_t parse_size(const std::string& text, const char* source) {
  constexpr std::pair<std::string_view, double> units[] = {{"", 0}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}};
  double value = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  const auto unit = std::ranges::find(units, std::string_view(end, last), &std::pair<std::string_view, double>::first);
  const bool lacks_unit = value > 0 && end == last;
  if (error != std::errc() || unit == std::end(units) || lacks_unit || !(value >= 0) || value * unit->second > 1e18) {
    throw UsageError(
        fmt::format("{} is '{}'; it must be a size such as 500MB, 20GB or 1.5TB, or 0 for no limit", source, text));
  }
  return value == 0 ? ShardStore::no_limit : std::max<uint64_t>(1, static_cast<uint64_t>(value * unit->second));
}

}  // namespace

std::filesystem::path cache_folder(const std::string& option) {
  return option.empty() ? default_cache_folder() : std::filesystem::path(option);
}

uint64_t cache_limit(const std::string& option) {
  if (!option.empty()) return parse_size(option, "--cache-limit");
  const char* const variable = std::getenv(limit_variable);
  return variable && *variable ? parse_size(variable, limit_variable) : CacheSettings::default_limit;
}

CacheSettings FeatureOptions::settings() const {
  const uint64_t limit = melgrad::cache_limit(cache_limit);  // also without a cache, to report a wrong value
  if (no_cache) return {};
  return {cache_folder(cache), limit};
}

FeatureRequest FeatureOptions::request(const MelSettings& mel, Device device) const {
  return {.mel = mel, .cache = settings(), .strict = strict, .device = device};
}

void add_cache_options(CLI::App& command, FeatureOptions& options) {
  command
      .add_option("--cache", options.cache,
                  "Folder of the feature cache. Default: MELGRAD_CACHE, otherwise ~/.cache/melgrad")
      ->type_name("FOLDER");
  command
      .add_option("--cache-limit", options.cache_limit,
                  "Size of the feature cache above which features that were not used for the longest time are removed, "
                  "such as 20GB. 0: no limit. Default: MELGRAD_CACHE_LIMIT, otherwise 100GB")
      ->type_name("SIZE");
  command.add_flag("--no-cache", options.no_cache, "Do not read or write the feature cache");
}

void add_residency_option(CLI::App& command, FeatureOptions& options) {
  command
      .add_option("--residency", options.residency,
                  "Where to keep the features while the command runs. device: in the memory of the GPU. host: in "
                  "memory. disk: in the cache, read a few batches ahead. auto: the first of them in which they fit. "
                  "Results are the same")
      ->check(one_of({"auto", "device", "host", "disk"}));
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
