#include "framework/dataset/feature_cache.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <new>
#include <optional>
#include <system_error>

#include "framework/io/atomic_file.h"
#include "framework/terminal/interrupt.h"
#include "kernels/device/error.h"
#include "kernels/device/parallel.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// Removes partly written files of killed processes. It removes only old ones, because another process may still write a
// recent one.
void remove_stale_temporaries(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!name.ends_with(".tmp") || name.find(".mel.") == std::string::npos) continue;
    std::error_code ignored;
    const auto written = fs::last_write_time(entry->path(), ignored);
    if (!ignored && fs::file_time_type::clock::now() - written > 1h) fs::remove(entry->path(), ignored);
  }
}

// The cache folder, shared by the threads. After the first failed write, nothing more is written.
class FeatureCache {
 public:
  explicit FeatureCache(const fs::path& folder) : folder_(folder.empty() ? folder : folder / "features") {
    if (folder_.empty()) return;
    std::error_code error;
    fs::create_directories(folder_, error);
    if (error) give_up(fmt::format("cannot create {}: {}", folder_.string(), error.message()));
    remove_stale_temporaries(folder_);
  }

  std::optional<LogMel> load(const CacheKey& key, int64_t n_mels) const {
    const fs::path entry = folder_ / key.file_name();
    std::error_code error;
    if (folder_.empty() || !fs::is_regular_file(entry, error)) return std::nullopt;
    try {
      return decode_cache_entry(read_file(entry), key, n_mels);
    } catch (const Error&) {
      return std::nullopt;  // removed or unreadable since the check above: computed again
    }
  }

  void store(const CacheKey& key, const LogMel& clip) {
    if (!is_writable()) return;
    try {
      write_file_atomically(folder_ / key.file_name(), encode_cache_entry(key, clip));
    } catch (const WriteError& error) {
      give_up(error.what());
    }
  }

  bool is_writable() const { return !folder_.empty() && !given_up_; }
  std::string note() const { return note_; }

 private:
  void give_up(const std::string& reason) {
    if (given_up_.exchange(true)) return;
    note_ = fmt::format("features are not cached: {}; set MELGRAD_CACHE to another folder", reason);
  }

  fs::path folder_;
  std::atomic<bool> given_up_ = false;
  std::string note_;  // written once, read after the threads have ended
};

// Extracts tracks in parallel and stores one outcome per track.
class Extraction {
 public:
  Extraction(const Dataset& dataset, std::span<const size_t> tracks, const MelSettings& settings, FeatureCache& cache,
             Device device)
      : dataset_(dataset),
        tracks_(tracks),
        settings_(settings),
        cache_(cache),
        device_(device),
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
      if (outcome.features) features.records.push_back(std::move(*outcome.features));
      if (!outcome.error.empty()) features.failures.push_back({tracks_[i], std::move(outcome.error)});
      if (!outcome.warning.empty()) features.warnings.push_back(std::move(outcome.warning));
    }
    return features;
  }

  size_t done() const { return counts_.done; }

 private:
  struct Counts {
    size_t done = 0, computed = 0, cached = 0;
  };

  struct Outcome {
    std::optional<TrackFeatures> features;
    std::string error, warning;  // one line each; empty: none
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
      const CacheKey key = make_cache_key(track.path, settings_);
      std::optional<LogMel> clip = cache_.load(key, settings_.n_mels);
      const bool is_cached = clip.has_value();
      if (!is_cached) clip = compute(track.path, key);
      outcome.warning = std::move(clip->warning);
      outcome.features = {.track = tracks_[i], .log_mel = std::move(*clip), .content = key.content};
      return {.done = 1, .computed = is_cached ? 0u : 1u, .cached = is_cached ? 1u : 0u};
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

  LogMel compute(const fs::path& audio, const CacheKey& key) {
    LogMel clip = log_mel(audio, settings_, device_);
    if (clip.frames == 0) fail("{} holds no sound; replace or remove it", audio.string());
    // A file with a warning is decoded every time, so that the user sees the warning every time.
    if (clip.warning.empty()) cache_.store(key, clip);
    return clip;
  }

  [[noreturn]] void fail_for_lack_of_memory(const char* what, const Track& track) const {
    const char* remedy = device_ == Device::cpu ? "use fewer --threads" : "free some of it, or use --device cpu";
    fail("{}, while computing the features of {}; {}{}", what, track.path.string(), remedy,
         cache_.is_writable() ? "; the features of the files before it are kept" : "");
  }

  const Dataset& dataset_;
  std::span<const size_t> tracks_;
  const MelSettings& settings_;
  FeatureCache& cache_;
  Device device_;
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

std::vector<LogMel> Features::take_clips() {
  std::vector<LogMel> result;
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
                          const fs::path& cache_folder, Progress& progress, Device device) {
  validate(settings);
  FeatureCache cache(cache_folder);
  Extraction extraction(dataset, tracks, settings, cache, device);
  extraction.run(progress);
  if (extraction.done() < tracks.size()) {
    throw Interrupted(fmt::format("interrupted after the features of {} of {} tracks{}", extraction.done(),
                                  tracks.size(),
                                  cache.is_writable() ? "; they are kept, the next run continues from there" : ""));
  }
  progress.finish();
  Features features = extraction.take();
  features.note = cache.note();
  return features;
}

}  // namespace melgrad
