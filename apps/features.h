// Options and functions for features that several subcommands share.
#pragma once

#include <CLI/App.hpp>
#include <filesystem>
#include <string>

#include "apps/command.h"
#include "framework/dataset/feature_loader.h"
#include "framework/dataset/track_prediction.h"

namespace melgrad {

// --cache, --no-cache and --strict.
struct FeatureOptions {
  std::string cache;
  bool no_cache = false, strict = false;
  std::filesystem::path cache_folder() const;
  FeatureRequest request(const MelSettings& mel, Device device) const;
};
void add_cache_options(CLI::App& command, FeatureOptions& options);    // --cache and --no-cache
void add_feature_options(CLI::App& command, FeatureOptions& options);  // all three

// --crops and --batch-size.
void add_inference_options(CLI::App& command, InferenceOptions& options);

void add_mel_options(CLI::App& command, MelSettings& settings);

// Throws UsageError when --crop-frames and --n-mels give crops larger than the limit of require_crop.
void require_crop_options(int64_t crop_frames, int64_t n_mels);

}  // namespace melgrad
