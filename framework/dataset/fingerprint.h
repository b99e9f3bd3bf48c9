// A fingerprint of a recording's features: the same, but for some bits, for the recording re-encoded, resampled, louder
// or quieter, or cut at its ends. Bits are signs of differences along time and frequency, as in Haitsma and Kalker, "A
// highly robust audio fingerprinting system", ISMIR 2002, here of smoothed log-mel bands from 300 to 3000 Hz. A change
// of tempo or pitch gives another fingerprint.
#pragma once

#include <cstdint>
#include <vector>

#include "framework/audio/log_mel.h"

namespace melgrad {

inline constexpr int fingerprint_bits = 16;  // of a word

struct Fingerprint {
  // One a step; a step in which next to nothing changes (silence, a steady tone) tells nothing of the recording and is
  // not informative.
  std::vector<uint16_t> words;
  std::vector<bool> informative;
  double step_seconds = 0;

  // Steps from a word to the next that shares none of its frames' change: two such words in a row are one lookup.
  int64_t lookup_distance = 1;
};

// Empty for a clip too short for one word, and where the settings have fewer mel bins from 300 to 3000 Hz than a
// fingerprint has bands (n_mels below about 40 at the defaults).
Fingerprint make_fingerprint(const LogMel& clip, const MelSettings& settings);

// How two recordings compare where the second starts `offset` steps after the first (negative: before it).
struct Agreement {
  double share = 0;            // of equal bits, 0.5 for unrelated music, in the steps informative in both
  double overlap_seconds = 0;  // of those steps
};
Agreement compare(const Fingerprint& first, const Fingerprint& second, int64_t offset);

}  // namespace melgrad
