// The switch for products of float32 on tensor cores in TF32: cuBLAS and cuDNN round the factors to 11 bits of
// precision and add in float32. Other kernels compute as before.
#pragma once

namespace melgrad::kernel {

// Initially false. Takes effect with the next operation.
void set_tf32(bool);
bool tf32();

}  // namespace melgrad::kernel
