// Learning rates by step, counted from 0.
#pragma once

#include <cstdint>
#include <functional>

namespace melgrad {

using Schedule = std::function<float(int64_t step)>;

Schedule constant_schedule(float learning_rate);
// Rises linearly, learning_rate * (step + 1) / warmup_steps, then falls along half a cosine (Loshchilov & Hutter 2017)
// to 0 at total_steps.
Schedule warmup_cosine_schedule(float learning_rate, int64_t warmup_steps, int64_t total_steps);
// Multiplied by gamma after every step_size steps.
Schedule step_schedule(float learning_rate, int64_t step_size, float gamma);

}  // namespace melgrad
