// Random numbers that depend on nothing but (seed, step, order of the draws within the step): the same on the CPU and
// on the GPU, in a first run and in a resumed one, whatever came before.
#pragma once

#include "framework/tensor.h"
#include "kernels/device/philox.h"

namespace melgrad {

class Generator {
 public:
  explicit Generator(uint64_t seed, Device device = Device::cpu);

  // The draws that follow belong to this step.
  void set_step(uint64_t step);
  // set_step(step + 1), by the device itself.
  void advance();
  // A fresh stream for one random kernel. Valid while the generator lives and stays at this step.
  RandomStream draw();

 private:
  uint64_t seed_;
  uint32_t next_stream_ = 0;
  Tensor step_;  // one uint64 on the device
};

// The generator that dropout draws from and parameters are initialised from; one a device.
Generator& default_generator(Device);
void manual_seed(uint64_t seed);

}  // namespace melgrad
