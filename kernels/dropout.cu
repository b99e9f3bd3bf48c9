// Dropout.
//
// Memory traffic per element: 8 bytes in float32, 4 in 16 bits (x read, y written).
//
// One Philox draw of four words decides about four elements. The decisions depend on the element's index alone, so no
// mask is stored, and the backward pass draws them again.
#include "kernels/dropout.h"

#include "kernels/device/elementwise.cuh"

namespace melgrad::kernel::cuda {
namespace {

constexpr int draw_words = 4;  // of a Philox4

template <class T, int width>
__global__ void __launch_bounds__(elementwise_threads)
    dropout_elements(const T* x, T* y, int64_t n, float probability, float kept, RandomStream random) {
  static_assert(width == 1 || width % draw_words == 0);
  for_vector_of_thread<width>(n, [&]<int count>(int64_t first) {
    auto values = load<count>(x + first);
    for (int begin = 0; begin < count; begin += draw_words) {
      const uint64_t element = random.place(first + begin);
      const Philox4 bits = random.draw(element / draw_words);
      for (int j = begin; j < min(begin + draw_words, count); ++j) {
        const uint32_t drawn = bits.v[count == 1 ? element % draw_words : j - begin];
        values[j] = from_float<T>(uniform(drawn) >= probability ? to_float(values[j]) * kept : 0.0f);
      }
    }
    store(y + first, values);
  });
}

}  // namespace

void dropout(Stream& stream, const void* x, void* y, DType dtype, int64_t n, float probability, RandomStream random) {
  MELGRAD_CHECK(probability >= 0 && probability < 1, "dropout: the probability {} is not in [0, 1)", probability);
  if (n == 0) return;
  // An access is decided by whole draws, so it starts at the first element of one.
  dispatch(dtype, static_cast<int64_t>(random.first), {x, y}, [&]<class T, int width>() {
    launch(dropout_elements<T, width>, elementwise_blocks(n, width), elementwise_threads, 0, stream,
           static_cast<const T*>(x), static_cast<T*>(y), n, probability, 1 / (1 - probability), random);
  });
}

}  // namespace melgrad::kernel::cuda
