#include "framework/profile/ceilings.h"

#include <algorithm>
#include <chrono>

#include "framework/tensor.h"
#include "kernels/linear.h"

namespace melgrad {
namespace {

template <class Body>
double least_seconds_on(Stream& stream, const Body& body) {
  body();  // chooses algorithms
  double least = 1e9;
  for (int sample = 0; sample < 7; ++sample) {
    stream.synchronize();
    const auto start = std::chrono::steady_clock::now();
    body();
    stream.synchronize();
    least = std::min(least, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return least;
}

Ceilings measure_gpu_ceilings(Stream& stream, DType dtype) {
  const int64_t side = Stream::built_for_gpus ? 8192 : 32, floats = Stream::built_for_gpus ? int64_t{1} << 27 : 1 << 12;
  const auto zeros = [&](int64_t n, DType type) {
    const Tensor tensor = Tensor::empty({n}, type, stream.device());
    stream.zero(tensor.data(), tensor.bytes());
    return tensor;
  };
  const Tensor a = zeros(side * side, dtype), b = zeros(side * side, dtype), c = zeros(side * side, dtype);
  const double product = least_seconds_on(
      stream, [&] { kernel::linear_forward(stream, a.data(), b.data(), nullptr, c.data(), dtype, side, side, side); });
  const Tensor from = zeros(floats, DType::float32), to = zeros(floats, DType::float32);
  const double copy = least_seconds_on(stream, [&] { stream.copy(to.data(), from.data(), from.bytes()); });
  const auto n = static_cast<double>(side);
  return {2 * n * n * n / product, 2 * static_cast<double>(from.bytes()) / copy};
}

}  // namespace

Ceilings measure_ceilings(Stream& stream, DType dtype) {
  return stream.device() == Device::cpu ? measure_cpu_ceilings() : measure_gpu_ceilings(stream, dtype);
}

}  // namespace melgrad
