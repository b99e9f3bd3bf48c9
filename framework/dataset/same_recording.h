// Finds pairs of clips that hold the same recording. Places at which two fingerprints have the same bits vote for an
// offset between the clips. At the offsets with enough votes, all bits of the overlap are compared.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "framework/dataset/fingerprint.h"

namespace melgrad {

struct RecordingPair {
  size_t first = 0, second = 0;  // indices into the fingerprints, first < second
  double agreement = 0;          // share of equal bits
  double offset_seconds = 0;     // the second clip starts this much later in the recording
};

// Two clips count as the same recording if at least this share of their bits is equal. The value was chosen on one half
// of a set of real music and tested on the other half (bench/fingerprint, docs/check.md). Unrelated clips have about
// 0.5.
inline constexpr double same_recording_agreement = 0.7;

// Every pair whose overlap has at least 5 s of informative steps and a share of at least `agreement` equal bits, sorted
// by first, then by second. All fingerprints must have the same settings. An empty fingerprint is in no pair.
std::vector<RecordingPair> find_same_recordings(std::span<const Fingerprint> fingerprints,
                                                double agreement = same_recording_agreement);

}  // namespace melgrad
