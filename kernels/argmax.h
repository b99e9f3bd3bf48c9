// The index of the largest of n values: the class that logits predict. The first of equal values counts.
#pragma once

#include <cstdint>

#include "kernels/device/low_precision.h"

namespace melgrad {

template <class T>
MELGRAD_HOST_DEVICE int64_t argmax(const T* values, int64_t n) {
  int64_t best = 0;
  for (int64_t i = 1; i < n; ++i) {
    if (to_float(values[i]) > to_float(values[best])) best = i;
  }
  return best;
}

}  // namespace melgrad
