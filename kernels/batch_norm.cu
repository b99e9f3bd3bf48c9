// Batch normalisation in two passes over the activation: the first reduces the rows (column_reduce.cuh), the second
// normalises.
//
// Memory traffic per element of x, in float32 and bfloat16: forward training 12 and 6 bytes (x read twice, y written),
// forward evaluation 8 and 4, backward training 20 and 10 (x and dy read twice, dx written), backward evaluation 16 and
// 8 (dy read twice). Partial results add 24 bytes (forward training) or 16 (backward) per channel and chunk of
// rows: a few percent unless there are few rows.
//
// Mean and variance come from a single read of x, by Welford's method in registers. Accesses of activations
// are 16 bytes wide if the channels are a multiple of 16 bytes; otherwise one element. Each thread computes the factors
// of its channels once.
#include "kernels/batch_norm.h"

#include "kernels/device/column_reduce.cuh"

namespace melgrad::kernel::cuda {
namespace {

// The mean of a set of values and the sum of their squared deviations from it. add() appends a value (Welford 1962),
// combine() appends another set (Chan, Golub & LeVeque 1979). float32 suffices even if the mean is far from zero.
struct Statistics {
  float count, mean, squared_deviations;

  __device__ void add(float value, float new_count, float inverse_count) {
    const float delta = value - mean;
    count = new_count;
    mean += delta * inverse_count;
    squared_deviations += delta * (value - mean);
  }
  __device__ void combine(const Statistics& other) {
    if (other.count == 0) return;
    const float total = count + other.count, delta = other.mean - mean;
    mean += delta * (other.count / total);
    squared_deviations += other.squared_deviations + delta * delta * (count * other.count / total);
    count = total;
  }
};

struct GradientSums {
  float d_out, d_out_x;  // sum of dy, sum of dy * (x - mean)

  __device__ void combine(const GradientSums& other) {
    d_out += other.d_out;
    d_out_x += other.d_out_x;
  }
};

template <class T, int width>
__global__ void __launch_bounds__(reduce_threads)
    batch_norm_statistics(const T* x, Statistics* partials, int64_t rows, int64_t channels, int64_t rows_per_chunk) {
  const Visit<width> visit(rows, channels, rows_per_chunk);
  Statistics statistics[width] = {};
  float count = 0;
  for (int64_t row = visit.row; row < visit.end; row += visit.step) {
    const auto values = load<width>(x + row * channels + visit.channel);
    count += 1;
    const float inverse_count = 1 / count;
    for (int c = 0; c < width; ++c) statistics[c].add(to_float(values[c]), count, inverse_count);
  }
  write_partials(statistics, partials, channels);
}

template <class T, int width>
__global__ void __launch_bounds__(reduce_threads)
    batch_norm_gradients(const T* x, const T* dy, const float* mean, GradientSums* partials, int64_t rows,
                         int64_t channels, int64_t rows_per_chunk) {
  const Visit<width> visit(rows, channels, rows_per_chunk);
  GradientSums sums[width] = {};
  float center[width];
  for (int c = 0; c < width; ++c) center[c] = visit.row < visit.end ? mean[visit.channel + c] : 0;
  for (int64_t row = visit.row; row < visit.end; row += visit.step) {
    const auto values = load<width>(x + row * channels + visit.channel);
    const auto d_values = load<width>(dy + row * channels + visit.channel);
    for (int c = 0; c < width; ++c) {
      const float d = to_float(d_values[c]);
      sums[c].combine({d, d * (to_float(values[c]) - center[c])});
    }
  }
  write_partials(sums, partials, channels);
}

__global__ void batch_norm_finish_statistics(const Statistics* partials, unsigned chunks, float* mean,
                                             float* inverse_std, float* running_mean, float* running_var,
                                             int64_t channels, float momentum, float epsilon) {
  const int64_t c = channel_of_combiner();
  const Statistics total = combine_chunks(partials, chunks, c, channels);
  if (threadIdx.y > 0 || c >= channels) return;
  mean[c] = total.mean;
  inverse_std[c] = 1 / sqrtf(total.squared_deviations / total.count + epsilon);
  running_mean[c] += momentum * (total.mean - running_mean[c]);
  running_var[c] += momentum * (total.squared_deviations / (total.count - 1) - running_var[c]);
}

__global__ void batch_norm_finish_gradients(const GradientSums* partials, unsigned chunks, const float* inverse_std,
                                            float* dgamma, float* dbeta, int64_t channels) {
  const int64_t c = channel_of_combiner();
  const GradientSums total = combine_chunks(partials, chunks, c, channels);
  if (threadIdx.y > 0 || c >= channels) return;
  dgamma[c] = total.d_out_x * inverse_std[c];
  dbeta[c] = total.d_out;
}

__global__ void batch_norm_invert_variance(const float* var, float* inverse_std, int64_t channels, float epsilon) {
  const int64_t c = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (c < channels) inverse_std[c] = 1 / sqrtf(var[c] + epsilon);
}

template <class T, int width>
__global__ void __launch_bounds__(reduce_threads)
    batch_norm_normalize(const T* x, const float* gamma, const float* beta, const float* mean, const float* inverse_std,
                         T* y, int64_t rows, int64_t channels, int64_t rows_per_chunk) {
  const Visit<width> visit(rows, channels, rows_per_chunk);
  if (visit.row >= visit.end) return;
  float center[width], scale[width], shift[width];
  for (int c = 0; c < width; ++c) {
    center[c] = mean[visit.channel + c];
    scale[c] = gamma[visit.channel + c] * inverse_std[visit.channel + c];
    shift[c] = beta[visit.channel + c];
  }
  for (int64_t row = visit.row; row < visit.end; row += visit.step) {
    const int64_t at = row * channels + visit.channel;
    auto values = load<width>(x + at);
    for (int c = 0; c < width; ++c) {
      values[c] = from_float<T>((to_float(values[c]) - center[c]) * scale[c] + shift[c]);
    }
    store(y + at, values);
  }
}

// dx = scale * (dy - offset - slope * (x - mean)), the formula of batch_norm.h with its per-channel factors collected.
template <class T, int width>
__global__ void __launch_bounds__(reduce_threads)
    batch_norm_backward_data(const T* x, const T* dy, const float* gamma, const float* mean, const float* inverse_std,
                             const float* dgamma, const float* dbeta, T* dx, int64_t rows, int64_t channels,
                             int64_t rows_per_chunk) {
  const Visit<width> visit(rows, channels, rows_per_chunk);
  if (visit.row >= visit.end) return;
  const float share = 1 / static_cast<float>(rows);
  float center[width], scale[width], slope[width], offset[width];
  for (int c = 0; c < width; ++c) {
    const int64_t channel = visit.channel + c;
    center[c] = mean[channel];
    scale[c] = gamma[channel] * inverse_std[channel];
    slope[c] = inverse_std[channel] * dgamma[channel] * share;
    offset[c] = dbeta[channel] * share;
  }
  for (int64_t row = visit.row; row < visit.end; row += visit.step) {
    const int64_t at = row * channels + visit.channel;
    const auto values = load<width>(x + at);
    auto d = load<width>(dy + at);
    for (int c = 0; c < width; ++c) {
      d[c] = from_float<T>(scale[c] * (to_float(d[c]) - offset[c] - slope[c] * (to_float(values[c]) - center[c])));
    }
    store(dx + at, d);
  }
}

template <class T, int width>
__global__ void __launch_bounds__(reduce_threads)
    batch_norm_eval_backward_data(const T* dy, const float* gamma, const float* inverse_std, T* dx, int64_t rows,
                                  int64_t channels, int64_t rows_per_chunk) {
  const Visit<width> visit(rows, channels, rows_per_chunk);
  if (visit.row >= visit.end) return;
  float scale[width];
  for (int c = 0; c < width; ++c) scale[c] = gamma[visit.channel + c] * inverse_std[visit.channel + c];
  for (int64_t row = visit.row; row < visit.end; row += visit.step) {
    auto d = load<width>(dy + row * channels + visit.channel);
    for (int c = 0; c < width; ++c) d[c] = from_float<T>(scale[c] * to_float(d[c]));
    store(dx + row * channels + visit.channel, d);
  }
}

// Writes dgamma and dbeta.
template <class T, int width>
void parameter_gradients(Stream& stream, const T* x, const T* dy, const float* mean, const float* inverse_std,
                         GradientSums* partials, float* dgamma, float* dbeta, int64_t rows, int64_t channels) {
  const Cut cut(rows, channels, width);
  launch(batch_norm_gradients<T, width>, cut.grid(), cut.block(), 0, stream, x, dy, mean, partials, rows, channels,
         cut.rows_per_chunk);
  launch(batch_norm_finish_gradients, warps_over(channels), combiner_block(), 0, stream, partials, cut.chunks,
         inverse_std, dgamma, dbeta, channels);
}

}  // namespace

void batch_norm_forward_training(Stream& stream, const void* x, const float* gamma, const float* beta, void* y,
                                 float* mean, float* inverse_std, float* running_mean, float* running_var, DType dtype,
                                 int64_t rows, int64_t channels, float momentum, float epsilon) {
  require_trainable(rows);
  if (channels == 0) return;
  dispatch(dtype, channels, {x, y}, [&]<class T, int width>() {
    const Cut cut(rows, channels, width);
    const auto* in = static_cast<const T*>(x);
    auto* partials = static_cast<Statistics*>(stream.workspace(cut.chunks * channels * sizeof(Statistics)));
    launch(batch_norm_statistics<T, width>, cut.grid(), cut.block(), 0, stream, in, partials, rows, channels,
           cut.rows_per_chunk);
    launch(batch_norm_finish_statistics, warps_over(channels), combiner_block(), 0, stream, partials, cut.chunks, mean,
           inverse_std, running_mean, running_var, channels, momentum, epsilon);
    launch(batch_norm_normalize<T, width>, cut.grid(), cut.block(), 0, stream, in, gamma, beta, mean, inverse_std,
           static_cast<T*>(y), rows, channels, cut.rows_per_chunk);
  });
}

void batch_norm_forward_evaluation(Stream& stream, const void* x, const float* gamma, const float* beta,
                                   const float* running_mean, const float* running_var, void* y, DType dtype,
                                   int64_t rows, int64_t channels, float epsilon) {
  if (rows * channels == 0) return;
  auto* inverse_std = static_cast<float*>(stream.workspace(channels * sizeof(float)));
  launch(batch_norm_invert_variance, warps_over(channels), warp_size, 0, stream, running_var, inverse_std, channels,
         epsilon);
  dispatch(dtype, channels, {x, y}, [&]<class T, int width>() {
    const Cut cut(rows, channels, width);
    launch(batch_norm_normalize<T, width>, cut.grid(), cut.block(), 0, stream, static_cast<const T*>(x), gamma, beta,
           running_mean, inverse_std, static_cast<T*>(y), rows, channels, cut.rows_per_chunk);
  });
}

void batch_norm_backward_training(Stream& stream, const void* x, const void* dy, const float* gamma, const float* mean,
                                  const float* inverse_std, void* dx, float* dgamma, float* dbeta, DType dtype,
                                  int64_t rows, int64_t channels) {
  if (rows * channels == 0) return;
  dispatch(dtype, channels, {x, dy, dx}, [&]<class T, int width>() {
    const Cut cut(rows, channels, width);
    const auto* in = static_cast<const T*>(x);
    const auto* d_out = static_cast<const T*>(dy);
    auto* partials = static_cast<GradientSums*>(stream.workspace(cut.chunks * channels * sizeof(GradientSums)));
    parameter_gradients<T, width>(stream, in, d_out, mean, inverse_std, partials, dgamma, dbeta, rows, channels);
    launch(batch_norm_backward_data<T, width>, cut.grid(), cut.block(), 0, stream, in, d_out, gamma, mean, inverse_std,
           dgamma, dbeta, static_cast<T*>(dx), rows, channels, cut.rows_per_chunk);
  });
}

void batch_norm_backward_evaluation(Stream& stream, const void* x, const void* dy, const float* gamma,
                                    const float* running_mean, const float* running_var, void* dx, float* dgamma,
                                    float* dbeta, DType dtype, int64_t rows, int64_t channels, float epsilon) {
  if (rows * channels == 0) return;
  dispatch(dtype, channels, {x, dy, dx}, [&]<class T, int width>() {
    const Cut cut(rows, channels, width);
    const auto* d_out = static_cast<const T*>(dy);
    auto* partials = static_cast<GradientSums*>(
        stream.workspace(cut.chunks * channels * sizeof(GradientSums) + channels * sizeof(float)));
    auto* inverse_std = reinterpret_cast<float*>(partials + cut.chunks * channels);
    launch(batch_norm_invert_variance, warps_over(channels), warp_size, 0, stream, running_var, inverse_std, channels,
           epsilon);
    parameter_gradients<T, width>(stream, static_cast<const T*>(x), d_out, running_mean, inverse_std, partials, dgamma,
                                  dbeta, rows, channels);
    launch(batch_norm_eval_backward_data<T, width>, cut.grid(), cut.block(), 0, stream, d_out, gamma, inverse_std,
           static_cast<T*>(dx), rows, channels, cut.rows_per_chunk);
  });
}

}  // namespace melgrad::kernel::cuda
