#include "framework/dataset/leak_check.h"

#include <algorithm>
#include <iterator>

#include "framework/dataset/track_prints.h"

namespace melgrad {
namespace {

constexpr size_t most_warnings = 10;

std::string describe(const Leak& leak, const Dataset& dataset) {
  return fmt::format("leak: {} ({}) and {} ({}) are one recording: {}", dataset.tracks[leak.pair.first].name,
                     leak.first_side, dataset.tracks[leak.pair.second].name, leak.second_side, likeness(leak.pair));
}

// Ignores test tracks that cannot be read; melgrad evaluate reports them.
std::vector<TrackPrint> test_prints(const Dataset& dataset, const Split& split, const FeatureRequest& request,
                                    const Reporter& reporter) {
  if (split.test.empty()) return {};
  Progress progress("test features", static_cast<int64_t>(split.test.size()), "tracks", reporter.progress);
  return extract_prints(dataset, split.test, request.mel, request.cache_folder, progress, request.device).prints;
}

}  // namespace

std::vector<Leak> check_leaks(const Dataset& dataset, const Split& split, const Features& training,
                              const Features& validation, const FeatureRequest& request, const Reporter& reporter) {
  std::vector<TrackPrint> prints = test_prints(dataset, split, request, reporter);
  for (const Features* side : {&training, &validation}) {
    std::ranges::move(make_prints(side->records, request.mel), std::back_inserter(prints));
  }
  std::vector<Leak> leaks = find_leaks(split, prints);
  const std::string remedy = "remove one of each pair, or give both the same group in a manifest.csv";
  if (!leaks.empty() && request.strict) {
    fail("{}; there are {} such pairs; {}", describe(leaks.front(), dataset), leaks.size(), remedy);
  }
  for (const Leak& leak : std::span(leaks).first(std::min(leaks.size(), most_warnings))) {
    reporter.warn(fmt::format("{}; {}", describe(leak, dataset), remedy));
  }
  if (leaks.size() > most_warnings) {
    reporter.warn(fmt::format("{} more leaks; melgrad check --json lists all of them", leaks.size() - most_warnings));
  }
  return leaks;
}

}  // namespace melgrad
