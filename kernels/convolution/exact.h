// The switch for convolutions on the CPU by direct sums alone. Winograd's algorithm (winograd.h) is faster
// and has larger rounding errors.
#pragma once

namespace melgrad::kernel {

// Initially false. Takes effect with the next operation.
void set_exact_convolution(bool);
bool exact_convolution();

}  // namespace melgrad::kernel
