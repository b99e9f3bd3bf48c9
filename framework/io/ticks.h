// The ticks of an axis and their labels.
#pragma once

#include <string>
#include <vector>

namespace melgrad {

// The multiples of 1, 2 or 5 times a power of ten in [low, high] that make at most `most` steps.
std::vector<double> round_ticks(double low, double high, int most);
std::string tick_label(double value);

}  // namespace melgrad
