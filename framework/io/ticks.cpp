#include "framework/io/ticks.h"

#include <fmt/format.h>

#include <cmath>

namespace melgrad {

std::vector<double> round_ticks(double low, double high, int most) {
  double step = std::pow(10.0, std::floor(std::log10((high - low) / most)));
  for (const double factor : {2.0, 2.5, 2.0}) {
    if ((high - low) / step > most) step *= factor;
  }
  std::vector<double> ticks;
  for (double i = std::ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; ++i) ticks.push_back(i * step);
  return ticks;
}

std::string tick_label(double value) { return fmt::format("{:.6g}", value == 0 ? 0 : value); }

}  // namespace melgrad
