// Finds recordings that a data set holds twice: files with the same bytes, and tracks whose fingerprints agree.
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

// The data by which tracks are compared.
struct TrackPrint {
  size_t track;  // index into Dataset::tracks
  ContentHash content;
  Fingerprint fingerprint;
};

struct Duplicate {
  size_t first, second;   // indices into Dataset::tracks, first < second
  bool identical;         // the files have the same bytes
  double agreement;       // share of equal bits of the fingerprints; 1 for identical files
  double offset_seconds;  // the second track starts this much later in the recording
};

// All pairs, sorted by first, then by second.
std::vector<Duplicate> find_duplicates(std::span<const TrackPrint> prints);

// "the files have the same bytes" or "fingerprints agree in 94 % of their bits, the second starts 1.0 s later".
std::string likeness(const Duplicate& duplicate);

// A recording on two sides of a split, so that a model is tested on audio that it was trained on.
struct Leak {
  Duplicate pair;
  std::string_view first_side, second_side;  // "train", "validation" or "test"
};
std::vector<Leak> find_leaks(const Split& split, std::span<const TrackPrint> prints);

}  // namespace melgrad
