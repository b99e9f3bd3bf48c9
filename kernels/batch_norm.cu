// Batch normalisation in two passes over the activation: the first reduces the rows (column_reduce.cuh), the second
// normalises. Each pass is one launch.
//
// Memory traffic per element, in units of the dtype's size (2 bytes in 16 bits): forward training 3 (x read twice, y
// written), forward evaluation 2, each 1 more with a residual. Backward: 5 (x and dy read twice, dx written). With a
// residual it is 7 (x, y and dy read, dz written, then x and dz read, dx written), or 8 with a second gradient of y;
// the separate relu, add and sum of gradients would make it 14. Partial results add 16 bytes per channel and chunk of
// rows.
//
// The second pass visits the rows from the last to the first, because the L2 cache still holds the last ones.
#include "kernels/batch_norm.h"

#include "kernels/batch_norm.cuh"

namespace melgrad::kernel::cuda {
namespace {

// The mean of a set of values and the sum of their squared deviations from it. add() appends a value (Welford 1962),
// combine() appends another set (Chan, Golub & LeVeque 1979). float32 suffices even if the mean is far from zero.
struct Moments {
  float count, mean, squared_deviations;

  __device__ void add(float value, float new_count, float inverse_count) {
    const float delta = value - mean;
    count = new_count;
    mean += delta * inverse_count;
    squared_deviations += delta * (value - mean);
  }
  __device__ void combine(const Moments& other) {
    if (other.count == 0) return;
    const float total = count + other.count, delta = other.mean - mean;
    mean += delta * (other.count / total);
    squared_deviations += other.squared_deviations + delta * delta * (count * other.count / total);
    count = total;
  }
};
// The moments of a chunk, whose count follows from the shape.
struct alignas(8) StoredMoments {
  float mean, squared_deviations;
};

template <class T, int width>
__global__ void __launch_bounds__(reduce_threads, least_blocks)
    reduce_statistics(const T* x, Partials<StoredMoments> partials, BatchNormStatistics statistics,
                      RunningStatistics running, int64_t rows, int64_t channels, int64_t rows_per_chunk, float momentum,
                      float epsilon) {
  const Visit<width> visit(rows, channels, rows_per_chunk);
  Moments moments[width] = {};
  float count = 0;
  visit.for_each_row(
      channels, [&](int64_t i) { return load<width>(x + i); },
      [&](int64_t, const Vector<T, width>& values) {
        count += 1;
        const float inverse_count = 1 / count;
        for (int c = 0; c < width; ++c) moments[c].add(to_float(values[c]), count, inverse_count);
      });
  reduce_chunks(
      moments, partials, channels,
      [](const Moments& m) {
        return StoredMoments{m.mean, m.squared_deviations};
      },
      [&](const StoredMoments& m, unsigned chunk) {
        const int64_t first = chunk * rows_per_chunk;
        return Moments{static_cast<float>(min(rows - first, rows_per_chunk)), m.mean, m.squared_deviations};
      },
      [&](int64_t c, const Moments& total) {
        statistics.mean[c] = total.mean;
        statistics.inverse_std[c] = 1 / sqrtf(total.squared_deviations / total.count + epsilon);
        running.mean[c] += momentum * (total.mean - running.mean[c]);
        running.var[c] += momentum * (total.squared_deviations / (total.count - 1) - running.var[c]);
        if (c == 0 && running.batches) ++*running.batches;
      });
}

template <class T, int width, bool with_residual>
__global__ void __launch_bounds__(reduce_threads, least_blocks)
    batch_norm_apply(const T* x, const T* residual, bool relu, BatchNormNormalization normalization, T* y, int64_t rows,
                     int64_t channels, int64_t rows_per_chunk) {
  const Visit<width> visit(rows, channels, rows_per_chunk, Chunks::descending);
  const Factors<width> factors(normalization, channels);
  struct Loaded {
    Vector<T, width> x, residual;
  };
  visit.for_each_row(
      channels,
      [&](int64_t i) {
        Loaded in;
        in.x = load<width>(x + i);
        if constexpr (with_residual) in.residual = load<width>(residual + i);
        return in;
      },
      [&](int64_t i, const Loaded& in) {
        Vector<T, width> out;
        for (int c = 0; c < width; ++c) {
          float z = factors.normalize(to_float(in.x[c]), c);
          if constexpr (with_residual) z += to_float(in.residual[c]);
          out[c] = from_float<T>(relu ? Relu()(z) : z);
        }
        store(y + i, out);
      });
}

// The ways in which a kernel derives the gradient of z from that of y.
enum class Form {
  identity,    // y = z
  recomputed,  // y = relu(z): z is recomputed from x
  with_dz      // y = relu(z): y is read, and dz is written
};

// `joined`: there is a second gradient of y.
template <class T, int width, Form form, bool joined>
__global__ void __launch_bounds__(reduce_threads, least_blocks)
    batch_norm_reduce_gradients(const T* x, const T* dy, const T* second_dy, const T* y, T* dz,
                                BatchNormNormalization normalization, Partials<GradientSums> partials, float* dgamma,
                                float* dbeta, int64_t rows, int64_t channels, int64_t rows_per_chunk) {
  const Visit<width> visit(rows, channels, rows_per_chunk);
  GradientSums sums[width] = {};
  struct Loaded {
    Vector<T, width> x, dy, second_dy, y;
  };
  const Factors<width> factors(normalization, channels);
  visit.for_each_row(
      channels,
      [&](int64_t i) {
        Loaded in;
        in.x = load<width>(x + i);
        in.dy = load<width>(dy + i);
        if constexpr (joined) in.second_dy = load<width>(second_dy + i);
        if constexpr (form == Form::with_dz) in.y = load<width>(y + i);
        return in;
      },
      [&](int64_t i, const Loaded& in) {
        Vector<T, width> masked;
        for (int c = 0; c < width; ++c) {
          const float value = to_float(in.x[c]);
          float d = to_float(in.dy[c]);
          if constexpr (joined) d += to_float(in.second_dy[c]);
          if constexpr (form == Form::recomputed) d = ReluGradient()(factors.normalize(value, c), d);
          if constexpr (form == Form::with_dz) {
            masked[c] = from_float<T>(ReluGradient()(to_float(in.y[c]), d));
            d = to_float(masked[c]);  // rounded, as the second pass reads it
          }
          sums[c].combine({d, d * (value - factors.center(c))});
        }
        if constexpr (form == Form::with_dz) store(dz + i, masked);
      });
  reduce_chunks(sums, partials, channels, [&](int64_t c, const GradientSums& total) {
    dgamma[c] = total.d_x * inverse_std_of(normalization.constants, c);
    dbeta[c] = total.d;
  });
}

// `share` is 1 / rows, or 0 if the statistics are constants. `recomputed`: `d` is dy of relu(z), not dz.
template <class T, int width, bool recomputed>
__global__ void __launch_bounds__(reduce_threads, least_blocks)
    batch_norm_backward_data(const T* x, const T* d, BatchNormNormalization normalization, const float* dgamma,
                             const float* dbeta, float share, T* dx, int64_t rows, int64_t channels,
                             int64_t rows_per_chunk) {
  const Visit<width> visit(rows, channels, rows_per_chunk, Chunks::descending);
  const Factors<width> factors(normalization, channels);
  const DataGradientFactors<width> gradient(normalization, dgamma, dbeta, share, channels);
  struct Loaded {
    Vector<T, width> x, d;
  };
  visit.for_each_row(
      channels,
      [&](int64_t i) {
        return Loaded{load<width>(x + i), load<width>(d + i)};
      },
      [&](int64_t i, const Loaded& in) {
        Vector<T, width> out;
        for (int c = 0; c < width; ++c) {
          const float value = to_float(in.x[c]);
          float dz = to_float(in.d[c]);
          if constexpr (recomputed) dz = ReluGradient()(factors.normalize(value, c), dz);
          out[c] = from_float<T>(gradient(factors, value, dz, c));
        }
        store(dx + i, out);
      });
}

void apply(Stream& stream, const void* x, BatchNormEpilogue epilogue, const BatchNormNormalization& normalization,
           void* y, BatchNormSize size) {
  if (size.rows * size.channels == 0) return;
  const auto& [affine, constants] = normalization;
  dispatch(size.dtype, size.channels,
           {x, y, epilogue.residual, affine.gamma, affine.beta, constants.mean, constants.inverse_std, constants.var},
           [&]<class T, int width>() {
             const Cut cut(size.rows, size.channels, width);
             const auto kernel =
                 epilogue.residual ? batch_norm_apply<T, width, true> : batch_norm_apply<T, width, false>;
             launch(kernel, cut.grid(), cut.block(), 0, stream, static_cast<const T*>(x),
                    static_cast<const T*>(epilogue.residual), epilogue.relu, normalization, static_cast<T*>(y),
                    size.rows, size.channels, cut.rows_per_chunk);
           });
}

template <class T, int width>
void launch_sums(Stream& stream, const void* x, const BatchNormOutputGradient& d,
                 const BatchNormNormalization& normalization, float* dgamma, float* dbeta, BatchNormSize size,
                 const Cut& cut) {
  const auto kernel = d.dz     ? (d.second_dy ? batch_norm_reduce_gradients<T, width, Form::with_dz, true>
                                              : batch_norm_reduce_gradients<T, width, Form::with_dz, false>)
                      : d.relu ? (d.second_dy ? batch_norm_reduce_gradients<T, width, Form::recomputed, true>
                                              : batch_norm_reduce_gradients<T, width, Form::recomputed, false>)
                               : batch_norm_reduce_gradients<T, width, Form::identity, false>;
  launch(kernel, cut.grid(), cut.block(), 0, stream, static_cast<const T*>(x), static_cast<const T*>(d.dy),
         static_cast<const T*>(d.second_dy), static_cast<const T*>(d.y), static_cast<T*>(d.dz), normalization,
         Partials<GradientSums>(stream, cut), dgamma, dbeta, size.rows, size.channels, cut.rows_per_chunk);
}

void backward(Stream& stream, const void* x, const BatchNormOutputGradient& d,
              const BatchNormNormalization& normalization, float share, void* dx, float* dgamma, float* dbeta,
              BatchNormSize size) {
  if (size.rows * size.channels == 0) return;
  const auto& [affine, constants] = normalization;
  dispatch(size.dtype, size.channels,
           {x, d.dy, d.second_dy, d.y, d.dz, dx, affine.gamma, affine.beta, constants.mean, constants.inverse_std,
            constants.var, dgamma, dbeta},
           [&]<class T, int width>() {
             const Cut cut(size.rows, size.channels, width);
             launch_sums<T, width>(stream, x, d, normalization, dgamma, dbeta, size, cut);
             const bool recomputed = d.relu && !d.dz;
             const auto data =
                 recomputed ? batch_norm_backward_data<T, width, true> : batch_norm_backward_data<T, width, false>;
             launch(data, cut.grid(), cut.block(), 0, stream, static_cast<const T*>(x),
                    static_cast<const T*>(d.dz ? d.dz : d.dy), normalization, dgamma, dbeta, share, static_cast<T*>(dx),
                    size.rows, size.channels, cut.rows_per_chunk);
           });
}

}  // namespace

void batch_norm_statistics(Stream& stream, const void* x, BatchNormStatistics statistics, RunningStatistics running,
                           BatchNormSize size, float momentum, float epsilon) {
  require_trainable(size.rows);
  if (size.channels == 0) return;
  dispatch(size.dtype, size.channels, {x}, [&]<class T, int width>() {
    const Cut cut(size.rows, size.channels, width);
    launch(reduce_statistics<T, width>, cut.grid(), cut.block(), 0, stream, static_cast<const T*>(x),
           Partials<StoredMoments>(stream, cut), statistics, running, size.rows, size.channels, cut.rows_per_chunk,
           momentum, epsilon);
  });
}

void batch_norm_backward_sums(Stream& stream, const void* x, BatchNormOutputGradient d,
                              BatchNormNormalization normalization, float* dgamma, float* dbeta, BatchNormSize size) {
  if (size.rows * size.channels == 0) return;
  const auto& [affine, constants] = normalization;
  dispatch(size.dtype, size.channels,
           {x, d.dy, d.second_dy, d.y, d.dz, affine.gamma, affine.beta, constants.mean, constants.inverse_std,
            constants.var, dgamma, dbeta},
           [&]<class T, int width>() {
             launch_sums<T, width>(stream, x, d, normalization, dgamma, dbeta, size,
                                   Cut(size.rows, size.channels, width));
           });
}

void batch_norm_forward_training(Stream& stream, const void* x, BatchNormEpilogue epilogue, BatchNormAffine affine,
                                 void* y, BatchNormStatistics statistics, RunningStatistics running, BatchNormSize size,
                                 float momentum, float epsilon) {
  batch_norm_statistics(stream, x, statistics, running, size, momentum, epsilon);
  apply(stream, x, epilogue, {affine, constants_of(statistics)}, y, size);
}

void batch_norm_forward_evaluation(Stream& stream, const void* x, BatchNormEpilogue epilogue, BatchNormAffine affine,
                                   void* y, RunningStatistics running, BatchNormSize size, float epsilon) {
  apply(stream, x, epilogue, {affine, constants_of(running, epsilon)}, y, size);
}

void batch_norm_backward_training(Stream& stream, const void* x, BatchNormOutputGradient d, BatchNormAffine affine,
                                  BatchNormStatistics statistics, void* dx, float* dgamma, float* dbeta,
                                  BatchNormSize size) {
  backward(stream, x, d, {affine, constants_of(statistics)}, 1 / static_cast<float>(size.rows), dx, dgamma, dbeta,
           size);
}

void batch_norm_backward_evaluation(Stream& stream, const void* x, BatchNormOutputGradient d, BatchNormAffine affine,
                                    RunningStatistics running, void* dx, float* dgamma, float* dbeta,
                                    BatchNormSize size, float epsilon) {
  backward(stream, x, d, {affine, constants_of(running, epsilon)}, 0, dx, dgamma, dbeta, size);
}

}  // namespace melgrad::kernel::cuda
