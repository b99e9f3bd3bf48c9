// Conversion between float32 and a 16-bit type: one pass, 6 bytes per element, limited by memory bandwidth.
#include "kernels/cast.h"

#include "kernels/device/elementwise.cuh"

namespace melgrad::kernel::cuda {
namespace {

struct Cast {
  __device__ float operator()(float x) const { return x; }
};

template <class From, class To>
void launch_cast(Stream& stream, const void* x, void* y, int64_t n) {
  // A thread moves 4 elements at a time: 16 bytes of float32 and 8 bytes of a 16-bit type.
  dispatch(DType::float32, any_extent, {x, y}, [&]<class, int width>() {
    launch(elementwise<width, To, Cast, From>, elementwise_blocks(n, width), elementwise_threads, 0, stream, Cast{},
           static_cast<To*>(y), n, static_cast<const From*>(x));
  });
}

}  // namespace

void cast(Stream& stream, const void* x, DType from, void* y, DType to, int64_t n) {
  if (n == 0) return;
  if (from == DType::float32) {
    dispatch_type(to, [&]<class To>() { launch_cast<float, To>(stream, x, y, n); });
  } else {
    dispatch_type(from, [&]<class From>() { launch_cast<From, float>(stream, x, y, n); });
  }
}

}  // namespace melgrad::kernel::cuda
