// The Level of the file that includes this header.
#pragma once

#include "kernels/spectrum/log_mel.h"

namespace melgrad::kernel::spectrum::MELGRAD_LEVEL {

template <class Real>
constexpr Functions<Real> functions_of() {
  return {.lanes = lanes<Real>, .transform = transform_data<Real>, .forward = forward<Real>, .log_mel = log_mel<Real>};
}

constexpr Level functions() { return {.float32 = functions_of<float>(), .float64 = functions_of<double>()}; }

}  // namespace melgrad::kernel::spectrum::MELGRAD_LEVEL
