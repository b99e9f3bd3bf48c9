// The Level of the file that includes this header.
#pragma once

#include "kernels/convolution/micro_kernel.h"
#include "kernels/convolution/winograd_tiles.h"

namespace melgrad::kernel::convolution::MELGRAD_LEVEL {

constexpr Level functions() {
  return {.multiply = multiply,
          .multiply_add = multiply_add_registers,
          .sums = MELGRAD_REGISTERS * lanes,
          .transform_input = transform_tiles<points_per_axis, transform_inputs>,
          .transform_gradient = transform_tiles<tile, transform_output_gradients>,
          .transform_output = transform_output,
          .transform_weights = transform_weights,
          .transform_filter_gradient = transform_filter_gradient};
}

}  // namespace melgrad::kernel::convolution::MELGRAD_LEVEL
