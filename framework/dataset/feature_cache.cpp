#include "framework/dataset/feature_cache.h"

#include <algorithm>
#include <iterator>
#include <mutex>
#include <new>
#include <optional>

#include "framework/terminal/interrupt.h"
#include "kernels/device/error.h"
#include "kernels/device/parallel.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;

std::array<double, 3> numbers_of(const LogMel& mel) {
  return {static_cast<double>(mel.n_mels), static_cast<double>(mel.frames), mel.seconds};
}

// True if the record can be of a log-mel spectrogram with `n_mels` rows.
bool is_log_mel(const BlobRecord& record, int64_t n_mels) {
  const auto [rows, frames, seconds] = record.numbers;
  return record.kind == BlobKind::log_mel && rows == static_cast<double>(n_mels) && frames > 0 &&
         static_cast<double>(record.bytes) == rows * frames * sizeof(float);
}

MelClip clip_of(const BlobRecord& record, const std::shared_ptr<const std::byte>& data) {
  MelClip clip;
  clip.n_mels = static_cast<int64_t>(record.numbers[0]);
  clip.frames = static_cast<int64_t>(record.numbers[1]);
  clip.seconds = record.numbers[2];
  clip.memory = {data, reinterpret_cast<const float*>(data.get())};
  clip.hash = record.hash;
  return clip;
}

// Extracts tracks in parallel and stores one outcome per track.
class Extraction {
 public:
  Extraction(const Dataset& dataset, std::span<const size_t> tracks, const MelSettings& settings, AudioCache& cache,
             const ExtractionOptions& options)
      : dataset_(dataset),
        tracks_(tracks),
        settings_(settings),
        settings_hash_(settings_hash(description(settings))),
        cache_(cache),
        options_(options),
        outcomes_(tracks.size()) {}

  // Stops early when interrupted() is true. Throws the exception of a track that cannot be a Failure.
  void run(Progress& progress) {
    kernel::for_each_task(std::ssize(tracks_), [&](int64_t i) {
      if (interrupted()) return;
      const Counts one = extract(static_cast<size_t>(i));
      const std::lock_guard lock(mutex_);
      counts_.done += one.done;
      counts_.computed += one.computed;
      counts_.cached += one.cached;
      progress.update(static_cast<int64_t>(counts_.done), suffix(counts_));
    });
  }

  Features take() {
    Features features{.computed = counts_.computed, .cached = counts_.cached};
    for (size_t i = 0; i < outcomes_.size(); ++i) {
      Outcome& outcome = outcomes_[i];
      if (outcome.error.empty()) features.records.push_back(record_of(i));
      if (!outcome.error.empty()) features.failures.push_back({tracks_[i], std::move(outcome.error)});
      if (!outcome.warning.empty()) features.warnings.push_back(std::move(outcome.warning));
      if (!outcome.note.empty()) features.notes.push_back(std::move(outcome.note));
    }
    return features;
  }

  size_t done() const { return counts_.done; }

 private:
  struct Counts {
    size_t done = 0, computed = 0, cached = 0;
  };

  struct Outcome {
    ContentHash content{};
    std::optional<BlobRecord> blob;    // the clip in the cache
    bool is_checked = true;            // the blob was compared with its hash
    MelClip clip;                      // if there is no blob
    std::string error, warning, note;  // one line each; empty: none
  };

  static std::string suffix(const Counts& counts) {
    const size_t failed = counts.done - counts.computed - counts.cached;
    std::string text = counts.cached > 0 ? fmt::format("{} from the cache", counts.cached) : "";
    if (failed > 0) text += fmt::format("{}{} failed", text.empty() ? "" : ", ", failed);
    return text;
  }

  Counts extract(size_t i) {
    const Track& track = dataset_.tracks.at(tracks_[i]);
    Outcome& outcome = outcomes_[i];
    try {
      const CacheKey key = cache_.key_of(track.path, settings_hash_);
      outcome.content = key.content;
      if (use_cached(key, outcome, track)) return {.done = 1, .cached = 1};
      compute(key, outcome, track);
      return {.done = 1, .computed = 1};
    } catch (const OutOfMemory& error) {
      fail_for_lack_of_memory(error.what(), track);
    } catch (const std::bad_alloc&) {
      fail_for_lack_of_memory("out of memory", track);
    } catch (const DeviceError&) {
      throw;
    } catch (const Error& error) {
      outcome.error = error.what();
    } catch (const std::exception& error) {
      outcome.error = fmt::format("{}: {}", track.path.string(), error.what());
    }
    return {.done = 1};
  }

  // False if there is no intact entry.
  bool use_cached(const CacheKey& key, Outcome& outcome, const Track& track) {
    const std::optional<BlobRecord> record = cache_.find(key);
    if (!record) return false;
    outcome.is_checked = !options_.check_later || options_.visit;
    if (is_log_mel(*record, settings_.n_mels)) {
      if (!outcome.is_checked) {
        outcome.blob = record;
        return true;
      }
      const std::shared_ptr<const std::byte> data = cache_.data(*record);
      if (!data) return false;
      if (const MelClip clip = clip_of(*record, data); clip.is_intact()) {
        outcome.blob = record;
        if (options_.visit) options_.visit(track_index(track), clip, key.content);
        return true;
      }
    }
    cache_.discard(key);
    outcome.is_checked = true;
    outcome.note =
        fmt::format("the cache entry of {} was damaged; its features are computed again", track.path.string());
    return false;
  }

  void compute(const CacheKey& key, Outcome& outcome, const Track& track) {
    LogMel mel = log_mel(track.path, settings_, options_.device);
    if (mel.frames == 0) fail("{} holds no sound; replace or remove it", track.path.string());
    outcome.is_checked = true;
    // A file with a warning is decoded every time, so that the user sees the warning every time.
    if (mel.warning.empty()) {
      outcome.blob = cache_.add(key, BlobKind::log_mel, numbers_of(mel), std::as_bytes(std::span(mel.db)));
    } else {
      outcome.warning = mel.warning;
    }
    MelClip clip = std::move(mel);
    if (options_.visit) options_.visit(track_index(track), clip, key.content);
    if (!outcome.blob && !options_.visit) outcome.clip = std::move(clip);
  }

  TrackFeatures record_of(size_t i) {
    Outcome& outcome = outcomes_[i];
    TrackFeatures features{.track = tracks_[i], .log_mel = std::move(outcome.clip), .content = outcome.content};
    if (!outcome.blob || options_.visit) return features;
    if (const std::shared_ptr<const std::byte> data = cache_.data(*outcome.blob)) {
      features.log_mel = clip_of(*outcome.blob, data);
      if (outcome.is_checked) features.log_mel.hash = 0;
    } else {  // another process has removed the shard meanwhile
      features.log_mel = log_mel(dataset_.tracks[tracks_[i]].path, settings_, options_.device);
    }
    return features;
  }

  size_t track_index(const Track& track) const { return static_cast<size_t>(&track - dataset_.tracks.data()); }

  [[noreturn]] void fail_for_lack_of_memory(const char* what, const Track& track) const {
    const char* remedy =
        options_.device == Device::cpu ? "use fewer --threads" : "free some of it, or use --device cpu";
    fail("{}, while computing the features of {}; {}{}", what, track.path.string(), remedy,
         cache_.is_writable() ? "; the features of the files before it are kept" : "");
  }

  const Dataset& dataset_;
  std::span<const size_t> tracks_;
  const MelSettings& settings_;
  const uint64_t settings_hash_;
  AudioCache& cache_;
  const ExtractionOptions& options_;
  std::vector<Outcome> outcomes_;  // one per requested track
  std::mutex mutex_;
  Counts counts_;  // under mutex_
};

}  // namespace

std::vector<size_t> Features::tracks() const {
  std::vector<size_t> result;
  for (const TrackFeatures& record : records) result.push_back(record.track);
  return result;
}

std::vector<int> Features::labels(const Dataset& dataset) const {
  std::vector<int> result;
  for (const TrackFeatures& record : records) result.push_back(dataset.tracks[record.track].label);
  return result;
}

std::vector<std::string> Features::names(const Dataset& dataset) const {
  std::vector<std::string> result;
  for (const TrackFeatures& record : records) result.push_back(dataset.tracks[record.track].name);
  return result;
}

std::vector<MelClip> Features::take_clips() {
  std::vector<MelClip> result;
  for (TrackFeatures& record : records) result.push_back(std::move(record.log_mel));
  return result;
}

std::vector<std::string> Features::failure_messages() const {
  std::vector<std::string> result;
  for (const Failure& failure : failures) result.push_back(failure.message);
  return result;
}

void require_tracks(const Features& features, const Dataset& dataset, bool strict) {
  if (strict && !features.failures.empty()) {
    fail("{}; without --strict it is left out", features.failures.front().message);
  }
  if (features.records.empty()) {
    fail("{}: none of the {} tracks could be read; melgrad check says why", dataset.source.string(),
         features.failures.size());
  }
}

Features extract_features(const Dataset& dataset, std::span<const size_t> tracks, const MelSettings& settings,
                          const CacheSettings& cache_settings, Progress& progress, const ExtractionOptions& options) {
  validate(settings);
  AudioCache cache(cache_settings);
  Extraction extraction(dataset, tracks, settings, cache, options);
  extraction.run(progress);
  std::vector<std::string> notes = cache.finish();
  if (extraction.done() < tracks.size()) {
    throw Interrupted(fmt::format("interrupted after the features of {} of {} tracks{}", extraction.done(),
                                  tracks.size(),
                                  cache.is_writable() ? "; they are kept, the next run continues from there" : ""));
  }
  progress.finish();
  Features features = extraction.take();
  std::ranges::move(notes, std::back_inserter(features.notes));
  return features;
}

}  // namespace melgrad
