// Options and functions for features that several subcommands share.
#pragma once

#include <CLI/App.hpp>
#include <string>

#include "apps/command.h"
#include "framework/dataset/feature_loader.h"
#include "framework/dataset/residency.h"
#include "framework/dataset/track_prediction.h"

namespace melgrad {

// --cache, --cache-limit, --no-cache and --strict.
struct FeatureOptions {
  std::string cache, cache_limit, residency = name_of(Residency::automatic);
  bool no_cache = false, strict = false;
  CacheSettings settings() const;
  FeatureRequest request(const MelSettings& mel, Device device) const;
};
void add_cache_options(CLI::App& command, FeatureOptions& options);  // all but --strict
void add_residency_option(CLI::App& command, FeatureOptions& options);
void add_feature_options(CLI::App& command, FeatureOptions& options);  // all of them

// --cache and --cache-limit: the folder and the limit that the options or the environment give.
std::filesystem::path cache_folder(const std::string& option);
// Throws UsageError for a limit that is no size such as 500MB, 20GB or 1.5TB.
uint64_t cache_limit(const std::string& option);

// --crops and --batch-size.
void add_inference_options(CLI::App& command, InferenceOptions& options);

void add_mel_options(CLI::App& command, MelSettings& settings);

// Throws UsageError when --crop-frames and --n-mels give crops larger than the limit of require_crop.
void require_crop_options(int64_t crop_frames, int64_t n_mels);

}  // namespace melgrad
