// The fingerprint of a recording, computed from its features. Re-encoding, resampling, a change of level and cuts at
// the ends change only a few bits. A bit is the sign of a difference along time and frequency, as in Haitsma and
// Kalker, "A highly robust audio fingerprinting system", ISMIR 2002. The differences are those of smoothed log-mel
// bands from 300 to 3000 Hz. A change of tempo or pitch gives another fingerprint.
#pragma once

#include <cstdint>
#include <vector>

#include "framework/dataset/mel_clip.h"

namespace melgrad {

inline constexpr int fingerprint_bits = 16;  // per word

struct Fingerprint {
  // One word and one flag per step. A step in which the sound hardly changes (silence, a steady tone) is not
  // informative, because many recordings share its bits.
  std::vector<uint16_t> words;
  std::vector<bool> informative;
  double step_seconds = 0;

  // The number of steps after which two words have no frame in common. Two words at this distance form one lookup.
  int64_t lookup_distance = 1;
};

// Empty if the clip is too short for one word, or if the settings have fewer mel bins from 300 to 3000 Hz than a
// fingerprint has bands (n_mels below about 40 at the default settings).
Fingerprint make_fingerprint(const MelClip& clip, const MelSettings& settings);

// Compares two recordings, of which the second starts `offset` steps after the first (negative: before it).
struct Agreement {
  double share = 0;            // share of equal bits in the steps informative in both; 0.5 for unrelated music
  double overlap_seconds = 0;  // total length of these steps
};
Agreement compare(const Fingerprint& first, const Fingerprint& second, int64_t offset);

}  // namespace melgrad
