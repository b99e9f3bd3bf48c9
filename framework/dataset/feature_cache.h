// Log-mel spectrograms of many tracks, computed in parallel and cached on disk. The name of a cache entry is a hash of
// the file's content and of the settings, not of the file's path or date: a moved file is found again, a changed file
// is computed again.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "framework/audio/log_mel.h"
#include "framework/dataset/cache_entry.h"
#include "framework/dataset/dataset.h"
#include "framework/terminal/progress.h"

namespace melgrad {

struct TrackFeatures {
  size_t track;  // index into Dataset::tracks
  LogMel log_mel;
  ContentHash content;  // of the audio file
};

struct Features {
  struct Failure {
    size_t track;         // index into Dataset::tracks
    std::string message;  // one line that names the file
  };
  // Each requested track is in `records` or in `failures`. Both have the order in which the tracks were requested.
  std::vector<TrackFeatures> records;
  std::vector<Failure> failures;
  std::vector<std::string> warnings;  // one line for each file that was read only up to a cut
  size_t computed = 0, cached = 0;    // number of records
  std::string note;                   // for the user: why the cache could not be written; empty if it could

  // The track of each record.
  std::vector<size_t> tracks() const;
  std::vector<int> labels(const Dataset&) const;
  std::vector<std::string> names(const Dataset&) const;
  // Moves the spectrograms out of the records, which keep everything else.
  std::vector<LogMel> take_clips();

  std::vector<std::string> failure_messages() const;
};

// Extracts the features of dataset.tracks[i] for each i of `tracks`, on the threads of the pool. The CPU
// decodes; `device` computes the spectrograms. A file that cannot be read becomes a Failure and does not stop the
// extraction. A damaged or truncated cache entry, or one with another key, is computed again and replaced. Several
// processes may share a cache folder. An empty `cache_folder` means no cache. Throws Error for invalid settings and
// when the host or the device has too little memory, DeviceError when the device fails, and Interrupted between two
// files once interrupted() is true; the features computed before that are cached.
Features extract_features(const Dataset& dataset, std::span<const size_t> tracks, const MelSettings& settings,
                          const std::filesystem::path& cache_folder, Progress& progress, Device device = Device::cpu);

// Throws Error when no track could be read or, if `strict`, when any track could not be read.
void require_tracks(const Features& features, const Dataset& dataset, bool strict);

}  // namespace melgrad
