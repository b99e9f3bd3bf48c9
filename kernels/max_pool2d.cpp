#include "kernels/max_pool2d.h"

#include "kernels/device/parallel.h"
#include "kernels/max_pool2d_rows.h"

namespace melgrad::kernel::cpu {

void max_pool2d_forward(Stream&, const void* x, void* y, uint8_t* taken, DType dtype, Pool2d pool) {
  require_float32(dtype, "max_pool2d_forward");
  require_valid(pool);
  const auto* in = static_cast<const float*>(x);
  auto* out = static_cast<float*>(y);
  const int64_t out_height = pool.out_height(), row_elements = pool.out_width() * pool.channels;
  for_each_row(pool.batch * out_height, row_elements * pool.kernel_size * pool.kernel_size, [=](int64_t row) {
    const int64_t top = row / out_height * pool.height + row % out_height * pool.stride - pool.padding;
    pool_row(in + top * pool.width * pool.channels, pool, row, out + row * row_elements, taken + row * row_elements);
  });
}

// Each row of dx gathers from the output rows whose windows cover it, so no two threads write the same element.
void max_pool2d_backward(Stream&, const void* dy, const uint8_t* taken, void* dx, DType dtype, Pool2d pool) {
  require_float32(dtype, "max_pool2d_backward");
  require_valid(pool);
  const auto* d_out = static_cast<const float*>(dy);
  auto* d_in = static_cast<float*>(dx);
  const int64_t row_elements = pool.width * pool.channels;
  for_each_row(pool.batch * pool.height, row_elements * pool.kernel_size, [=](int64_t image_row) {
    float* const target = d_in + image_row * row_elements;
    std::fill_n(target, row_elements, 0.0f);
    gather_row(d_out, taken, pool, image_row, target);
  });
}

}  // namespace melgrad::kernel::cpu
