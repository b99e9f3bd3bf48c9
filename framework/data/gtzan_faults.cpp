#include "framework/data/gtzan_faults.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string_view>

namespace melgrad {
namespace {

constexpr std::string_view genres[] = {"blues", "classical", "country", "disco",  "hiphop",
                                       "jazz",  "metal",     "pop",     "reggae", "rock"};
constexpr int tracks_per_genre = 100;

struct NumberedTrack {
  std::string_view genre;
  int number;
};

// Those that the fault-filtered split (Kereliuk, Sturm and Larsen, "Deep learning and music adversaries", 2015) leaves
// out: the tracks of GTZAN that are on none of its three lists.
constexpr NumberedTrack filtered_out[] = {
    {"classical", 42}, {"country", 8}, {"country", 52}, {"disco", 38},  {"disco", 50},  {"disco", 51},  {"disco", 55},
    {"disco", 60},     {"disco", 71},  {"disco", 98},   {"hiphop", 1},  {"hiphop", 39}, {"hiphop", 46}, {"hiphop", 47},
    {"hiphop", 48},    {"hiphop", 49}, {"hiphop", 50},  {"hiphop", 76}, {"jazz", 33},   {"jazz", 34},   {"jazz", 35},
    {"jazz", 36},      {"jazz", 37},   {"jazz", 38},    {"jazz", 39},   {"jazz", 40},   {"jazz", 42},   {"jazz", 43},
    {"jazz", 44},      {"jazz", 45},   {"jazz", 46},    {"metal", 4},   {"metal", 34},  {"metal", 40},  {"metal", 41},
    {"metal", 42},     {"metal", 43},  {"metal", 44},   {"metal", 45},  {"metal", 58},  {"pop", 15},    {"pop", 21},
    {"pop", 22},       {"pop", 30},    {"pop", 37},     {"pop", 45},    {"pop", 47},    {"pop", 48},    {"pop", 51},
    {"pop", 52},       {"pop", 54},    {"pop", 56},     {"pop", 57},    {"pop", 67},    {"pop", 68},    {"pop", 87},
    {"reggae", 3},     {"reggae", 5},  {"reggae", 7},   {"reggae", 8},  {"reggae", 10}, {"reggae", 13}, {"reggae", 33},
    {"reggae", 41},    {"reggae", 73}, {"reggae", 75},  {"reggae", 80}, {"reggae", 81}, {"reggae", 86}, {"reggae", 91}};

std::string name_of(const NumberedTrack& track) { return fmt::format("{}.{:05}", track.genre, track.number); }

std::string stem(const Track& track) { return std::filesystem::path(track.name).stem().string(); }

bool is_gtzan(const Dataset& dataset) {
  if (!std::ranges::equal(dataset.labels, genres)) return false;
  const auto named_so = [&](const Track& track) {
    const std::string name = stem(track), &label = dataset.labels[static_cast<size_t>(track.label)];
    return name.size() == label.size() + 6 && name.starts_with(label + ".000");
  };
  return std::ranges::count_if(dataset.tracks, named_so) >= std::ssize(genres) * tracks_per_genre * 9 / 10;
}

std::string fault_of(const std::string& name) {
  if (name == "jazz.00054") return "cannot be read in the copy of GTZAN that Kaggle has";
  const bool listed = std::ranges::any_of(filtered_out, [&](const auto& track) { return name_of(track) == name; });
  return listed ? "repeated, mislabelled or distorted: the fault-filtered split leaves it out" : "";
}

}  // namespace

std::vector<KnownFault> known_gtzan_faults(const Dataset& dataset) {
  std::vector<KnownFault> faults;
  if (!is_gtzan(dataset)) return faults;
  for (size_t i = 0; i < dataset.tracks.size(); ++i) {
    if (std::string fault = fault_of(stem(dataset.tracks[i])); !fault.empty()) faults.push_back({i, std::move(fault)});
  }
  return faults;
}

}  // namespace melgrad
