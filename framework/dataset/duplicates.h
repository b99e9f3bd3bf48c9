// The same recording under two names: files that are equal to the byte, and clips whose fingerprints agree.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "framework/dataset/dataset.h"
#include "framework/dataset/feature_cache.h"
#include "framework/dataset/fingerprint.h"
#include "framework/dataset/split.h"

namespace melgrad {

// What is compared of a track.
struct TrackPrint {
  size_t track;  // index into Dataset::tracks
  ContentHash content;
  Fingerprint fingerprint;
};

struct Duplicate {
  size_t first, second;   // indices into Dataset::tracks, first < second
  bool identical;         // to the byte
  double agreement;       // of the fingerprints' bits; 1 for identical files
  double offset_seconds;  // by which the second starts after the first in the recording
};

// All pairs, by first, then by second.
std::vector<Duplicate> find_duplicates(std::span<const TrackPrint> prints);

// "equal to the byte" or "fingerprints agree in 94 % of their bits, the second starts 1.0 s later".
std::string likeness(const Duplicate& duplicate);

// A recording on two sides of a split: what is heard in training is asked again in the test.
struct Leak {
  Duplicate pair;
  std::string_view first_side, second_side;  // "train", "validation" or "test"
};
std::vector<Leak> find_leaks(const Split& split, std::span<const TrackPrint> prints);

}  // namespace melgrad
