// The convolutions of all models.
#pragma once

#include <set>

#include "kernels/conv2d.h"

namespace melgrad::test {

// The shapes of all convolutions on one image of n_mels x frames, without repetition.
std::set<kernel::Conv2d> model_convolutions(int64_t n_mels, int64_t frames);

}  // namespace melgrad::test
