// The options of features and the loading of a data set's features, shared by the subcommands.
#pragma once

#include <CLI/App.hpp>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "apps/command.h"
#include "framework/audio/log_mel.h"
#include "framework/dataset/clip_store.h"
#include "framework/dataset/dataset.h"
#include "framework/dataset/duplicates.h"
#include "framework/dataset/track_prediction.h"

namespace melgrad {

// --cache, --no-cache and --strict.
struct FeatureOptions {
  std::string cache;
  bool no_cache = false, strict = false;
  std::filesystem::path cache_folder() const;
};
void add_feature_options(CLI::App& command, FeatureOptions& options);

// --crops and --batch-size.
void add_inference_options(CLI::App& command, InferenceOptions& options);

void add_mel_options(CLI::App& command, MelSettings& settings);

// Throws UsageError for --crop-frames and --n-mels that make crops larger than any model takes.
void require_crop_options(int64_t crop_frames, int64_t n_mels);

// Names a file that was cut off, on stderr; a pipe, which can be read only once, goes unseen.
void warn_of_truncation(const std::filesystem::path& file);

// The tracks of a data set whose audio could be read.
struct LoadedTracks {
  std::vector<size_t> tracks;  // indices into Dataset::tracks
  std::vector<LogMel> clips;
  std::vector<ContentHash> contents;  // of the files
  std::vector<std::string> failures;  // a line each

  std::vector<int> labels(const Dataset& dataset) const;
  std::vector<std::string> names(const Dataset& dataset) const;
  std::vector<TrackPrint> prints(const MelSettings& settings) const;
};

// Extracts features under a progress bar. A file that cannot be read is named on stderr and left out; under --strict it
// is an Error. Throws Error when nothing is left.
LoadedTracks load_tracks(const Dataset& dataset, std::span<const size_t> tracks, const MelSettings& settings,
                         const FeatureOptions& features, const OutputOptions& output, Device device,
                         const std::string& what);

}  // namespace melgrad
