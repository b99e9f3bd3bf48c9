// Sets of points in time, as disjoint intervals in order.
#pragma once

#include <vector>

#include "kernels/device/profiler.h"

namespace melgrad {

using Intervals = std::vector<Interval>;

// The points in any of the intervals, which may overlap and come in any order.
Intervals merged(Intervals intervals);
// The points of `a` that are not in `b`; both are merged.
Intervals without(const Intervals& a, const Intervals& b);
double length(const Intervals& merged_intervals);

}  // namespace melgrad
