#include "framework/dataset/set_summary.h"

#include <xxhash.h>

#include <algorithm>
#include <mutex>
#include <nlohmann/json.hpp>

#include "framework/io/atomic_file.h"
#include "framework/terminal/interrupt.h"
#include "framework/terminal/progress.h"
#include "kernels/device/parallel.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;

// Raise it when a fingerprint, the comparison of fingerprints or the statistics change.
constexpr int summary_version = 1;

constexpr std::string_view side_names[] = {"train", "validation", "test"};

std::array<Features*, 3> sides_of(SplitFeatures& features) {
  return {&features.training, &features.validation, &features.test};
}

// Identifies the files in their order, their sides and the settings.
std::string identity(SplitFeatures& features, const MelSettings& settings) {
  std::string text = fmt::format("{} {}\n", summary_version, description(settings));
  for (const Features* side : sides_of(features)) {
    for (const TrackFeatures& record : side->records) text += to_text(record.content);
    text += '\n';
  }
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return to_text({hash.high64, hash.low64});
}

// The tracks of all sides, one after the other. Leaks are stored by positions in it, because two data sets may have the
// same files under other names.
std::vector<std::pair<size_t, std::string_view>> tracks_and_sides(SplitFeatures& features) {
  std::vector<std::pair<size_t, std::string_view>> all;
  const auto sides = sides_of(features);
  for (size_t side = 0; side < sides.size(); ++side) {
    for (const TrackFeatures& record : sides[side]->records) all.emplace_back(record.track, side_names[side]);
  }
  return all;
}

std::string encode(const SetSummary& summary, SplitFeatures& features) {
  const auto all = tracks_and_sides(features);
  std::map<size_t, size_t> position_of_track;
  for (size_t i = 0; i < all.size(); ++i) position_of_track[all[i].first] = i;
  nlohmann::json leaks = nlohmann::json::array();
  for (const Leak& leak : summary.leaks) {
    leaks.push_back({position_of_track.at(leak.pair.first), position_of_track.at(leak.pair.second), leak.pair.identical,
                     leak.pair.agreement, leak.pair.offset_seconds});
  }
  const std::string text = nlohmann::json{
      {"mean", summary.standardisation.mean},
      {"deviation", summary.standardisation.deviation},
      {"lowest", summary.lowest},
      {"highest", summary.highest},
      {"leaks", leaks}}.dump();
  return fmt::format("{:016x}\n{}", XXH3_64bits(text.data(), text.size()), text);
}

// Nothing if the file does not exist or is damaged.
std::optional<SetSummary> decode(const fs::path& file, SplitFeatures& features) {
  std::error_code error;
  if (!fs::is_regular_file(file, error)) return std::nullopt;
  try {
    const std::string bytes = read_file(file);
    const std::string text = bytes.substr(std::min(bytes.size(), bytes.find('\n') + 1));
    if (bytes != fmt::format("{:016x}\n{}", XXH3_64bits(text.data(), text.size()), text)) return std::nullopt;
    const nlohmann::json parsed = nlohmann::json::parse(text);
    SetSummary summary;
    summary.standardisation = {.mean = parsed.at("mean"), .deviation = parsed.at("deviation")};
    summary.lowest = parsed.at("lowest");
    summary.highest = parsed.at("highest");
    const auto all = tracks_and_sides(features);
    for (const nlohmann::json& leak : parsed.at("leaks")) {
      auto [first, first_side] = all.at(leak.at(0));
      auto [second, second_side] = all.at(leak.at(1));
      double offset = leak.at(4);
      if (first > second) {
        std::swap(first, second);
        std::swap(first_side, second_side);
        offset = -offset;
      }
      summary.leaks.push_back({{first, second, leak.at(2), leak.at(3), offset}, first_side, second_side});
    }
    std::ranges::sort(summary.leaks, {}, [](const Leak& leak) { return std::pair(leak.pair.first, leak.pair.second); });
    return summary;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

// Compares the features with their hashes and adds their fingerprints to `prints`. Calls take with a few clips at a
// time, in their order.
void read_side(const Dataset& dataset, Features& side, const FeatureRequest& request, const Reporter& reporter,
               Progress& progress, std::vector<TrackPrint>& prints,
               const std::function<void(std::span<const MelClip>)>& take) {
  constexpr size_t clips_at_a_time = 64;
  for (size_t first = 0; first < side.records.size(); first += clips_at_a_time) {
    const auto some = std::span(side.records).subspan(first, std::min(clips_at_a_time, side.records.size() - first));
    std::vector<Fingerprint> fingerprints(some.size());
    std::vector<char> damaged(some.size());
    kernel::for_each_task(std::ssize(some), [&](int64_t task) {
      const auto i = static_cast<size_t>(task);
      damaged[i] = !some[i].log_mel.is_intact();
      if (damaged[i] == 0) fingerprints[i] = make_fingerprint(some[i].log_mel, request.mel);
    });
    std::vector<MelClip> clips;
    for (size_t i = 0; i < some.size(); ++i) {
      if (damaged[i] != 0) {
        some[i].log_mel = reload(dataset, some[i].track, request, reporter);
        fingerprints[i] = make_fingerprint(some[i].log_mel, request.mel);
      }
      some[i].log_mel.hash = 0;
      clips.push_back(some[i].log_mel);
      prints.push_back({some[i].track, some[i].content, std::move(fingerprints[i])});
    }
    take(clips);
    progress.update(static_cast<int64_t>(prints.size()));
    if (interrupted())
      throw Interrupted(fmt::format("interrupted after reading the features of {} tracks", prints.size()));
  }
}

SetSummary read_all(const Dataset& dataset, const Split& split, SplitFeatures& features, const FeatureRequest& request,
                    const Reporter& reporter) {
  int64_t total = 0;
  for (const Features* side : sides_of(features)) total += std::ssize(side->records);
  Progress progress("statistics and fingerprints", total, "tracks", reporter.progress);
  FeatureStatistics statistics;
  std::vector<TrackPrint> prints;
  for (Features* side : sides_of(features)) {
    read_side(dataset, *side, request, reporter, progress, prints, [&](std::span<const MelClip> clips) {
      if (side == &features.training) statistics.add(clips);
    });
  }
  progress.finish();
  return {.standardisation = statistics.standardisation(),
          .lowest = statistics.lowest(),
          .highest = statistics.highest(),
          .leaks = find_leaks(split, prints)};
}

}  // namespace

SetSummary summarise(const Dataset& dataset, const Split& split, SplitFeatures& features, const FeatureRequest& request,
                     const Reporter& reporter) {
  if (request.cache.folder.empty()) return read_all(dataset, split, features, request, reporter);
  const fs::path file = request.cache.sets() / identity(features, request.mel);
  if (std::optional<SetSummary> known = decode(file, features)) return *known;
  SetSummary summary = read_all(dataset, split, features, request, reporter);
  try {
    make_folders(request.cache.sets());
    write_file_atomically(file, encode(summary, features));
  } catch (const WriteError&) {  // NOLINT(bugprone-empty-catch): the features said that the cache cannot be written
  }
  return summary;
}

MelClip reload(const Dataset& dataset, size_t track, const FeatureRequest& request, const Reporter& reporter) {
  Reporter quiet = reporter;
  quiet.progress = ProgressMode::quiet;
  FeatureRequest strict = request;
  strict.strict = true;
  return load_features(dataset, std::span(&track, 1), strict, quiet, "").take_clips().front();
}

}  // namespace melgrad
