// SGD with momentum: one pass, limited by memory bandwidth. Each element reads 12 bytes (parameter, gradient, velocity)
// and writes 8; each thread moves 16 bytes of every array at a time.
#include "kernels/sgd.h"

#include "kernels/device/elementwise.cuh"

namespace melgrad::kernel::cuda {
namespace {

template <int width>
__global__ void __launch_bounds__(elementwise_threads)
    sgd_elements(float* parameters, const float* gradients, float* velocities, int64_t n, SgdRule rule) {
  for_vector_of_thread<width>(n, [&]<int taken>(int64_t first) {
    auto parameter = load<taken>(parameters + first), velocity = load<taken>(velocities + first);
    const auto gradient = load<taken>(gradients + first);
    for (int j = 0; j < taken; ++j) rule.update(parameter[j], gradient[j], velocity[j]);
    store(parameters + first, parameter);
    store(velocities + first, velocity);
  });
}

}  // namespace

void sgd_step(Stream& stream, float* parameter, const float* gradient, float* velocity, int64_t n, float learning_rate,
              float momentum, float weight_decay) {
  if (n == 0) return;
  dispatch(DType::float32, any_extent, {parameter, gradient, velocity}, [&]<class, int width>() {
    launch(sgd_elements<width>, elementwise_blocks(n, width), elementwise_threads, 0, stream, parameter, gradient,
           velocity, n, SgdRule{learning_rate, momentum, weight_decay});
  });
}

}  // namespace melgrad::kernel::cuda
