// The switch for results that repeat to the bit in every run on the same machine, at some cost in speed. It affects
// cuDNN alone: by default its convolutions are chosen by measuring, and some of its algorithms do not repeat. All other
// kernels always repeat.
#pragma once

namespace melgrad::kernel {

// Initially false. Takes effect with the next operation.
void set_deterministic(bool);
bool deterministic();

}  // namespace melgrad::kernel
