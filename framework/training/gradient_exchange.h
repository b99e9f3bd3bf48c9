// Adds up what the ranks of a data-parallel training computed in one step.
#pragma once

#include <span>
#include <vector>

#include "framework/module.h"
#include "kernels/device/communicator.h"

namespace melgrad {

class GradientExchange {
 public:
  // The parameters must require gradients and must stay on the CPU, like all tensors given below.
  GradientExchange(Communicator& ranks, std::vector<Named> parameters);

  // Replaces the gradients of the parameters and the values of `further` float32 tensors by their sums over the ranks,
  // in rank order. A rank that computed nothing has undefined gradients.
  void sum(std::span<const Tensor> further);

 private:
  Communicator& ranks_;
  std::vector<Named> parameters_;
  std::vector<float> values_;  // of all tensors, one after another
};

}  // namespace melgrad
