// Whether results must be the same to the bit in every run on the same machine, at some cost in speed. The kernels of
// this project always are; cuDNN picks its convolution by measuring, and among algorithms of which some are not.
#pragma once

namespace melgrad::kernel {

// At first false. Takes effect from the next operation on.
void set_deterministic(bool);
bool deterministic();

}  // namespace melgrad::kernel
