// The sum of two batch norms and ReLU in one pass.
//
// Memory traffic in units of the dtype's size, per element of y: forward 3 (both activations read, y written); backward
// 8 (both activations and dy read twice, two gradients written), or 10 with a second gradient of y. Batch norm of the
// shortcut alone and batch_norm_add_relu would make it 5, and 12 or 13. For the statistics, both activations are read
// once more.
#include "kernels/batch_norm_sum.h"

#include "kernels/batch_norm.cuh"

namespace melgrad::kernel::cuda {
namespace {

// Rows that a thread loads at once. More would take more registers than least_blocks leave.
constexpr int overlapping = 2;

// The factors of a thread's channels: z = (a - center_a) * scale_a + (b - center_b) * scale_b + shift. All threads of
// the block must construct it.
template <int width>
struct SumFactors {
  PerChannel<width> of[5];

  __device__ SumFactors(const BatchNormNormalization& a, const BatchNormNormalization& b, int64_t channels) {
    share_channels(of, channels, [&](int64_t channel, float(&values)[5]) {
      values[0] = a.constants.mean[channel];
      values[1] = a.affine.gamma[channel] * inverse_std_of(a.constants, channel);
      values[2] = b.constants.mean[channel];
      values[3] = b.affine.gamma[channel] * inverse_std_of(b.constants, channel);
      values[4] = a.affine.beta[channel] + b.affine.beta[channel];
    });
  }
  __device__ float centered_a(float a, int c) const { return a - of[0][c]; }
  __device__ float centered_b(float b, int c) const { return b - of[2][c]; }
  __device__ float scale_a(int c) const { return of[1][c]; }
  __device__ float scale_b(int c) const { return of[3][c]; }
  __device__ float normalize(float a, float b, int c) const {
    return centered_a(a, c) * scale_a(c) + (centered_b(b, c) * scale_b(c) + of[4][c]);
  }
};

// dx = scale * (dz - offset - slope * (x - mean)) for both terms, whose offsets are equal. All threads of the block
// must construct it.
template <int width>
struct SumGradientFactors {
  PerChannel<width> of[3];

  __device__ SumGradientFactors(const BatchNormNormalization& a, const BatchNormNormalization& b, const float* dgamma_a,
                                const float* dgamma_b, const float* dbeta, float share, int64_t channels) {
    share_channels(of, channels, [&](int64_t channel, float(&values)[3]) {
      values[0] = share == 0 ? 0 : dbeta[channel] * share;
      values[1] = share == 0 ? 0 : inverse_std_of(a.constants, channel) * dgamma_a[channel] * share;
      values[2] = share == 0 ? 0 : inverse_std_of(b.constants, channel) * dgamma_b[channel] * share;
    });
  }
  __device__ float of_a(const SumFactors<width>& factors, float a, float dz, int c) const {
    return factors.scale_a(c) * (dz - of[0][c] - of[1][c] * factors.centered_a(a, c));
  }
  __device__ float of_b(const SumFactors<width>& factors, float b, float dz, int c) const {
    return factors.scale_b(c) * (dz - of[0][c] - of[2][c] * factors.centered_b(b, c));
  }
};

struct TermSums {
  float d, d_a, d_b;  // sums of dz, of dz * (a - mean) and of dz * (b - mean)

  __device__ void combine(const TermSums& other) {
    d += other.d;
    d_a += other.d_a;
    d_b += other.d_b;
  }
};
struct alignas(16) StoredTermSums {
  TermSums sums;
};

template <class T, int width>
__global__ void __launch_bounds__(reduce_threads, least_blocks)
    normalize_and_add(const T* a, const T* b, BatchNormNormalization of_a, BatchNormNormalization of_b, T* y,
                      int64_t rows, int64_t channels, int64_t rows_per_chunk) {
  const Visit<width> visit(rows, channels, rows_per_chunk, Chunks::descending);
  const SumFactors<width> factors(of_a, of_b, channels);
  struct Loaded {
    Vector<T, width> a, b;
  };
  visit.template for_each_row<overlapping>(
      channels,
      [&](int64_t i) {
        return Loaded{load<width>(a + i), load<width>(b + i)};
      },
      [&](int64_t i, const Loaded& in) {
        Vector<T, width> out;
        for (int c = 0; c < width; ++c) {
          out[c] = from_float<T>(Relu()(factors.normalize(to_float(in.a[c]), to_float(in.b[c]), c)));
        }
        store(y + i, out);
      });
}

// Calls use(element, a, b, dz) for each of the thread's vectors: `dz` is the gradient of z for `width` channels.
// `joined`: there is a second gradient of y.
template <bool joined, int width, class T, class Use>
__device__ void for_each_gradient(const Visit<width>& visit, const SumFactors<width>& factors, const T* a, const T* b,
                                  const T* dy, const T* second_dy, int64_t channels, Use use) {
  struct Loaded {
    Vector<T, width> a, b, dy, second_dy;
  };
  visit.template for_each_row<overlapping>(
      channels,
      [&](int64_t i) {
        Loaded in;
        in.a = load<width>(a + i);
        in.b = load<width>(b + i);
        in.dy = load<width>(dy + i);
        if constexpr (joined) in.second_dy = load<width>(second_dy + i);
        return in;
      },
      [&](int64_t i, const Loaded& in) {
        float dz[width];
        for (int c = 0; c < width; ++c) {
          float d = to_float(in.dy[c]);
          if constexpr (joined) d += to_float(in.second_dy[c]);
          dz[c] = ReluGradient()(factors.normalize(to_float(in.a[c]), to_float(in.b[c]), c), d);
        }
        use(i, in.a, in.b, dz);
      });
}

template <class T, int width, bool joined>
__global__ void __launch_bounds__(reduce_threads, least_blocks)
    reduce_sum_gradients(const T* a, const T* b, const T* dy, const T* second_dy, BatchNormNormalization of_a,
                         BatchNormNormalization of_b, Partials<StoredTermSums> partials, float* dgamma_a,
                         float* dbeta_a, float* dgamma_b, float* dbeta_b, int64_t rows, int64_t channels,
                         int64_t rows_per_chunk) {
  const Visit<width> visit(rows, channels, rows_per_chunk);
  TermSums sums[width] = {};
  const SumFactors<width> factors(of_a, of_b, channels);
  for_each_gradient<joined>(
      visit, factors, a, b, dy, second_dy, channels,
      [&](int64_t, const Vector<T, width>& in_a, const Vector<T, width>& in_b, const float(&dz)[width]) {
        for (int c = 0; c < width; ++c) {
          sums[c].combine({dz[c], dz[c] * factors.centered_a(to_float(in_a[c]), c),
                           dz[c] * factors.centered_b(to_float(in_b[c]), c)});
        }
      });
  reduce_chunks(
      sums, partials, channels, [](const TermSums& total) { return StoredTermSums{total}; },
      [](const StoredTermSums& stored, unsigned) { return stored.sums; },
      [&](int64_t c, const TermSums& total) {
        dgamma_a[c] = total.d_a * inverse_std_of(of_a.constants, c);
        dgamma_b[c] = total.d_b * inverse_std_of(of_b.constants, c);
        dbeta_a[c] = dbeta_b[c] = total.d;
      });
}

template <class T, int width, bool joined>
__global__ void __launch_bounds__(reduce_threads, least_blocks)
    sum_backward_data(const T* a, const T* b, const T* dy, const T* second_dy, BatchNormNormalization of_a,
                      BatchNormNormalization of_b, const float* dgamma_a, const float* dgamma_b, const float* dbeta,
                      float share, T* da, T* db, int64_t rows, int64_t channels, int64_t rows_per_chunk) {
  const Visit<width> visit(rows, channels, rows_per_chunk, Chunks::descending);
  const SumFactors<width> factors(of_a, of_b, channels);
  const SumGradientFactors<width> gradient(of_a, of_b, dgamma_a, dgamma_b, dbeta, share, channels);
  for_each_gradient<joined>(
      visit, factors, a, b, dy, second_dy, channels,
      [&](int64_t i, const Vector<T, width>& in_a, const Vector<T, width>& in_b, const float(&dz)[width]) {
        Vector<T, width> out_a, out_b;
        for (int c = 0; c < width; ++c) {
          out_a[c] = from_float<T>(gradient.of_a(factors, to_float(in_a[c]), dz[c], c));
          out_b[c] = from_float<T>(gradient.of_b(factors, to_float(in_b[c]), dz[c], c));
        }
        store(da + i, out_a);
        store(db + i, out_b);
      });
}

}  // namespace

void batch_norm_sum_forward(Stream& stream, BatchNormTerm a, BatchNormTerm b, void* y, BatchNormSize size) {
  if (size.rows * size.channels == 0) return;
  dispatch(size.dtype, size.channels, {a.x, b.x, y}, [&]<class T, int width>() {
    const Cut cut(size.rows, size.channels, width);
    launch(normalize_and_add<T, width>, cut.grid(), cut.block(), 0, stream, static_cast<const T*>(a.x),
           static_cast<const T*>(b.x), a.normalization, b.normalization, static_cast<T*>(y), size.rows, size.channels,
           cut.rows_per_chunk);
  });
}

void batch_norm_sum_backward(Stream& stream, BatchNormTerm a, BatchNormTerm b, const void* dy, const void* second_dy,
                             bool training, BatchNormTermGradient da, BatchNormTermGradient db, BatchNormSize size) {
  if (size.rows * size.channels == 0) return;
  dispatch(size.dtype, size.channels, {a.x, b.x, dy, second_dy, da.dx, db.dx}, [&]<class T, int width>() {
    const Cut cut(size.rows, size.channels, width);
    const auto *const in_a = static_cast<const T*>(a.x), *const in_b = static_cast<const T*>(b.x);
    const auto *const d = static_cast<const T*>(dy), *const second = static_cast<const T*>(second_dy);
    launch(second ? reduce_sum_gradients<T, width, true> : reduce_sum_gradients<T, width, false>, cut.grid(),
           cut.block(), 0, stream, in_a, in_b, d, second, a.normalization, b.normalization,
           Partials<StoredTermSums>(stream, cut), da.dgamma, da.dbeta, db.dgamma, db.dbeta, size.rows, size.channels,
           cut.rows_per_chunk);
    launch(second ? sum_backward_data<T, width, true> : sum_backward_data<T, width, false>, cut.grid(), cut.block(), 0,
           stream, in_a, in_b, d, second, a.normalization, b.normalization, da.dgamma, db.dgamma, da.dbeta,
           training ? 1 / static_cast<float>(size.rows) : 0.0f, static_cast<T*>(da.dx), static_cast<T*>(db.dx),
           size.rows, size.channels, cut.rows_per_chunk);
  });
}

}  // namespace melgrad::kernel::cuda
