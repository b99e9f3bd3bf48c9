// Every convolution of every model.
#pragma once

#include <set>

#include "kernels/conv2d.h"

namespace melgrad::test {

// Those of one image of n_mels x frames, each shape once.
std::set<kernel::Conv2d> model_convolutions(int64_t n_mels, int64_t frames);

}  // namespace melgrad::test
