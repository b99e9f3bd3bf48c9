// The dynamic range and the scale of crops.
//
// Memory traffic per element: 4 bytes read twice (a crop of 128 x 256 has 128 KiB, so the second read comes from the L2
// cache), 4 written in float32 or 2 in 16 bits. One block per example finds the maximum.
#include "kernels/standardise.h"

#include "kernels/device/rows.cuh"

namespace melgrad::kernel::cuda {
namespace {

constexpr int maximum_threads = 1024, maximum_warps = maximum_threads / warp_size;

// A warp takes every maximum_warps-th mel bin.
__global__ void __launch_bounds__(maximum_threads) find_crop_maxima(const float* db, CropLayout layout, float* maxima) {
  SHARED(float, of_warp, [maximum_warps]);
  const auto lane = static_cast<int>(threadIdx.x) % warp_size, warp = static_cast<int>(threadIdx.x) / warp_size;
  const float* const from = db + blockIdx.x * layout.example_stride;
  float largest = -INFINITY;
  for (int64_t mel = warp; mel < layout.n_mels; mel += maximum_warps) {
    for (int64_t t = lane; t < layout.frames; t += warp_size) largest = max(largest, from[mel * layout.mel_stride + t]);
  }
  largest = warp_max(largest);
  if (lane == 0) of_warp[warp] = largest;
  __syncthreads();
  if (warp == 0) {
    largest = warp_max(of_warp[lane]);
    if (lane == 0) maxima[blockIdx.x] = largest;
  }
}

// A row of items is one example; an item is one element.
template <class T>
__global__ void __launch_bounds__(row_threads)
    standardise_crops(const float* db, CropLayout layout, const float* maxima, float top_db, const float* mean,
                      const float* inverse_std, T* y) {
  const float floor = maxima[blockIdx.x] - top_db;
  const float* const from = db + blockIdx.x * layout.example_stride;
  const auto frames = static_cast<uint32_t>(layout.frames);  // 32 bits divide much faster than 64
  const int64_t elements = layout.n_mels * layout.frames;
  for_each_item(elements, [&](int64_t item) {
    const uint32_t mel = static_cast<uint32_t>(item) / frames, t = static_cast<uint32_t>(item) % frames;
    const float value = max(from[mel * layout.mel_stride + t], floor);
    y[blockIdx.x * elements + item] = from_float<T>((value - mean[mel]) * inverse_std[mel]);
  });
}

}  // namespace

void limit_and_standardise(Stream& stream, const float* db, CropLayout layout, float top_db, const float* mean,
                           const float* inverse_std, void* y, DType dtype) {
  const int64_t elements = layout.n_mels * layout.frames;
  if (layout.batch * elements == 0) return;
  MELGRAD_CHECK(elements <= INT32_MAX, "limit_and_standardise: {} mel bins of {} frames are too many", layout.n_mels,
                layout.frames);
  auto* const maxima = static_cast<float*>(stream.workspace(layout.batch * sizeof(float)));
  launch(find_crop_maxima, static_cast<unsigned>(layout.batch), maximum_threads, 0, stream, db, layout, maxima);
  constexpr int64_t elements_per_thread = 8;
  dispatch_type(dtype, [&]<class T>() {
    launch(standardise_crops<T>, row_grid(layout.batch, elements, elements_per_thread), row_threads, 0, stream, db,
           layout, maxima, top_db, mean, inverse_std, static_cast<T*>(y));
  });
}

}  // namespace melgrad::kernel::cuda
