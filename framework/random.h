// Random numbers that depend only on the seed, the step and the order of the draws within the step. They are the same
// on the CPU and on the GPU, and in an uninterrupted and in a resumed run.
#pragma once

#include "framework/tensor.h"
#include "kernels/device/philox.h"

namespace melgrad {

class Generator {
 public:
  explicit Generator(uint64_t seed, Device device = Device::cpu);

  // Makes the following draws belong to `step`.
  void set_step(uint64_t step);
  // Does the same as set_step(step + 1), but on the device.
  void advance();
  // Makes the following draws belong to the step that `step` points to when they run. It lies in `memory`, on the
  // device.
  void follow(const Tensor& memory, const uint64_t* step);
  // Makes the draws of the step begin again, for the part of its batch that starts with example `first`: an example
  // gets the same numbers in any part.
  void begin_part(int64_t first);
  // A new stream for one random kernel. It is valid until the generator is destroyed or changes its step.
  RandomStream draw();

 private:
  uint64_t seed_;
  uint32_t next_stream_ = 0;
  uint64_t first_ = 0;          // example of the step's batch
  Tensor own_step_, followed_;  // uint64 scalar on the device; the memory of another step, or undefined
  const uint64_t* step_;        // in one of them
};

// The generator of a device, from which dropout and the initialisation of parameters draw.
Generator& default_generator(Device);
// Resets the default generators of all devices to a seed.
void manual_seed(uint64_t seed);

}  // namespace melgrad
