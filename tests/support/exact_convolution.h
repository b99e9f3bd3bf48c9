// Convolutions by direct sums in a scope: tests whose tolerances are those of direct sums need it.
#pragma once

#include "kernels/convolution/exact.h"

namespace melgrad::test {

class ExactConvolution {
 public:
  ExactConvolution() { kernel::set_exact_convolution(true); }
  ~ExactConvolution() { kernel::set_exact_convolution(false); }
  ExactConvolution(const ExactConvolution&) = delete;
  ExactConvolution& operator=(const ExactConvolution&) = delete;
};

}  // namespace melgrad::test
