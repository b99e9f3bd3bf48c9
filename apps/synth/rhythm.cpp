#include "apps/synth/rhythm.h"

#include <algorithm>

#include "kernels/device/error.h"

namespace melgrad::synth {

std::vector<Step> read_bar(std::string_view line, int bar, int beats_per_bar) {
  const auto bars = 1 + std::count(line.begin(), line.end(), '|');
  for (auto skip = bar % bars; skip > 0; --skip) line.remove_prefix(line.find('|') + 1);
  const std::string_view steps = line.substr(0, line.find('|'));
  if (steps.empty() || steps.size() % static_cast<size_t>(beats_per_bar) != 0) {
    fail("the rhythm '{}' has {} steps; the number must be a multiple of its {} beats", steps, steps.size(),
         beats_per_bar);
  }
  const float step_beats = static_cast<float>(beats_per_bar) / static_cast<float>(steps.size());
  std::vector<Step> result;
  for (size_t at = 0; at < steps.size(); ++at) {
    if (steps[at] == '.' || steps[at] == '-') continue;
    const size_t end = std::min(steps.size(), steps.find_first_not_of('-', at + 1));
    result.push_back({steps[at], static_cast<float>(at) * step_beats, static_cast<float>(end - at) * step_beats});
  }
  return result;
}

}  // namespace melgrad::synth
