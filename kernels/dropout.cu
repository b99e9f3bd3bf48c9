#include "kernels/dropout.h"

#include "kernels/elementwise.cuh"

namespace melgrad::kernel::cuda {
namespace {

constexpr int lanes = 4;  // a draw decides about four elements

template <class T, int width>
__global__ void __launch_bounds__(elementwise_threads)
    drop(const T* x, T* y, int64_t vectors, float probability, float kept, RandomStream random) {
  static_assert(width == 1 || width % lanes == 0);
  const int64_t i = vector_of_thread();
  if (i >= vectors) return;
  auto values = load<width>(x + i * width);
  for (int first = 0; first < width; first += lanes) {
    const int64_t element = i * width + first;
    const Philox4 bits = random.draw(static_cast<uint64_t>(element / lanes));
    for (int j = first; j < min(first + lanes, width); ++j) {
      const uint32_t drawn = bits.v[width == 1 ? element % lanes : j - first];
      values[j] = from_float<T>(uniform(drawn) >= probability ? to_float(values[j]) * kept : 0.0f);
    }
  }
  store(y + i * width, values);
}

}  // namespace

void dropout(Stream& stream, const void* x, void* y, DType dtype, int64_t n, float probability, RandomStream random) {
  MELGRAD_CHECK(probability >= 0 && probability < 1, "dropout: the probability is {}", probability);
  if (n == 0) return;
  dispatch(dtype, n, {x, y}, [&]<class T, int width>() {
    launch(drop<T, width>, blocks_of_vectors(n / width), elementwise_threads, 0, stream, static_cast<const T*>(x),
           static_cast<T*>(y), n / width, probability, 1 / (1 - probability), random);
  });
}

}  // namespace melgrad::kernel::cuda
