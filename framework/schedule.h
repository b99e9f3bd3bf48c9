// Learning rate schedules: functions from the step, counted from 0, to the learning rate.
#pragma once

#include <cstdint>
#include <functional>

namespace melgrad {

using Schedule = std::function<float(int64_t step)>;

Schedule constant_schedule(float learning_rate);
// Rises linearly, learning_rate * (step + 1) / warmup_steps, then falls along half a cosine period to 0 at total_steps
// (Loshchilov & Hutter 2017).
Schedule warmup_cosine_schedule(float learning_rate, int64_t warmup_steps, int64_t total_steps);
// Starts at learning_rate and is multiplied by gamma after every step_size steps.
Schedule step_schedule(float learning_rate, int64_t step_size, float gamma);

}  // namespace melgrad
