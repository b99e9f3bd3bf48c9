#include "framework/profile/ceilings.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "framework/tensor.h"
#include "kernels/convolution/level.h"
#include "kernels/device/parallel.h"
#include "kernels/device/scratch.h"
#include "kernels/linear.h"

namespace melgrad {
namespace {

// The shortest of several times: other programs can only make one longer.
template <class Body>
double least_seconds_on(Stream& stream, const Body& body) {
  body();  // chooses algorithms
  double least = 1e9;
  for (int sample = 0; sample < 15; ++sample) {
    stream.synchronize();
    const auto start = std::chrono::steady_clock::now();
    body();
    stream.synchronize();
    least = std::min(least, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return least;
}

double multiply_adds_of_cpu(Stream& stream) {
  const kernel::convolution::Level& level = kernel::convolution::level();
  constexpr int64_t steps = int64_t{1} << 23;  // about 10 ms
  const int threads = thread_count();
  const double seconds = least_seconds_on(stream, [&] {
    kernel::for_each_task(threads, [&](int64_t) {
      volatile float opaque = 0.5f;  // the compiler must not know the result
      float values[] = {opaque, opaque};
      level.multiply_add(steps, values);
      opaque = values[0];
    });
  });
  return 2 * static_cast<double>(steps * level.sums * threads) / seconds;
}

double copies_of_cpu(Stream& stream) {
  constexpr size_t bytes = size_t{128} << 20;  // beyond the caches of most processors
  const Scratch from(stream, bytes), to(stream, bytes);
  std::memset(from.get(), 1, bytes);
  const auto share = static_cast<int64_t>(bytes) / thread_count();
  const double seconds = least_seconds_on(stream, [&] {
    kernel::for_each_chunk(static_cast<int64_t>(bytes), share, [&](int64_t, int64_t begin, int64_t end) {
      std::memcpy(static_cast<char*>(to.get()) + begin, static_cast<const char*>(from.get()) + begin,
                  static_cast<size_t>(end - begin));
    });
  });
  return 2 * static_cast<double>(bytes) / seconds;
}

Ceilings measure_cpu_ceilings(Stream& stream) { return {multiply_adds_of_cpu(stream), copies_of_cpu(stream)}; }

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
  return stream.device() == Device::cpu ? measure_cpu_ceilings(stream) : measure_gpu_ceilings(stream, dtype);
}

}  // namespace melgrad
