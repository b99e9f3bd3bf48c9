// Crops of training examples.
//
// Memory traffic per element of y: 4 bytes read, and 4 written in float32 or 2 in 16 bits. Mean and inverse_std come
// from the L1 cache. The starts are drawn by a kernel of their own, which writes 8 bytes per example.
//
// A crop may begin at any frame, so reads are single floats, and neighbouring lanes take neighbouring frames.
#include "kernels/crop.h"

#include "kernels/device/rows.cuh"

namespace melgrad::kernel::cuda {
namespace {

__global__ void __launch_bounds__(row_threads)
    draw_crop_starts(const Clip* clips, const int64_t* picks, int64_t* starts, int64_t batch, int64_t crop_frames,
                     RandomStream random) {
  for_each_item(batch, [&](int64_t i) { starts[i] = random_crop_start(clips[picks[i]], crop_frames, random, i); });
}

// A row of items is one example; an item is one element.
template <class T>
__global__ void __launch_bounds__(row_threads)
    cut_crops(const Clip* clips, const int64_t* picks, const int64_t* starts, T* y, int64_t n_mels, int64_t crop_frames,
              const float* mean, const float* inverse_std) {
  const int64_t elements = n_mels * crop_frames;
  const Clip clip = clips[picks[blockIdx.x]];
  // 32 bits hold the sum of two positions in a row and divide much faster than 64 bits.
  const auto frames = static_cast<uint32_t>(clip.frames), start = static_cast<uint32_t>(starts[blockIdx.x]);
  const auto length = static_cast<uint32_t>(crop_frames);
  T* const example = y + blockIdx.x * elements;
  for_each_item(elements, [&](int64_t item) {
    const uint32_t mel = static_cast<uint32_t>(item) / length, t = static_cast<uint32_t>(item) % length;
    const uint32_t frame = start + t < frames ? start + t : (start + t) % frames;
    example[item] = from_float<T>((clip.db[mel * clip.frames + frame] - mean[mel]) * inverse_std[mel]);
  });
}

}  // namespace

void random_crop_starts(Stream& stream, const Clip* clips, const int64_t* picks, int64_t* starts, int64_t batch,
                        int64_t crop_frames, RandomStream random) {
  if (batch == 0) return;
  launch(draw_crop_starts, row_grid(1, batch), row_threads, 0, stream, clips, picks, starts, batch, crop_frames,
         random);
}

void crop(Stream& stream, const Clip* clips, const int64_t* picks, const int64_t* starts, void* y, DType dtype,
          int64_t batch, int64_t n_mels, int64_t crop_frames, const float* mean, const float* inverse_std) {
  const int64_t elements = n_mels * crop_frames;
  if (batch * elements == 0) return;
  MELGRAD_CHECK(elements <= INT32_MAX, "crop: {} mel bins of {} frames are too many", n_mels, crop_frames);
  constexpr int64_t elements_per_thread = 8;
  dispatch_type(dtype, [&]<class T>() {
    launch(cut_crops<T>, row_grid(batch, elements, elements_per_thread), row_threads, 0, stream, clips, picks, starts,
           static_cast<T*>(y), n_mels, crop_frames, mean, inverse_std);
  });
}

}  // namespace melgrad::kernel::cuda
