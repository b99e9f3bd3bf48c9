// The test signals of fixtures/make_log_mel.py, from the same formulas: 16-bit samples, so that both hold the same
// bits.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <stdexcept>
#include <string>
#include <vector>

namespace melgrad {

inline std::vector<float> synthetic_signal(const std::string& name, int rate, double seconds) {
  const auto n = static_cast<int64_t>(rate * seconds);
  std::vector<float> signal;
  uint32_t state = 1;
  for (int64_t i = 0; i < n; ++i) {
    const double t = static_cast<double>(i) / rate, turn = 2 * std::numbers::pi;
    double x = 0;
    if (name == "noise") {
      state = 1664525u * state + 1013904223u;
      signal.push_back(static_cast<float>((static_cast<int>(state >> 16) - 32768) / 32768.0));
      continue;
    } else if (name == "sweep") {
      x = 0.8 * std::sin(turn * (50 * t + (0.45 * rate - 50) / (2 * seconds) * t * t));
    } else if (name == "chord") {
      for (const double hz : {220.0, 277.18, 329.63, 1760.0}) x += 0.2 * std::sin(turn * hz * t);
    } else if (name == "clicks") {
      x = i % (rate / 4) == 100 ? 0.9 : 0.0;
    } else if (name == "constant") {
      x = 0.25;
    } else if (name != "silence") {
      throw std::invalid_argument(name);
    }
    signal.push_back(static_cast<float>(std::floor(x * 32767 + 0.5) / 32768));
  }
  return signal;
}

}  // namespace melgrad
