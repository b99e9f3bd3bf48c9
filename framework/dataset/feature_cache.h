// Log-mel spectrograms of many tracks, computed in parallel and cached on disk. A clip
// is a part of a mapped shard of the cache (shard_store.h), so that the features of a set may be larger than the
// memory.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "framework/dataset/audio_cache.h"
#include "framework/dataset/dataset.h"
#include "framework/dataset/mel_clip.h"
#include "framework/terminal/progress.h"

namespace melgrad {

struct TrackFeatures {
  size_t track;  // index into Dataset::tracks
  MelClip log_mel;
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
  // For the user: damaged entries, why the cache could not be written, and what was removed from it.
  std::vector<std::string> notes;

  // The track of each record.
  std::vector<size_t> tracks() const;
  std::vector<int> labels(const Dataset&) const;
  std::vector<std::string> names(const Dataset&) const;
  // Moves the spectrograms out of the records, which keep everything else.
  std::vector<MelClip> take_clips();

  std::vector<std::string> failure_messages() const;
};

struct ExtractionOptions {
  Device device = Device::cpu;  // computes the spectrograms; the CPU decodes
  // True: the caller calls MelClip::is_intact before it uses a clip, and entries are not read here.
  bool check_later = false;
  // Called with each clip, by the threads of the pool. The records then hold no clips, so memory does not grow.
  std::function<void(size_t track, const MelClip& clip, const ContentHash& content)> visit = {};
};

// Extracts the features of dataset.tracks[i] for each i of `tracks`, on the threads of the pool. Memory does not grow
// with the features unless they cannot be cached. A file that cannot be read becomes a Failure and does not stop the
// extraction. A damaged cache entry is computed again and replaced, with a note. Several processes may share a cache
// folder. Throws Error for invalid settings and when the host or the device has too little memory, DeviceError when the
// device fails, and Interrupted between two files once interrupted() is true; the features computed before that are
// cached.
Features extract_features(const Dataset& dataset, std::span<const size_t> tracks, const MelSettings& settings,
                          const CacheSettings& cache, Progress& progress, const ExtractionOptions& options = {});

// Throws Error when no track could be read or, if `strict`, when any track could not be read.
void require_tracks(const Features& features, const Dataset& dataset, bool strict);

}  // namespace melgrad
