// Log-mel spectrograms in one launch. A block takes consecutive frames: samples enter shared memory once, and only
// decibels leave it.
//
// A ring in shared memory holds the samples of one frame; the next frame replaces the oldest. A frame of n_fft samples
// is transformed as n_fft / 2 complex numbers, sample pairs, from which even and odd samples are separated again
// (Cooley, Lewis and Welch, The fast Fourier transform algorithm, 1970). The powers of some frames, a tile, lie side by
// side in shared memory, so that the lanes of a warp sum a mel band for all of them.
//
// Device memory traffic per frame: 4 hop_length bytes of samples and 4 n_mels bytes of results. Each block reads the
// window, the filters and n_fft - hop_length samples once more.
#pragma once

#include <algorithm>

#include "kernels/device/block_fft.cuh"
#include "kernels/mel.h"

namespace melgrad::kernel::cuda {

constexpr float smallest_power = 1e-10f;

__device__ inline float sample_at(const float* samples, int64_t i, int64_t length) {
  return i >= 0 && i < length ? samples[i] : 0.0f;
}

// The sum of values[i] over the `lanes` lanes whose numbers differ by multiples of `distance` goes to lane i of them.
// The order is fixed.
template <int lanes, int distance>
__device__ float transposed_sum(float (&values)[lanes]) {
#pragma unroll
  for (int half = lanes / 2; half > 0; half /= 2) {
    const bool upper = threadIdx.x & static_cast<unsigned>(half * distance);
#pragma unroll
    for (int k = 0; k < half; ++k) {
      const float given = upper ? values[k] : values[k + half];
      const float kept = upper ? values[k + half] : values[k];
      values[k] = kept + shuffle_xor(given, half * distance);
    }
  }
  return values[0];
}

template <int n_fft>
class FusedMel {
 public:
  static constexpr int points = n_fft / 2, threads = BlockFft<points>::threads;
  static constexpr int tile_frames = 8;
  // Blocks that the registers of a multiprocessor must suffice for. A thread then has at least 168.
  static constexpr int least_blocks = (threads >= 128 ? 12 : 8) * warp_size / threads;

  // Its weights begin at weights[offset], its bins at first_bin.
  struct alignas(8) Band {
    int32_t offset, first_bin;
  };

  // The arrays of a block in shared memory.
  struct Layout {
    double *re, *im;                // [points], [points]
    float *ring, *power, *weights;  // [n_fft], [points + 1, tile_frames], [n_weights]
    Band* bands;                    // [n_mels + 1]; the last is empty

    __device__ Layout(double* memory, const MelFilters& filters)
        : re(memory),
          im(re + points),
          ring(reinterpret_cast<float*>(im + points)),
          power(ring + n_fft),
          weights(power + (points + 1) * tile_frames),
          bands(reinterpret_cast<Band*>(weights + (filters.n_weights + 1) / 2 * 2)) {}

    static size_t bytes(const MelFilters& filters) {
      const int64_t words =
          4 * points + n_fft + (points + 1) * tile_frames + (filters.n_weights + 1) / 2 * 2 + 2 * (filters.n_mels + 1);
      return static_cast<size_t>(words) * sizeof(float);
    }
  };

  __device__ FusedMel(const float* samples, const double* window, Layout shared, MelFrames frames)
      : shared_(shared),
        samples_(samples),
        length_(frames.length),
        origin_(frames.start),
        hop_(static_cast<int>(frames.hop_length)),
        step_(min(hop_, n_fft)) {
#pragma unroll
    for (int i = 0; i < held; ++i) {
      const auto pair = load<2>(window + 2 * (thread() + i * threads));
      window_[i] = {pair[0], pair[1]};
    }
    factor_ = root_of_unity(thread(), n_fft);
  }

  // Fills the ring with a frame. The next __syncthreads() makes it visible.
  __device__ void start(int64_t frame) {
    for (int i = thread(); i < n_fft; i += threads) shared_.ring[i] = sample(frame * hop_ + i);
    start_ = 0;
  }

  // Writes the powers of the frame in the ring to column `column` of the tile. If has_next, the ring then holds the
  // next frame. Ends with a __syncthreads().
  __device__ void transform(int64_t frame, int column, bool has_next) {
    // The loads of the next frame's samples pass while this frame is transformed.
    const int64_t next = (frame + 1) * hop_ + n_fft - step_;
    float early[early_samples] = {};
    if (has_next) {
#pragma unroll
      for (int i = 0; i < early_samples; ++i) {
        if (const int k = thread() + i * threads; k < step_) early[i] = sample(next + k);
      }
    }

    Complex values[held];
#pragma unroll
    for (int i = 0; i < held; ++i) {
      const auto pair = sample_pair(2 * (thread() + i * threads));
      values[i] = {pair[0] * window_[i].re, pair[1] * window_[i].im};
    }
    fft_.transform(values, shared_.re, shared_.im,
                   [&](int distance, Complex z, Complex mirrored) { store_powers(distance, z, mirrored, column); });

    if (has_next) {
#pragma unroll
      for (int i = 0; i < early_samples; ++i) {
        if (const int k = thread() + i * threads; k < step_) shared_.ring[(start_ + k) & (n_fft - 1)] = early[i];
      }
      for (int k = thread() + early_samples * threads; k < step_; k += threads) {
        shared_.ring[(start_ + k) & (n_fft - 1)] = sample(next + k);
      }
    }
    start_ = (start_ + step_) & (n_fft - 1);
    __syncthreads();
  }

  // Decibels of the first `count` frames of the tile. db points to the first of them in the first of n_mels rows.
  __device__ void write_decibels(float* db, int64_t db_row, int n_mels, int count) const {
    constexpr int lanes = warp_size / tile_frames, warps = threads / warp_size;
    const int warp = thread() / warp_size, lane = thread() % warp_size;
    const int column = lane % tile_frames, share = lane / tile_frames;
    for (int first = warp * lanes; first < n_mels; first += warps * lanes) {
      float sums[lanes] = {};
#pragma unroll
      for (int k = 0; k < lanes; ++k) {
        const Band band = shared_.bands[min(first + k, n_mels)];
        const int end = shared_.bands[min(first + k + 1, n_mels)].offset;
        // Most bands have few bins. Unrolled, the loop would take registers from the window and the factors.
#pragma unroll 1
        for (int i = band.offset + share; i < end; i += lanes) {
          sums[k] += shared_.weights[i] * shared_.power[place(band.first_bin - band.offset + i, column)];
        }
      }
      const float sum = transposed_sum<lanes, tile_frames>(sums);
      if (first + share < n_mels && column < count) {
        db[(first + share) * db_row + column] = 10.0f * log10f(max(smallest_power, sum));
      }
    }
  }

 private:
  static constexpr int held = BlockFft<points>::held;
  // A quarter of a frame, which is the usual hop_length.
  static constexpr int early_samples = n_fft / 4 / threads;

  static __device__ int thread() { return static_cast<int>(threadIdx.x); }

  // Counted from the first sample of frame 0.
  __device__ float sample(int64_t i) const { return sample_at(samples_, origin_ + i, length_); }

  // Where the power of a bin lies. Consecutive bins of one column lie in different banks, and so do the columns of
  // consecutive bins.
  static __device__ int place(int bin, int column) {
    return bin * tile_frames + (column ^ ((bin * tile_frames / warp_size) & (tile_frames - 1)));
  }

  __device__ Vector<float, 2> sample_pair(int i) const {
    if (start_ % 2 == 0) return load<2>(shared_.ring + ((start_ + i) & (n_fft - 1)));
    return {{shared_.ring[(start_ + i) & (n_fft - 1)], shared_.ring[(start_ + i + 1) & (n_fft - 1)]}};
  }

  // Even samples are real parts and odd samples imaginary parts of the transformed sequence: with
  // E = (Z[k] + conj(Z[points - k])) / 2 and O = (Z[k] - conj(Z[points - k])) / 2j the spectrum is
  // X[k] = E + exp(-2 pi j k / n_fft) O, X[points - k] = conj(E - exp(-2 pi j k / n_fft) O). k is thread() + distance,
  // and distance a multiple of points / 8.
  __device__ void store_powers(int distance, Complex a, Complex b, int column) const {
    constexpr double root = 0.70710678118654752, cosine = 0.92387953251128674, sine = 0.38268343236508977;
    constexpr Complex roots[] = {{1, 0},  {cosine, -sine},  {root, -root},  {sine, -cosine},  // exp(-2 pi j i / 16)
                                 {0, -1}, {-sine, -cosine}, {-root, -root}, {-cosine, -sine}};
    const int k = thread() + distance;
    const Complex even = {a.re + b.re, a.im - b.im}, odd = {a.im + b.im, b.re - a.re};
    const Complex right = odd * (factor_ * roots[distance / (points / 8)]);
    shared_.power[place(k, column)] = quarter_power(even + right);
    shared_.power[place(points - k, column)] = quarter_power(even - right);
  }

  static __device__ float quarter_power(Complex twice) {
    return static_cast<float>(0.25 * (twice.re * twice.re + twice.im * twice.im));
  }

  Layout shared_;
  const float* samples_;
  int64_t length_, origin_;
  int hop_, step_, start_ = 0;  // samples that a frame adds to the ring; where in the ring the frame begins
  BlockFft<points> fft_;
  Complex window_[held], factor_;
};

// Block b computes the tiles b * tiles, ..., of FusedMel<n_fft>::tile_frames frames each.
template <int n_fft>
__global__ void __launch_bounds__(FusedMel<n_fft>::threads, FusedMel<n_fft>::least_blocks)
    fused_log_mel(const float* samples, const double* window, float* db, MelFilters filters, MelFrames frames,
                  int64_t tiles) {
  using Mel = FusedMel<n_fft>;
  DYNAMIC_SHARED(double, memory);
  const typename Mel::Layout shared(memory, filters);
  const auto thread = static_cast<int>(threadIdx.x);
  for (int i = thread; i < filters.n_weights; i += Mel::threads) shared.weights[i] = filters.weights[i];
  for (int i = thread; i <= filters.n_mels; i += Mel::threads) {
    shared.bands[i] = {filters.offset[i], i < filters.n_mels ? filters.first_bin[i] : 0};
  }

  const int64_t first = blockIdx.x * tiles * Mel::tile_frames;
  const int64_t end = min(frames.count, first + tiles * Mel::tile_frames);
  Mel mel(samples, window, shared, frames);
  mel.start(first);
  __syncthreads();
  for (int64_t tile = first; tile < end; tile += Mel::tile_frames) {
    const auto count = static_cast<int>(min(end - tile, int64_t{Mel::tile_frames}));
    for (int column = 0; column < count; ++column) mel.transform(tile + column, column, tile + column + 1 < end);
    mel.write_decibels(db + tile, frames.count, static_cast<int>(filters.n_mels), count);
  }
}

// Blocks of `threads` threads and `shared_bytes` that the whole device runs at once, as far as these two limit it.
inline int64_t resident_blocks(const cudaDeviceProp& device, int threads, size_t shared_bytes) {
  const size_t by_memory = device.sharedMemPerMultiprocessor / (shared_bytes + device.reservedSharedMemPerBlock);
  const int by_threads = device.maxThreadsPerMultiProcessor / threads;
  const int64_t on_each = std::max<int64_t>(1, std::min(static_cast<int64_t>(by_memory), int64_t{by_threads}));
  return on_each * device.multiProcessorCount;
}

// Launches fused_log_mel and returns true, or returns false if a block needs more shared memory than it can get.
template <int n_fft>
bool launch_fused_mel(Stream& stream, const float* samples, const double* window, float* db, MelFilters filters,
                      MelFrames frames) {
  using Mel = FusedMel<n_fft>;
  const cudaDeviceProp& device = properties(stream);
  const size_t shared_bytes = Mel::Layout::bytes(filters);
  if (shared_bytes > device.sharedMemPerBlockOptin) return false;
  const int64_t tiles = ceil_divide<int64_t>(frames.count, Mel::tile_frames);
  const int64_t tiles_a_block = ceil_divide(tiles, resident_blocks(device, Mel::threads, shared_bytes));
  launch(fused_log_mel<n_fft>, static_cast<unsigned>(ceil_divide(tiles, tiles_a_block)), Mel::threads, shared_bytes,
         stream, samples, window, db, filters, frames, tiles_a_block);
  return true;
}

// The same for any frames.n_fft. False also for those without a kernel. 8192 has none: a thread would need more
// registers than it can have.
inline bool launch_fused_mel(Stream& stream, const float* samples, const double* window, float* db, MelFilters filters,
                             MelFrames frames) {
  switch (frames.n_fft) {
    case 256:
      return launch_fused_mel<256>(stream, samples, window, db, filters, frames);
    case 512:
      return launch_fused_mel<512>(stream, samples, window, db, filters, frames);
    case 1024:
      return launch_fused_mel<1024>(stream, samples, window, db, filters, frames);
    case 2048:
      return launch_fused_mel<2048>(stream, samples, window, db, filters, frames);
    case 4096:
      return launch_fused_mel<4096>(stream, samples, window, db, filters, frames);
    default:
      return false;
  }
}

}  // namespace melgrad::kernel::cuda
