#include "framework/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace melgrad {

Schedule constant_schedule(float learning_rate) {
  return [=](int64_t) { return learning_rate; };
}

Schedule warmup_cosine_schedule(float learning_rate, int64_t warmup_steps, int64_t total_steps) {
  return [=](int64_t step) {
    if (step < warmup_steps) {
      return learning_rate * static_cast<float>(step + 1) / static_cast<float>(warmup_steps);
    }
    const double fallen = static_cast<double>(std::min(step, total_steps) - warmup_steps) /
                          static_cast<double>(std::max<int64_t>(1, total_steps - warmup_steps));
    return static_cast<float>(learning_rate * 0.5 * (1 + std::cos(std::numbers::pi * fallen)));
  };
}

Schedule step_schedule(float learning_rate, int64_t step_size, float gamma) {
  return [=](int64_t step) {
    const int64_t falls = step / step_size;
    return static_cast<float>(learning_rate * std::pow(static_cast<double>(gamma), static_cast<double>(falls)));
  };
}

}  // namespace melgrad
