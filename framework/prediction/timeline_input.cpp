#include "framework/prediction/timeline_input.h"

#include <algorithm>
#include <span>
#include <vector>

#include "framework/audio/decoder.h"
#include "framework/audio/resampler.h"
#include "framework/terminal/interrupt.h"

namespace melgrad {
namespace {

// `source` is a Decoder or a PcmStream.
template <class Source>
std::string feed(Source& source, bool live, int sample_rate, Timeline& timeline) {
  Resampler resampler(source.sample_rate(), sample_rate);
  // Samples of about a second after resampling; a live input returns what has arrived.
  std::vector<float> mono(static_cast<size_t>(std::clamp(source.sample_rate(), 256, 1 << 16))), resampled;
  while (const size_t count = interrupted() ? 0 : source.read(mono)) {
    resampler.process(std::span(mono).first(count), resampled);
    timeline.push(resampled);
    resampled.clear();
    if (live) timeline.flush();
  }
  resampler.finish(resampled);
  timeline.push(resampled);
  timeline.finish();
  return interrupted() ? "" : source.warning();
}

}  // namespace

bool TimelineInput::is_live() const { return path == "-" && (raw || standard_input_is_live()); }

std::string read_timeline(const TimelineInput& input, int sample_rate, Timeline& timeline) {
  if (input.is_live()) {
    PcmStream stream(input.raw);
    return feed(stream, true, sample_rate, timeline);
  }
  Decoder decoder(input.path);
  return feed(decoder, false, sample_rate, timeline);
}

}  // namespace melgrad
