#include "apps/synth/harmony.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <sstream>
#include <string>

#include "kernels/device/error.h"

namespace melgrad::synth {
namespace {

struct Numeral {
  std::string_view name;
  int root;
};
// Longer names come first, so that VII is not read as V.
constexpr std::array<Numeral, 7> numerals = {
    {{"vii", 11}, {"iii", 4}, {"iv", 5}, {"vi", 9}, {"ii", 2}, {"v", 7}, {"i", 0}}};

struct Quality {
  std::string_view suffix;
  bool minor;
  std::vector<int> tones;
};

const std::vector<Quality>& qualities() {
  static const std::vector<Quality> table = {
      {"", false, {0, 4, 7}},       {"", true, {0, 3, 7}},       {"5", false, {0, 7, 12}},
      {"5", true, {0, 7, 12}},      {"6", false, {0, 4, 7, 9}},  {"6", true, {0, 3, 7, 9}},
      {"7", false, {0, 4, 7, 10}},  {"7", true, {0, 3, 7, 10}},  {"maj7", false, {0, 4, 7, 11}},
      {"9", false, {0, 4, 10, 14}}, {"9", true, {0, 3, 10, 14}}, {"dim", true, {0, 3, 6, 9}},
      {"sus4", false, {0, 5, 7}},
  };
  return table;
}

Chord read_chord(std::string_view word) {
  std::string_view rest = word;
  int root = 0;
  for (; !rest.empty() && (rest[0] == 'b' || rest[0] == '#'); rest.remove_prefix(1)) root += rest[0] == 'b' ? -1 : 1;
  std::string lower(rest);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  const auto numeral =
      std::find_if(numerals.begin(), numerals.end(), [&](const Numeral& one) { return lower.starts_with(one.name); });
  if (numeral == numerals.end()) fail("'{}' is not a chord: it has no Roman numeral", word);
  const bool minor = std::islower(static_cast<unsigned char>(rest[0])) != 0;
  const std::string_view suffix = rest.substr(numeral->name.size());
  for (const Quality& quality : qualities()) {
    if (quality.suffix == suffix && quality.minor == minor) return {(root + numeral->root + 12) % 12, quality.tones};
  }
  fail("'{}' is not a chord: there is no suffix '{}'", word, suffix);
}

}  // namespace

std::vector<std::vector<Chord>> read_progression(std::string_view progression) {
  std::vector<std::vector<Chord>> bars;
  std::istringstream words{std::string(progression)};
  for (std::string word; words >> word;) {
    std::istringstream chords(word);
    std::vector<Chord> bar;
    for (std::string chord; std::getline(chords, chord, ',');) bar.push_back(read_chord(chord));
    bars.push_back(std::move(bar));
  }
  return bars;
}

const std::vector<int>& degrees(Scale scale) {
  static const std::vector<std::vector<int>> table = {
      {0, 2, 4, 5, 7, 9, 11}, {0, 2, 3, 5, 7, 8, 10}, {0, 2, 3, 5, 7, 8, 11},
      {0, 2, 3, 5, 7, 9, 10}, {0, 2, 4, 5, 7, 9, 10}, {0, 1, 3, 5, 7, 8, 10},
      {0, 3, 5, 6, 7, 10},    {0, 2, 4, 7, 9},        {0, 3, 5, 7, 10},
  };
  return table[static_cast<size_t>(scale)];
}

}  // namespace melgrad::synth
