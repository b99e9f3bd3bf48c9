#include "framework/profile/intervals.h"

#include <algorithm>

namespace melgrad {

Intervals merged(Intervals intervals) {
  std::ranges::sort(intervals, {}, &Interval::begin);
  Intervals result;
  for (const Interval& interval : intervals) {
    if (!result.empty() && interval.begin <= result.back().end) {
      result.back().end = std::max(result.back().end, interval.end);
    } else {
      result.push_back(interval);
    }
  }
  return result;
}

Intervals without(const Intervals& a, const Intervals& b) {
  Intervals result;
  auto cut = b.begin();
  for (Interval rest : a) {
    while (cut != b.end() && cut->end <= rest.begin) ++cut;
    for (auto next = cut; next != b.end() && next->begin < rest.end; ++next) {
      if (next->begin > rest.begin) result.push_back({rest.begin, next->begin});
      rest.begin = std::min(rest.end, next->end);
    }
    if (rest.begin < rest.end) result.push_back(rest);
  }
  return result;
}

double length(const Intervals& merged_intervals) {
  double seconds = 0;
  for (const Interval& interval : merged_intervals) seconds += interval.seconds();
  return seconds;
}

}  // namespace melgrad
