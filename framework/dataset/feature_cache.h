// Log-mel spectrograms of many tracks, computed in parallel and kept on disk. An entry's name is made of the file's
// content and of the settings, never of the file's path or date: a moved file is found again, a changed one is not.
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

struct Features {
  struct Failure {
    size_t track;         // index into Dataset::tracks
    std::string message;  // one line that names the file
  };
  std::vector<LogMel> clips;          // one per requested track, in their order; frames is 0 where it failed
  std::vector<ContentHash> contents;  // of the requested tracks' files, in their order; zeros where it cannot be read
  std::vector<Failure> failures;      // in the order of the requested tracks
  std::vector<std::string> warnings;  // one line each, of files that were used as far as they go
  size_t computed = 0, cached = 0;
  std::string note;  // for the user to see: why the cache could not be written; empty: it could
};

// Features of dataset.tracks[i] for each i of `tracks`, on one thread a core (OMP_NUM_THREADS, if set). A file that
// cannot be read is a Failure and stops nothing; a damaged, truncated or foreign cache entry is computed anew and
// replaced. Any number of processes may share a cache folder. `cache_folder` empty: no cache.
// Throws Error on settings that cannot be and where memory does not suffice, on the device or the host (no fault of the
// file at hand), Interrupted between two files once interrupted() is true; what is done by then is in the cache. The
// device computes the spectrograms; decoding is the CPU's work.
Features extract_features(const Dataset& dataset, std::span<const size_t> tracks, const MelSettings& settings,
                          const std::filesystem::path& cache_folder, Progress& progress, Device device = Device::cpu);

}  // namespace melgrad
