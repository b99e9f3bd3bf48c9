// Targets of a classifier, made on the device that holds the labels.
#pragma once

#include "kernels/device/kernel.h"

namespace melgrad::kernel {

// y float32 [batch, classes]: y[i, c] = 1 if labels[picks[i]] is c, otherwise 0. labels int32, picks int64 [batch]; all
// arrays lie in the stream's memory.
KERNEL(one_hot, const int32_t* labels, const int64_t* picks, float* y, int64_t batch, int64_t classes)

}  // namespace melgrad::kernel
