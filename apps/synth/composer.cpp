#include "apps/synth/composer.h"

#include <algorithm>
#include <cmath>

#include "apps/synth/arrangement.h"
#include "apps/synth/effects.h"
#include "kernels/device/error.h"

namespace melgrad {
namespace {

using namespace synth;

void add_scaled(const std::vector<float>& part, float gain, std::vector<float>& mix, float sample_rate) {
  const float factor = gain / (loudest_level(part, sample_rate) + 1e-6f);
  for (size_t i = 0; i < mix.size(); ++i) mix[i] += factor * part[i];
}

std::vector<float> perform(const Part& part, size_t samples, float sample_rate, Draws& draws) {
  std::vector<float> track(samples);
  for (const Note& note : part.notes) play(part.instrument, note, track, sample_rate, draws);
  const float level = loudest_level(track, sample_rate) + 1e-6f;
  for (float& sample : track) sample /= level;
  if (part.instrument.wah) wah(track, draws.within({1, 4}), sample_rate);
  if (part.instrument.drive > 0) distort(track, part.instrument.drive, sample_rate);
  if (part.instrument.tremolo_depth > 0) {
    tremolo(track, draws.within({4.5f, 7}), part.instrument.tremolo_depth, sample_rate);
  }
  return track;
}

}  // namespace

const std::vector<std::string>& synth_genres() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> result;
    for (const Style& style : styles()) result.push_back(style.name);
    return result;
  }();
  return names;
}

void check(const SynthOptions& options) {
  if (options.tracks_per_genre < 1)
    fail("a demo set needs at least 1 track per genre, not {}", options.tracks_per_genre);
  if (!(options.seconds >= 1 && options.seconds <= 600)) {
    fail("a demo track lasts 1 to 600 seconds, not {}", options.seconds);
  }
  if (options.sample_rate < 8000 || options.sample_rate > 192000) {
    fail("a demo set's sample rate is 8000 to 192000 Hz, not {}", options.sample_rate);
  }
}

std::vector<float> compose(int genre, int track, const SynthOptions& options) {
  check(options);
  MELGRAD_CHECK(genre >= 0 && genre < static_cast<int>(styles().size()), "no genre number {}", genre);
  MELGRAD_CHECK(track >= 0, "no track number {}", track);
  const auto samples = static_cast<size_t>(std::llround(options.seconds * options.sample_rate));
  const auto sample_rate = static_cast<float>(options.sample_rate);
  Draws draws(options.seed, (static_cast<uint64_t>(genre) << 32) | static_cast<uint32_t>(track));

  const Arrangement arrangement = arrange(genre, static_cast<float>(options.seconds), draws);
  std::vector<float> mix(samples);
  for (const Part& part : arrangement.parts) {
    add_scaled(perform(part, samples, sample_rate, draws), part.gain, mix, sample_rate);
  }
  if (!arrangement.hits.empty()) {
    const DrumKit kit(arrangement.kit, sample_rate, draws);
    std::vector<float> drums(samples);
    for (const Hit& hit : arrangement.hits) kit.strike(hit, drums);
    add_scaled(drums, arrangement.drum_gain, mix, sample_rate);
  }
  if (arrangement.echo_wet > 0) echo(mix, arrangement.echo_seconds, 0.4f, arrangement.echo_wet, sample_rate);
  master(mix, arrangement.recording, sample_rate, draws);
  return mix;
}

}  // namespace melgrad
