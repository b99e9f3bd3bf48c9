#include "framework/dataset/leak_check.h"

#include <algorithm>
#include <span>

#include "kernels/device/error.h"

namespace melgrad {
namespace {

constexpr size_t most_warnings = 10;

std::string describe(const Leak& leak, const Dataset& dataset) {
  return fmt::format("leak: {} ({}) and {} ({}) are one recording: {}", dataset.tracks[leak.pair.first].name,
                     leak.first_side, dataset.tracks[leak.pair.second].name, leak.second_side, likeness(leak.pair));
}

}  // namespace

void report_leaks(const std::vector<Leak>& leaks, const Dataset& dataset, bool strict, const Reporter& reporter) {
  const std::string remedy = "remove one of each pair, or give both the same group in a manifest.csv";
  if (!leaks.empty() && strict) {
    fail("{}; there are {} such pairs; {}", describe(leaks.front(), dataset), leaks.size(), remedy);
  }
  for (const Leak& leak : std::span(leaks).first(std::min(leaks.size(), most_warnings))) {
    reporter.warn(fmt::format("{}; {}", describe(leak, dataset), remedy));
  }
  if (leaks.size() > most_warnings) {
    reporter.warn(fmt::format("{} more leaks; melgrad check --json lists all of them", leaks.size() - most_warnings));
  }
}

}  // namespace melgrad
