#include "framework/dataset/split.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "framework/shuffle.h"
#include "kernels/device/error.h"

namespace melgrad {
namespace {

// Shuffles with one seed are independent of each other if their stream ids differ. Training uses ids from 0.
enum class Draw : uint64_t { test = uint64_t{1} << 63, validation, folds };

// Tracks that stay together: a group, or one track without a group.
struct Unit {
  std::vector<size_t> tracks;
  std::vector<double> per_class;
};

std::vector<Unit> make_units(const Dataset& dataset, std::span<const size_t> tracks) {
  std::vector<Unit> units;
  std::map<std::string, size_t> unit_of_group;
  for (const size_t track : tracks) {
    const Track& item = dataset.tracks[track];
    const auto [found, is_new] = unit_of_group.emplace(item.group, units.size());
    if (is_new || item.group.empty()) {
      found->second = units.size();
      units.push_back({{}, std::vector<double>(dataset.labels.size())});
    }
    Unit& unit = units[found->second];
    unit.tracks.push_back(track);
    ++unit.per_class[static_cast<size_t>(item.label)];
  }
  return units;
}

// Distributes tracks over parts, so that part p gets about shares[p] of every class. Units are taken by decreasing
// size, in random order among equals. Each goes to the part where it reduces the error most: the sum over classes of
// (missing tracks)^2 / (tracks of the class).
std::vector<std::vector<size_t>> deal(const Dataset& dataset, std::span<const size_t> tracks,
                                      std::span<const double> shares, uint64_t seed, Draw draw) {
  std::vector<Unit> units = make_units(dataset, tracks);
  shuffle(units, seed, static_cast<uint64_t>(draw));
  std::stable_sort(units.begin(), units.end(),
                   [](const Unit& a, const Unit& b) { return a.tracks.size() > b.tracks.size(); });

  std::vector<double> class_size(dataset.labels.size());
  for (const size_t track : tracks) ++class_size[static_cast<size_t>(dataset.tracks[track].label)];
  std::vector<std::vector<double>> missing;  // [part][class]: number of tracks below the share
  for (const double share : shares) {
    auto& of_part = missing.emplace_back(class_size);
    for (double& count : of_part) count *= share;
  }

  std::vector<std::vector<size_t>> parts(shares.size());
  for (const Unit& unit : units) {
    size_t best = 0;
    std::pair<double, double> best_gain{-std::numeric_limits<double>::infinity(), 0};
    for (size_t p = 0; p < parts.size(); ++p) {
      // If the first values are equal, the second ones decide: all missing tracks of the part.
      std::pair<double, double> gain{0, 0};
      for (size_t c = 0; c < class_size.size(); ++c) {
        if (unit.per_class[c] > 0) gain.first += unit.per_class[c] * missing[p][c] / class_size[c];
        gain.second += missing[p][c];
      }
      if (gain > best_gain) best = p, best_gain = gain;
    }
    parts[best].insert(parts[best].end(), unit.tracks.begin(), unit.tracks.end());
    for (size_t c = 0; c < class_size.size(); ++c) missing[best][c] -= unit.per_class[c];
  }
  return parts;
}

// Moves units of different classes from `full` to `empty` until it has about its fraction. For classes of so few tracks
// that each share rounds to nothing. A unit is moved only if all its classes keep a track in `full`.
void fill(const Dataset& dataset, double fraction, uint64_t seed, Draw draw, std::vector<size_t>& full,
          std::vector<size_t>& empty) {
  const auto wanted = std::max<int64_t>(1, std::llround(fraction * static_cast<double>(full.size())));
  std::vector<Unit> units = make_units(dataset, full);
  shuffle(units, seed, static_cast<uint64_t>(draw));
  std::vector<double> left(dataset.labels.size()), moved(dataset.labels.size());
  for (const size_t track : full) ++left[static_cast<size_t>(dataset.tracks[track].label)];
  for (const Unit& unit : units) {
    if (std::ssize(empty) >= wanted) break;
    bool fits = true;
    for (size_t c = 0; c < left.size(); ++c) {
      fits = fits && (unit.per_class[c] == 0 || (left[c] > unit.per_class[c] && moved[c] == 0));
    }
    if (!fits) continue;
    for (size_t c = 0; c < left.size(); ++c) {
      left[c] -= unit.per_class[c];
      moved[c] += unit.per_class[c];
    }
    empty.insert(empty.end(), unit.tracks.begin(), unit.tracks.end());
  }
  std::erase_if(full, [&](size_t track) { return std::ranges::find(empty, track) != empty.end(); });
}

// Moves `fraction` of `rest` into `drawn`.
void draw_part(const Dataset& dataset, double fraction, uint64_t seed, Draw draw, std::vector<size_t>& rest,
               std::vector<size_t>& drawn) {
  const bool test = draw == Draw::test;
  const char* name = test ? "test" : "validation";
  if (!(fraction >= 0 && fraction < 1))
    fail("the {} fraction is {}; it must be at least 0 and below 1", name, fraction);
  if (fraction == 0) return;
  const double shares[] = {1 - fraction, fraction};
  auto parts = deal(dataset, rest, shares, seed, draw);
  rest = std::move(parts[0]);
  drawn = std::move(parts[1]);
  if (drawn.empty()) fill(dataset, fraction, seed, draw, rest, drawn);
  if (rest.empty()) fill(dataset, 1 - fraction, seed, draw, drawn, rest);
  if (drawn.empty() || rest.empty()) {
    fail(
        "{}: too few tracks or groups for a {} fraction of {}: the {} part is empty; add tracks, or change the "
        "fraction",
        dataset.source.string(), name, fraction, drawn.empty() ? name : "training");
  }
}

std::vector<size_t> indices_of_tracks(const Dataset& dataset) {
  std::vector<size_t> tracks(dataset.tracks.size());
  for (size_t i = 0; i < tracks.size(); ++i) tracks[i] = i;
  return tracks;
}

// The fold of every track: from the data set if it defines folds, otherwise drawn.
std::vector<int> fold_of_tracks(const Dataset& dataset, const SplitOptions& options) {
  std::vector<int> folds(dataset.tracks.size());
  const auto has_fold = [](const Track& track) { return track.fold.has_value(); };
  if (std::ranges::any_of(dataset.tracks, has_fold)) {
    for (size_t i = 0; i < folds.size(); ++i) {
      const Track& track = dataset.tracks[i];
      if (!track.fold) fail("{} has no fold, but other tracks have one; give every track a fold or none", track.name);
      folds[i] = *track.fold;
    }
    const auto count = std::set<int>(folds.begin(), folds.end()).size();
    if (options.folds != 0 && static_cast<size_t>(options.folds) != count) {
      fail("{} defines {} folds, but {} are requested; leave out --folds", dataset.source.string(), count,
           options.folds);
    }
    return folds;
  }
  if (options.folds < 2) {
    fail("{} has no fold column, so --folds must give the number of folds: at least 2, not {}", dataset.source.string(),
         options.folds);
  }
  if (static_cast<size_t>(options.folds) > dataset.tracks.size()) {
    fail("{} has {} tracks, too few for {} folds; add tracks or lower --folds", dataset.source.string(),
         dataset.tracks.size(), options.folds);
  }
  const std::vector<double> shares(static_cast<size_t>(options.folds), 1.0 / options.folds);
  const auto parts = deal(dataset, indices_of_tracks(dataset), shares, options.seed, Draw::folds);
  for (size_t p = 0; p < parts.size(); ++p) {
    for (const size_t track : parts[p]) folds[track] = static_cast<int>(p);
  }
  return folds;
}

Split hold_out_fold(const Dataset& dataset, const SplitOptions& options) {
  const std::vector<int> folds = fold_of_tracks(dataset, options);
  Split split;
  for (size_t i = 0; i < folds.size(); ++i) (folds[i] == *options.fold ? split.test : split.train).push_back(i);
  if (split.test.empty() || split.train.empty()) {
    const std::set<int> known(folds.begin(), folds.end());
    fail("fold {} cannot be held out of {}; its folds are {}", *options.fold, dataset.source.string(),
         fmt::join(known, ", "));
  }
  return split;
}

Split follow_column(const Dataset& dataset) {
  Split split;
  for (size_t i = 0; i < dataset.tracks.size(); ++i) {
    const Track& track = dataset.tracks[i];
    if (track.split.empty())
      fail("{} has no split, but other tracks have one; give every track a split or none", track.name);
    auto& side = track.split == "train" ? split.train : track.split == "test" ? split.test : split.validation;
    side.push_back(i);
  }
  if (split.train.empty())
    fail("{}: no track has the split train; set it for the tracks to train on", dataset.source.string());
  return split;
}

}  // namespace

Split make_split(const Dataset& dataset, const SplitOptions& options) {
  if (dataset.labels.size() < 2) {
    fail("{}: the only label is '{}'; a classifier needs at least two, so add another", dataset.source.string(),
         dataset.labels.at(0));
  }
  Split split;
  if (options.fold) {
    split = hold_out_fold(dataset, options);
  } else if (std::ranges::any_of(dataset.tracks, [](const Track& track) { return !track.split.empty(); })) {
    split = follow_column(dataset);
  } else {
    split.train = indices_of_tracks(dataset);
    draw_part(dataset, options.test_fraction, options.seed, Draw::test, split.train, split.test);
  }
  check_disjoint(dataset, split);
  if (split.validation.empty()) {
    draw_part(dataset, options.validation_fraction, options.seed, Draw::validation, split.train, split.validation);
  }
  for (auto* side : {&split.train, &split.validation, &split.test}) std::ranges::sort(*side);
  check_disjoint(dataset, split);
  return split;
}

std::vector<int> fold_numbers(const Dataset& dataset, const SplitOptions& options) {
  const std::vector<int> folds = fold_of_tracks(dataset, options);
  const std::set<int> known(folds.begin(), folds.end());
  if (known.size() < 2) fail("{} defines one fold; cross-validation needs at least two", dataset.source.string());
  return {known.begin(), known.end()};
}

void check_disjoint(const Dataset& dataset, const Split& split) {
  struct Place {
    std::string_view side;
    size_t track;
  };
  std::map<size_t, std::string_view> side_of_track;
  std::map<std::string, Place> place_of_group;
  const auto check = [&](const std::vector<size_t>& tracks, std::string_view side) {
    for (const size_t i : tracks) {
      const Track& track = dataset.tracks.at(i);
      const auto [first, is_new] = side_of_track.emplace(i, side);
      if (!is_new) fail("{} is listed twice, in {} and {}; remove one", track.name, first->second, side);
      if (track.group.empty()) continue;
      const auto [group, is_new_group] = place_of_group.emplace(track.group, Place{side, i});
      if (group->second.side == side) continue;
      fail("the group '{}' is on two sides: {} in {}, {} in {}; move all its tracks to one side", track.group,
           dataset.tracks[group->second.track].name, group->second.side, track.name, side);
    }
  };
  check(split.train, "train");
  check(split.validation, "validation");
  check(split.test, "test");
}

}  // namespace melgrad
