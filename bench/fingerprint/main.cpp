// melgrad_fingerprint_bench DATA: measures precision and recall of the fingerprint. It copies each track (re-encoded,
// resampled, quieter, trimmed) and searches the data set for the original of each copy. The threshold is chosen on the
// even-numbered tracks; precision and recall are measured on the odd-numbered ones.
#include <sndfile.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <array>
#include <chrono>
#include <cmath>
#include <mutex>
#include <nlohmann/json.hpp>

#include "bench/fingerprint/variants.h"
#include "bench/run_guarded.h"
#include "framework/dataset/dataset.h"
#include "framework/dataset/same_recording.h"
#include "framework/io/atomic_file.h"
#include "framework/terminal/progress.h"
#include "kernels/device/parallel.h"

namespace melgrad::bench {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

// Lower than every agreement of a copy, and low enough to see the best agreements of unrelated tracks.
constexpr double lowest_agreement = 0.55;

struct Prints {
  std::vector<Fingerprint> originals;              // [track]
  std::vector<std::vector<Fingerprint>> variants;  // [variant][track]
  std::vector<double> bytes;                       // [variant], sum over all tracks
  double seconds = 0;                              // audio length, sum over all tracks
};

Prints make_prints(const std::vector<fs::path>& tracks, const std::vector<Variant>& variants) {
  const MelSettings settings;
  const auto count = static_cast<int64_t>(tracks.size());
  Prints prints{.originals = std::vector<Fingerprint>(tracks.size()),
                .variants = std::vector(variants.size(), std::vector<Fingerprint>(tracks.size())),
                .bytes = std::vector<double>(variants.size())};
  Progress progress("copies", count, "tracks");
  int64_t done = 0;
  std::mutex mutex;
  kernel::for_each_task(count, [&](int64_t i) {
    const auto track = static_cast<size_t>(i);
    const Recording recording = read_recording(tracks[track]);
    prints.originals[track] = make_fingerprint(log_mel(tracks[track], settings), settings);
    for (size_t v = 0; v < variants.size(); ++v) {
      const fs::path copy = fs::temp_directory_path() / fmt::format("melgrad_{}_{}_{}.copy", getpid(), i, v);
      write_variant(copy, recording, variants[v]);
      prints.variants[v][track] = make_fingerprint(log_mel(copy, settings), settings);
      const auto size = static_cast<double>(fs::file_size(copy));
      fs::remove(copy);
      const std::lock_guard lock(mutex);
      prints.bytes[v] += size;
    }
    const std::lock_guard lock(mutex);
    prints.seconds += static_cast<double>(recording.samples.size()) / recording.sample_rate;
    progress.update(++done);
  });
  progress.finish();
  return prints;
}

// Agreements within one half of the tracks: of each copy with its own track (0: not found) and with other tracks.
struct Scores {
  std::vector<double> own, other;
};

// scores[half] of one variant. `other` holds only pairs within the half.
std::array<Scores, 2> score(const std::vector<Fingerprint>& originals, const std::vector<Fingerprint>& copies) {
  const size_t count = originals.size();
  std::vector<Fingerprint> all = originals;
  all.insert(all.end(), copies.begin(), copies.end());
  std::vector<double> own(count);
  std::array<Scores, 2> scores;
  for (const RecordingPair& pair : find_same_recordings(all, lowest_agreement)) {
    if (pair.first >= count || pair.second < count) continue;
    const size_t copied = pair.second - count;
    if (copied == pair.first) own[copied] = pair.agreement;
    if (copied != pair.first && copied % 2 == pair.first % 2) scores[copied % 2].other.push_back(pair.agreement);
  }
  for (size_t i = 0; i < count; ++i) scores[i % 2].own.push_back(own[i]);
  return scores;
}

size_t count_from(const std::vector<double>& values, double threshold) {
  return static_cast<size_t>(std::ranges::count_if(values, [=](double value) { return value >= threshold; }));
}

double f1(const Scores& scores, double threshold) {
  const auto found = static_cast<double>(count_from(scores.own, threshold));
  return 2 * found / (found + static_cast<double>(count_from(scores.other, threshold) + scores.own.size()));
}

// The middle of the range of thresholds with the highest F1.
double choose_threshold(const Scores& scores) {
  double best = -1, first = 0, last = 0;
  for (double threshold = lowest_agreement; threshold <= 1; threshold += 0.0025) {
    const double value = f1(scores, threshold);
    if (value > best) best = value, first = threshold;
    if (value == best) last = threshold;
  }
  return (first + last) / 2;
}

double rounded(double value) { return std::round(value * 1e4) / 1e4; }

ordered_json report(const Scores& scores, double threshold) {
  const size_t found = count_from(scores.own, threshold), wrong = count_from(scores.other, threshold);
  std::vector<double> own = scores.own;
  std::ranges::sort(own);
  const auto total = static_cast<double>(found + wrong);
  return {{"copies", own.size()},
          {"found", found},
          {"wrong_pairs", wrong},
          {"precision", total > 0 ? rounded(static_cast<double>(found) / total) : 1.0},
          {"recall", rounded(static_cast<double>(found) / static_cast<double>(own.size()))},
          {"lowest_agreement_with_own", rounded(own.front())},
          {"median_agreement_with_own", rounded(own[own.size() / 2])},
          {"highest_agreement_with_other", scores.other.empty() ? 0.0 : rounded(std::ranges::max(scores.other))}};
}

void append(Scores& to, const Scores& from) {
  to.own.insert(to.own.end(), from.own.begin(), from.own.end());
  to.other.insert(to.other.end(), from.other.begin(), from.other.end());
}

ordered_json evaluate(const Prints& prints, const std::vector<Variant>& variants) {
  std::array<Scores, 2> all;
  ordered_json rows;
  for (size_t v = 0; v < variants.size(); ++v) {
    const std::array<Scores, 2> scores = score(prints.originals, prints.variants[v]);
    for (size_t half = 0; half < 2; ++half) append(all[half], scores[half]);
    ordered_json row = report(scores[1], same_recording_agreement);
    row["description"] = variants[v].description;
    row["kbit_per_second"] = std::round(prints.bytes[v] * 8 / 1000 / prints.seconds);
    rows[variants[v].name] = row;
  }
  return {{"threshold_chosen_on_even_tracks", rounded(choose_threshold(all[0]))},
          {"threshold_used", same_recording_agreement},
          {"even_tracks", report(all[0], same_recording_agreement)},
          {"odd_tracks", report(all[1], same_recording_agreement)},
          {"odd_tracks_by_copy", rows}};
}

int run(int argc, char** argv) {
  std::string data, json;
  size_t every = 1;
  CLI::App app("Measures precision and recall of the fingerprint on copies of a data set's tracks",
               "melgrad_fingerprint_bench");
  app.option_defaults()->always_capture_default();
  app.add_option("data", data, "Folder of genre folders, or a manifest.csv")->required();
  app.add_option("--every", every, "Use every N-th track only")->check(CLI::PositiveNumber);
  app.add_option("--json", json, "Write the result to this JSON file");
  CLI11_PARSE(app, argc, argv);

  const Dataset dataset = load_dataset(data);
  std::vector<fs::path> tracks;
  for (size_t i = 0; i < dataset.tracks.size(); i += every) tracks.push_back(dataset.tracks[i].path);
  const std::vector<Variant> variants = writable_variants();
  const Prints prints = make_prints(tracks, variants);

  const auto begin = std::chrono::steady_clock::now();
  const std::vector<RecordingPair> within = find_same_recordings(prints.originals);
  const std::chrono::duration<double> search = std::chrono::steady_clock::now() - begin;
  ordered_json result{{"tracks", tracks.size()},
                      {"seconds_of_audio", prints.seconds},
                      {"libsndfile", sf_version_string()},
                      {"pairs_among_the_originals", within.size()},
                      {"search_seconds", rounded(search.count())}};
  for (const RecordingPair& pair : within) {
    fmt::print("{} and {} agree in {:.3f}\n", tracks[pair.first].string(), tracks[pair.second].string(),
               pair.agreement);
  }
  result.update(evaluate(prints, variants));
  fmt::print("{}\n", result.dump(2));
  if (!json.empty()) write_file_atomically(json, result.dump(2) + "\n");
  return 0;
}

}  // namespace
}  // namespace melgrad::bench

int main(int argc, char** argv) {
  return melgrad::bench::run_guarded("melgrad_fingerprint_bench", melgrad::bench::run, argc, argv);
}
