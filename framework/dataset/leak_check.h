// Reports recordings that are on two sides of a split.
#pragma once

#include <vector>

#include "framework/dataset/duplicates.h"
#include "framework/terminal/reporter.h"

namespace melgrad {

// Warns of each leak that was found; if `strict`, throws Error instead.
void report_leaks(const std::vector<Leak>& leaks, const Dataset& dataset, bool strict, const Reporter& reporter);

}  // namespace melgrad
