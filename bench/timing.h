// Measures the time of work on a device: median of several samples after a warm-up. Each sample repeats the work until
// it takes long enough for the clock.
#pragma once

#include <algorithm>
#include <chrono>
#include <vector>

#include "kernels/device/stream.h"

namespace melgrad::bench {

struct Timing {
  double median_seconds, least_seconds;  // of one call
  int samples, calls_a_sample;
};

// Calls body() repeatedly. On a GPU body() only queues work; each sample ends with a synchronisation.
template <class Body>
Timing measure(Stream& stream, Body body, int samples = 11, double sample_seconds = 0.02) {
  using Clock = std::chrono::steady_clock;
  const auto seconds_of = [&](int calls) {
    const auto start = Clock::now();
    for (int i = 0; i < calls; ++i) body();
    stream.synchronize();
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  seconds_of(2);  // warm-up: chooses convolution plans and fills caches
  const int calls = static_cast<int>(std::clamp(sample_seconds / std::max(seconds_of(1), 1e-7), 1.0, 1000.0));
  std::vector<double> seconds;
  for (int i = 0; i < samples; ++i) seconds.push_back(seconds_of(calls) / calls);
  std::sort(seconds.begin(), seconds.end());
  return {seconds[seconds.size() / 2], seconds.front(), samples, calls};
}

}  // namespace melgrad::bench
