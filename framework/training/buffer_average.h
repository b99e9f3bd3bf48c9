// The buffers of a model, such as the running statistics of batch norm, after a training step whose batch is computed
// in parts: every part starts from the buffers before the step, and their mean over the parts, weighted by examples,
// follows. So the step changes them once, like a step in one part.
#pragma once

#include <vector>

#include "framework/module.h"

namespace melgrad {

class BufferAverage {
 public:
  explicit BufferAverage(const Module& model);

  void begin_step();
  // Call them around every part. `weight`, in device memory, is the part's share of the examples.
  void begin_part();
  void end_part(const float* weight);
  // The sums so far, float32, one for each float32 buffer; -0 without parts.
  std::vector<Tensor> sums();
  // Sets the float32 buffers to the mean. The others, such as num_batches_tracked, keep what the last part made of
  // them.
  void end_step();

 private:
  struct Entry {
    Tensor buffer, before, sum;  // sum: undefined before the first part, and if the buffer is not float32
  };
  std::vector<Entry> entries_;
};

}  // namespace melgrad
