// Cross-entropy and softmax: a warp takes one row of logits, its lanes share the classes.
//
// Memory traffic per logit: cross_entropy with gradient 12 bytes in float32, 8 in 16 bits (logit and target read,
// gradient written), and 8 bytes per row for its loss; softmax 8 and 6. Repeated reads of a row come from the L1 cache.
//
// The logits of a batch are a few kilobytes, so the number of launches determines the time. Therefore the kernel that
// computes the losses writes the gradient too, and its last block the mean.
#include "kernels/cross_entropy.h"

#include <cmath>

#include "kernels/device/last_block.cuh"

namespace melgrad::kernel::cuda {
namespace {

constexpr int threads = 256, rows_of_block = threads / warp_size;

__device__ int64_t row_of_warp() {
  return static_cast<int64_t>(blockIdx.x) * rows_of_block + static_cast<int>(threadIdx.x) / warp_size;
}
__device__ int64_t first_class_of_lane() { return threadIdx.x % warp_size; }

dim3 blocks_for(int64_t rows) { return static_cast<unsigned>(ceil_divide<int64_t>(rows, rows_of_block)); }

// log(sum(exp(logits))) = maximum + log_sum of a row. The two parts are kept apart because their sum would be rounded.
// All lanes of a warp construct it together.
struct LogSumExp {
  float maximum = -INFINITY, log_sum;

  template <class T>
  __device__ LogSumExp(const T* logits, int64_t classes) {
    for (int64_t c = first_class_of_lane(); c < classes; c += warp_size) maximum = fmaxf(maximum, to_float(logits[c]));
    maximum = warp_max(maximum);
    float sum = 0;
    for (int64_t c = first_class_of_lane(); c < classes; c += warp_size) sum += expf(to_float(logits[c]) - maximum);
    log_sum = logf(warp_sum(sum));
  }
  template <class T>
  __device__ float log_softmax(T logit) const {
    return to_float(logit) - maximum - log_sum;
  }
};

struct Smoothing {
  float kept, uniform_part;

  __device__ float operator()(float target) const { return kept * target + uniform_part; }
};

template <class T>
__device__ void compute_row(const T* logits, const float* targets, float* losses, T* dlogits, int64_t row, int64_t n,
                            int64_t classes, Smoothing smoothed) {
  const T* const z = logits + row * classes;
  const float* const t = targets + row * classes;
  const LogSumExp normaliser(z, classes);
  float loss = 0, mass = 0;
  for (int64_t c = first_class_of_lane(); c < classes; c += warp_size) {
    mass += smoothed(t[c]);
    loss -= smoothed(t[c]) * normaliser.log_softmax(z[c]);
  }
  loss = warp_sum(loss);
  mass = warp_sum(mass);
  if (threadIdx.x % warp_size == 0) losses[row] = loss;
  if (!dlogits) return;
  const float share = 1 / static_cast<float>(n);
  for (int64_t c = first_class_of_lane(); c < classes; c += warp_size) {
    const float softmax = expf(normaliser.log_softmax(z[c]));
    dlogits[row * classes + c] = from_float<T>((softmax * mass - smoothed(t[c])) * share);
  }
}

// The last block computes the mean of all losses.
template <class T>
__global__ void __launch_bounds__(threads)
    cross_entropy_rows(const T* logits, const float* targets, float* losses, unsigned* arrivals, float* loss,
                       T* dlogits, int64_t n, int64_t classes, Smoothing smoothed) {
  const int64_t row = row_of_warp();
  if (row < n) compute_row(logits, targets, losses, dlogits, row, n, classes, smoothed);
  if (!is_last_block(arrivals, gridDim.x)) return;
  const float sum = block_sum<threads>(losses, n);
  if (threadIdx.x == 0) *loss = sum / static_cast<float>(n);
}

template <class T>
__global__ void __launch_bounds__(threads)
    softmax_rows(const T* logits, float* probabilities, int64_t n, int64_t classes) {
  const int64_t row = row_of_warp();
  if (row >= n) return;
  const T* const z = logits + row * classes;
  const LogSumExp normaliser(z, classes);
  for (int64_t c = first_class_of_lane(); c < classes; c += warp_size) {
    probabilities[row * classes + c] = expf(normaliser.log_softmax(z[c]));
  }
}

}  // namespace

void cross_entropy(Stream& stream, const void* logits, const float* targets, float* loss, void* dlogits, DType dtype,
                   int64_t n, int64_t classes, float label_smoothing) {
  MELGRAD_CHECK(n * classes > 0, "cross_entropy of {} rows of {} classes", n, classes);
  const Smoothing smoothed{1 - label_smoothing, label_smoothing / static_cast<float>(classes)};
  auto* const losses = static_cast<float*>(stream.workspace(n * sizeof(float)));
  dispatch_type(dtype, [&]<class T>() {
    launch(cross_entropy_rows<T>, blocks_for(n), threads, 0, stream, static_cast<const T*>(logits), targets, losses,
           arrival_counters(stream, 1), loss, static_cast<T*>(dlogits), n, classes, smoothed);
  });
}

void softmax(Stream& stream, const void* logits, float* probabilities, DType dtype, int64_t n, int64_t classes) {
  if (n * classes == 0) return;
  dispatch_type(dtype, [&]<class T>() {
    launch(softmax_rows<T>, blocks_for(n), threads, 0, stream, static_cast<const T*>(logits), probabilities, n,
           classes);
  });
}

}  // namespace melgrad::kernel::cuda
