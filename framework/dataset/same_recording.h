// Finds the pairs of clips that hold the same recording, by their fingerprints: moments at which two clips have the
// same bits vote for an offset between them, and the offsets with votes are compared bit by bit over the whole overlap.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "framework/dataset/fingerprint.h"

namespace melgrad {

struct RecordingPair {
  size_t first = 0, second = 0;  // indices into the fingerprints, first < second
  double agreement = 0;          // share of equal bits
  double offset_seconds = 0;     // by which the second clip starts after the first, in the recording
};

// Share of equal bits from which on two clips hold the same recording. Chosen on half of real music and tested on the
// other half (bench/fingerprint, docs/check.md); unrelated clips have about 0.5.
inline constexpr double same_recording_agreement = 0.7;

// Every pair whose overlap, of at least 5 s with changes in the sound, agrees in at least `agreement` of its bits; by
// first, then by second. All fingerprints are of the same settings; empty ones are in no pair.
std::vector<RecordingPair> find_same_recordings(std::span<const Fingerprint> fingerprints,
                                                double agreement = same_recording_agreement);

}  // namespace melgrad
