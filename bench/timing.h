// How long work on a device takes: warmed up, repeated until a sample is long enough for the clock, medians.
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

// body() is called again and again; it only queues work where the device works by itself.
template <class Body>
Timing measure(Stream& stream, Body body, int samples = 11, double sample_seconds = 0.02) {
  using Clock = std::chrono::steady_clock;
  const auto seconds_of = [&](int calls) {
    const auto start = Clock::now();
    for (int i = 0; i < calls; ++i) body();
    stream.synchronize();
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  seconds_of(2);  // plans are chosen, caches filled
  const int calls = static_cast<int>(std::clamp(sample_seconds / std::max(seconds_of(1), 1e-7), 1.0, 1000.0));
  std::vector<double> seconds;
  for (int i = 0; i < samples; ++i) seconds.push_back(seconds_of(calls) / calls);
  std::sort(seconds.begin(), seconds.end());
  return {seconds[seconds.size() / 2], seconds.front(), samples, calls};
}

}  // namespace melgrad::bench
