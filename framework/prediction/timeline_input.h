// Feeds a recording, or a live input, to a timeline.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "framework/audio/pcm_stream.h"
#include "framework/prediction/timeline.h"

namespace melgrad {

struct TimelineInput {
  std::filesystem::path path;    // "-": standard input
  std::optional<PcmFormat> raw;  // of a standard input without a header
  // True if the input arrives over time: a pipe or a device. It is then classified crop by crop, not in batches.
  bool is_live() const;
};

// Decodes and resamples the input to its end, or until interrupted(), passes the samples on, and finishes the timeline.
// Returns the warning of the decoder, empty if everything was read. Memory does not grow with the length of the input.
// Throws Error like Decoder and PcmStream; the steps before the damage were reported.
std::string read_timeline(const TimelineInput& input, int sample_rate, Timeline& timeline);

}  // namespace melgrad
