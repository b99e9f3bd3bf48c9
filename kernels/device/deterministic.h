// The switch for results that are bit-identical in every run on the same machine, at some cost in speed. It affects
// cuDNN alone: by default its algorithms are chosen by measuring, and some of them give other bits in every run. The
// results of all other kernels are always bit-identical.
#pragma once

namespace melgrad::kernel {

// Initially false. Takes effect with the next operation.
void set_deterministic(bool);
bool deterministic();

}  // namespace melgrad::kernel
