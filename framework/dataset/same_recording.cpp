#include "framework/dataset/same_recording.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <tuple>

namespace melgrad {
namespace {

constexpr double least_overlap_seconds = 5;
// One vote by chance is common, two for the same offset are not.
constexpr size_t least_votes = 2;
// Bits that occur at more places than this identify no recording.
constexpr size_t most_places = 256;

// Entry of an index from bits (two words at the lookup distance) to the places where they occur.
struct IndexEntry {
  uint32_t bits, clip;
  int32_t step;
};

std::vector<IndexEntry> index_by_bits(std::span<const Fingerprint> fingerprints) {
  std::vector<IndexEntry> index;
  for (size_t clip = 0; clip < fingerprints.size(); ++clip) {
    const Fingerprint& print = fingerprints[clip];
    const auto distance = static_cast<size_t>(print.lookup_distance);
    for (size_t step = 0; step + distance < print.words.size(); ++step) {
      if (!print.informative[step] || !print.informative[step + distance]) continue;
      const uint32_t bits = uint32_t{print.words[step]} << fingerprint_bits | print.words[step + distance];
      index.push_back({bits, static_cast<uint32_t>(clip), static_cast<int32_t>(step)});
    }
  }
  std::sort(index.begin(), index.end(), [](const IndexEntry& a, const IndexEntry& b) {
    return std::tie(a.bits, a.clip, a.step) < std::tie(b.bits, b.clip, b.step);
  });
  return index;
}

struct Vote {
  uint32_t first, second;
  int32_t offset;
  auto operator<=>(const Vote&) const = default;
};

std::vector<Vote> sorted_votes(const std::vector<IndexEntry>& index) {
  std::vector<Vote> votes;
  for (auto begin = index.begin(); begin != index.end();) {
    const auto end =
        std::find_if(begin, index.end(), [&](const IndexEntry& entry) { return entry.bits != begin->bits; });
    if (static_cast<size_t>(end - begin) <= most_places) {
      for (auto a = begin; a != end; ++a) {
        for (auto b = a + 1; b != end; ++b) {
          if (a->clip != b->clip) votes.push_back({a->clip, b->clip, a->step - b->step});
        }
      }
    }
    begin = end;
  }
  std::sort(votes.begin(), votes.end());
  return votes;
}

}  // namespace

std::vector<RecordingPair> find_same_recordings(std::span<const Fingerprint> fingerprints, double agreement) {
  const std::vector<Vote> votes = sorted_votes(index_by_bits(fingerprints));
  std::map<std::pair<size_t, size_t>, RecordingPair> best;
  for (auto vote = votes.begin(); vote != votes.end();) {
    const auto end = std::upper_bound(vote, votes.end(), *vote);
    if (static_cast<size_t>(end - vote) >= least_votes) {
      const Fingerprint &first = fingerprints[vote->first], &second = fingerprints[vote->second];
      const Agreement found = compare(first, second, vote->offset);
      if (found.overlap_seconds >= least_overlap_seconds && found.share >= agreement) {
        RecordingPair& pair = best[{vote->first, vote->second}];
        if (found.share > pair.agreement) {
          pair = {vote->first, vote->second, found.share, vote->offset * first.step_seconds};
        }
      }
    }
    vote = end;
  }
  std::vector<RecordingPair> pairs;
  for (const auto& [clips, pair] : best) pairs.push_back(pair);
  return pairs;
}

}  // namespace melgrad
