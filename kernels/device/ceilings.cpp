#include "kernels/device/ceilings.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>
#include <vector>

#include "kernels/convolution/level.h"
#include "kernels/device/parallel.h"

namespace melgrad {
namespace {

// The shortest of several times: other programs can only make one longer.
double least_seconds(const std::function<void()>& run) {
  constexpr int samples = 15;
  double least = 1e9;
  for (int i = 0; i < samples; ++i) {
    const auto start = std::chrono::steady_clock::now();
    run();
    least = std::min(least, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return least;
}

double flops_per_second() {
  const kernel::convolution::Level& level = kernel::convolution::level();
  constexpr int64_t steps = int64_t{1} << 23;  // about 10 ms
  const int threads = thread_count();
  const double seconds = least_seconds([&] {
    kernel::for_each_task(threads, [&](int64_t) {
      volatile float opaque = 0.5f;  // the compiler must not know the result
      float values[] = {opaque, opaque};
      level.multiply_add(steps, values);
      opaque = values[0];
    });
  });
  return 2 * static_cast<double>(steps * level.sums * threads) / seconds;
}

double bytes_per_second() {
  constexpr size_t bytes = size_t{128} << 20;  // beyond the caches of most processors
  Stream& stream = Stream::of(Device::cpu);
  const auto free = [&stream](void* block) { stream.release(block); };
  const std::unique_ptr<void, decltype(free)> from(stream.allocate(bytes), free), to(stream.allocate(bytes), free);
  std::memset(from.get(), 1, bytes);
  const auto share = static_cast<int64_t>(bytes) / thread_count();
  const double seconds = least_seconds([&] {
    kernel::for_each_chunk(static_cast<int64_t>(bytes), share, [&](int64_t, int64_t begin, int64_t end) {
      std::memcpy(static_cast<char*>(to.get()) + begin, static_cast<const char*>(from.get()) + begin,
                  static_cast<size_t>(end - begin));
    });
  });
  return 2 * static_cast<double>(bytes) / seconds;
}

}  // namespace

Ceilings measure_cpu_ceilings() { return {flops_per_second(), bytes_per_second()}; }

}  // namespace melgrad
