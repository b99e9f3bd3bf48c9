// What the networks have in common: they may have a StatisticsClassifier beside their layers.
#pragma once

#include "framework/module.h"

namespace melgrad {

// x [N, n_mels, frames, 1] -> logits [N, classes].
class Network : public Module {
 public:
  // Adds the child "statistics", a StatisticsClassifier. In evaluation mode the logits are then the mean of those of
  // the layers and of the child, in float32; in training mode they are those of the layers.
  void add_statistics(int64_t classes);

 protected:
  // The logits of the layers.
  virtual Tensor logits(const Tensor& x) = 0;

 private:
  Tensor forward(const Tensor& x) final;

  Module* statistics_ = nullptr;
};

}  // namespace melgrad
