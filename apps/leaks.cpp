#include "apps/leaks.h"

#include <algorithm>
#include <iterator>

#include "framework/dataset/track_prints.h"

namespace melgrad {
namespace {

constexpr size_t most_lines = 10;

std::string describe(const Leak& leak, const Dataset& dataset) {
  return fmt::format("leak: {} ({}) and {} ({}) are one recording: {}", dataset.tracks[leak.pair.first].name,
                     leak.first_side, dataset.tracks[leak.pair.second].name, leak.second_side, likeness(leak.pair));
}

// Ignores test tracks that cannot be read; melgrad evaluate reports them.
std::vector<TrackPrint> test_prints(const Dataset& dataset, const Split& split, const MelSettings& settings,
                                    const FeatureOptions& options, const OutputOptions& output, Device device) {
  if (split.test.empty()) return {};
  Progress progress("test features", static_cast<int64_t>(split.test.size()), "tracks", output.progress());
  return extract_prints(dataset, split.test, settings, options.cache_folder(), progress, device).prints;
}

}  // namespace

std::vector<Leak> warn_of_leaks(const Dataset& dataset, const Split& split, const Features& training,
                                const Features& validating, const MelSettings& settings, const FeatureOptions& options,
                                const OutputOptions& output, Device device) {
  std::vector<TrackPrint> prints = test_prints(dataset, split, settings, options, output, device);
  for (const Features* side : {&training, &validating}) {
    std::ranges::move(make_prints(side->records, settings), std::back_inserter(prints));
  }
  std::vector<Leak> leaks = find_leaks(split, prints);
  const std::string remedy = "remove one of each pair, or give both the same group in a manifest.csv";
  if (!leaks.empty() && options.strict) {
    fail("{}; there are {} such pairs; {}", describe(leaks.front(), dataset), leaks.size(), remedy);
  }
  for (const Leak& leak : std::span(leaks).first(std::min(leaks.size(), most_lines))) {
    complain(fmt::format("{}; {}", describe(leak, dataset), remedy));
  }
  if (leaks.size() > most_lines) {
    complain(fmt::format("{} more leaks; melgrad check --json lists all of them", leaks.size() - most_lines));
  }
  return leaks;
}

nlohmann::ordered_json to_json(const std::vector<Leak>& leaks, const Dataset& dataset) {
  nlohmann::ordered_json result = nlohmann::ordered_json::array();
  for (const Leak& leak : leaks) {
    result.push_back({{"first", dataset.tracks[leak.pair.first].name},
                      {"first_split", leak.first_side},
                      {"second", dataset.tracks[leak.pair.second].name},
                      {"second_split", leak.second_side},
                      {"identical", leak.pair.identical},
                      {"agreement", leak.pair.agreement},
                      {"offset_seconds", leak.pair.offset_seconds}});
  }
  return result;
}

}  // namespace melgrad
