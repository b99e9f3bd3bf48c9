#include "framework/dataset/duplicates.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "framework/dataset/same_recording.h"

namespace melgrad {

std::vector<Duplicate> find_duplicates(std::span<const TrackPrint> prints) {
  std::vector<Duplicate> duplicates;
  std::map<ContentHash, std::vector<size_t>> tracks_of_content;
  for (const TrackPrint& print : prints) tracks_of_content[print.content].push_back(print.track);
  for (auto& [content, tracks] : tracks_of_content) {
    std::ranges::sort(tracks);
    for (size_t i = 0; i < tracks.size(); ++i) {
      for (size_t j = i + 1; j < tracks.size(); ++j) duplicates.push_back({tracks[i], tracks[j], true, 1, 0});
    }
  }
  std::vector<Fingerprint> fingerprints;
  for (const TrackPrint& print : prints) fingerprints.push_back(print.fingerprint);
  for (const RecordingPair& pair : find_same_recordings(fingerprints)) {
    const TrackPrint &first = prints[pair.first], &second = prints[pair.second];
    if (first.content == second.content) continue;
    const bool in_order = first.track < second.track;
    duplicates.push_back({std::min(first.track, second.track), std::max(first.track, second.track), false,
                          pair.agreement, in_order ? pair.offset_seconds : -pair.offset_seconds});
  }
  std::ranges::sort(duplicates, {}, [](const Duplicate& pair) { return std::pair(pair.first, pair.second); });
  return duplicates;
}

std::string likeness(const Duplicate& duplicate) {
  if (duplicate.identical) return "the files have the same bytes";
  std::string text = fmt::format("fingerprints agree in {:.0f} % of their bits", 100 * duplicate.agreement);
  const double audible = 0.1;
  if (std::abs(duplicate.offset_seconds) >= audible) {
    text += fmt::format(", the second starts {:.1f} s {}", std::abs(duplicate.offset_seconds),
                        duplicate.offset_seconds > 0 ? "later" : "earlier");
  }
  return text;
}

std::vector<Leak> find_leaks(const Split& split, std::span<const TrackPrint> prints) {
  std::map<size_t, std::string_view> side_of_track;
  for (const size_t track : split.train) side_of_track[track] = "train";
  for (const size_t track : split.validation) side_of_track[track] = "validation";
  for (const size_t track : split.test) side_of_track[track] = "test";
  std::vector<Leak> leaks;
  for (const Duplicate& pair : find_duplicates(prints)) {
    const Leak leak{pair, side_of_track.at(pair.first), side_of_track.at(pair.second)};
    if (leak.first_side != leak.second_side) leaks.push_back(leak);
  }
  return leaks;
}

}  // namespace melgrad
