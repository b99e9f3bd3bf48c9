#include "kernels/cast.h"

#include "kernels/cuda.cuh"

namespace melgrad::kernel::cuda {
namespace {

constexpr int threads = 256;

template <class From, class To, int width>
__global__ void __launch_bounds__(threads) convert(const From* x, To* y, int64_t vectors) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * threads + threadIdx.x;
  if (i >= vectors) return;
  const auto in = load<width>(x + i * width);
  Vector<To, width> out;
  for (int j = 0; j < width; ++j) out[j] = from_float<To>(to_float(in[j]));
  store(y + i * width, out);
}

template <class From, class To>
void launch_convert(Stream& stream, const void* x, void* y, int64_t n) {
  // The float32 side decides how wide an access is: its 16 bytes are 8 of the other.
  dispatch(DType::float32, n, {x, y}, [&]<class, int width>() {
    launch(convert<From, To, width>, static_cast<unsigned>(ceil_divide<int64_t>(n / width, threads)), threads, 0,
           stream, static_cast<const From*>(x), static_cast<To*>(y), n / width);
  });
}

}  // namespace

void cast(Stream& stream, const void* x, DType from, void* y, int64_t n) {
  if (n == 0) return;
  if (from == DType::float32) {
    launch_convert<float, bfloat16>(stream, x, y, n);
  } else {
    launch_convert<bfloat16, float>(stream, x, y, n);
  }
}

}  // namespace melgrad::kernel::cuda
