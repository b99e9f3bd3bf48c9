// Fourier transforms of complex sequences by one thread block, in double precision (kernels/fft.h says
// why), through shared memory.
//
// Stockham's self-sorting passes (Van Loan, Computational Frameworks for the Fast Fourier Transform, 1992): each pass
// joins a few sorted transforms to a longer one. A thread holds some values in registers. Between passes the values
// change threads through two arrays in shared memory, one for the real and one for the imaginary parts.
#pragma once

#include "kernels/device/cuda.cuh"

namespace melgrad::kernel::cuda {

struct Complex {
  double re, im;
};

__device__ inline Complex operator+(Complex a, Complex b) { return {a.re + b.re, a.im + b.im}; }
__device__ inline Complex operator-(Complex a, Complex b) { return {a.re - b.re, a.im - b.im}; }
__device__ inline Complex operator*(Complex a, Complex b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

// exp(-2 pi sqrt(-1) numerator / denominator). `denominator` is a power of two, so the division is exact.
__device__ inline Complex root_of_unity(int numerator, int denominator) {
  Complex root;
  sincospi(-2.0 * numerator / denominator, &root.im, &root.re);
  return root;
}

// a exp(-2 pi sqrt(-1) k / n) for 0 <= k < n / 2 and n = 2, 4, 8.
template <int n>
__device__ Complex turned(Complex a, int k) {
  constexpr double half_root = 0.70710678118654752;  // sqrt(1 / 2)
  switch (k * 8 / n) {
    case 1:
      return {(a.re + a.im) * half_root, (a.im - a.re) * half_root};
    case 2:
      return {a.im, -a.re};
    case 3:
      return {(a.im - a.re) * half_root, -(a.re + a.im) * half_root};
    default:
      return a;
  }
}

// The transform of n values in registers, n = 1, 2, 4, 8.
template <int n>
__device__ void transform_registers(Complex (&a)[n]) {
  if constexpr (n > 1) {
    Complex even[n / 2], odd[n / 2];
#pragma unroll
    for (int i = 0; i < n / 2; ++i) {
      even[i] = a[2 * i];
      odd[i] = a[2 * i + 1];
    }
    transform_registers(even);
    transform_registers(odd);
#pragma unroll
    for (int k = 0; k < n / 2; ++k) {
      const Complex right = turned<n>(odd[k], k);
      a[k] = even[k] + right;
      a[k + n / 2] = even[k] - right;
    }
  }
}

// The transform Z of `points` values, a power of two from 128 to 2048, by a block of `threads` threads. Thread t holds
// the values t, t + threads, t + 2 threads, ...
//
// The last pass joins 2 or 4 transforms, and a thread takes those joins whose results mirror each other: it then has
// Z[k] together with Z[points - k], which a transform of real numbers needs.
template <int points>
class BlockFft {
 public:
  static constexpr int held = points >= 256 ? 8 : 4;  // values in the registers of a thread
  static constexpr int threads = points / held;
  static_assert(threads % warp_size == 0);

  // Computes the thread's factors, which are the same for every sequence.
  __device__ BlockFft() {
    int sorted = held;
#pragma unroll
    for (int pass = 0; pass < middle_passes; ++pass) {
      const int radix = radix_after(sorted);
#pragma unroll
      for (int bit = 0; 1 << bit < radix; ++bit) {
        factors_[pass][bit] = root_of_unity(thread() % sorted << bit, sorted * radix);
      }
      sorted *= radix;
    }
#pragma unroll
    for (int k = 1; k < last_radix; ++k) last_factors_[k - 1] = root_of_unity(thread() * k, points);
  }

  // Transforms the values and calls take(k - thread, Z[k], Z[points - k]), with Z[points] = Z[0], so that k takes each
  // value from 0 to points / 2 or its mirror image points - k. All threads of the block call transform. re [points], im
  // [points] in shared memory. No thread may use them from the call until its next __syncthreads().
  template <class Take>
  __device__ void transform(Complex (&values)[held], double* re, double* im, Take take) const {
    transform_registers(values);
    scatter<held, 1>(values, re, im);
    __syncthreads();
    join<0, held>(values, re, im);
    join_last(re, im, take);
  }

 private:
  static constexpr int logarithm(int n) { return n == 1 ? 0 : 1 + logarithm(n / 2); }
  static constexpr int held_bits = logarithm(held);
  static constexpr int last_radix = logarithm(points) % held_bits == 2 ? 4 : 2;
  static constexpr int pairs = held / last_radix / 2;  // of joins in the last pass, a thread
  static constexpr int middle_passes = (logarithm(points / last_radix) + held_bits - 1) / held_bits - 1;
  static constexpr int last_sorted = points / last_radix;
  // The radix of the pass before which transforms of `sorted` points are sorted.
  static constexpr __device__ int radix_after(int sorted) {
    return last_sorted / sorted < held ? last_sorted / sorted : held;
  }

  static __device__ int thread() { return static_cast<int>(threadIdx.x); }

  // The numbers of a pair of joins in the last pass. Join 0 mirrors itself, and so does join last_sorted / 2: they form
  // a pair.
  static __device__ int left(int pair) { return thread() + pair * threads; }
  static __device__ int right(int pair) { return left(pair) == 0 ? last_sorted / 2 : last_sorted - left(pair); }

  // Where element i lies in shared memory, whose banks hold 16 elements. The permutation of each 16 elements spreads
  // stores over all banks whose distance is a power of two. Where half a warp stores consecutive elements, which the
  // last pass reads, it is not needed. place(a + b) = place(a) ^ place(b) if no bit is set in both.
  template <bool permuted>
  static constexpr __device__ int place(int i) {
    return permuted ? i ^ ((i >> 4) & 7) ^ (((i >> 6) & 1) << 3) : i;
  }
  static constexpr bool last_permuted = last_sorted / held < warp_size / 2;

  // Stores the result of a pass that joined `radix` transforms of `sorted` points.
  template <int radix, int sorted>
  static __device__ void scatter(const Complex (&values)[held], double* re, double* im) {
    constexpr int groups = held / radix;
    constexpr bool permuted = sorted * radix < last_sorted || last_permuted;
#pragma unroll
    for (int group = 0; group < groups; ++group) {
      const int number = thread() + group * threads;
      const int first = place<permuted>(number / sorted * sorted * radix + number % sorted);
#pragma unroll
      for (int k = 0; k < radix; ++k) {
        const int i = first ^ place<permuted>(k * sorted);
        re[i] = values[group + k * groups].re;
        im[i] = values[group + k * groups].im;
      }
    }
  }

  // All passes from that which finds transforms of `sorted` points to the last but one.
  template <int pass, int sorted>
  __device__ void join(Complex (&values)[held], double* re, double* im) const {
    if constexpr (pass < middle_passes) {
      constexpr int radix = radix_after(sorted), groups = held / radix;
      const int first = place<true>(thread());
#pragma unroll
      for (int k = 0; k < held; ++k) {
        const int i = first ^ place<true>(k * threads);
        values[k] = {re[i], im[i]};
      }
      __syncthreads();
#pragma unroll
      for (int group = 0; group < groups; ++group) {
        Complex joined[radix];
#pragma unroll
        for (int k = 0; k < radix; ++k) joined[k] = values[group + k * groups];
        multiply_by_powers(joined, factors_[pass]);
        transform_registers(joined);
#pragma unroll
        for (int k = 0; k < radix; ++k) values[group + k * groups] = joined[k];
      }
      scatter<radix, sorted>(values, re, im);
      __syncthreads();
      join<pass + 1, sorted * radix>(values, re, im);
    }
  }

  // values[k] *= w^k, given w, w^2, w^4. The other powers are computed anew each time, to save registers.
  template <int radix>
  static __device__ void multiply_by_powers(Complex (&values)[radix], const Complex (&factors)[held_bits]) {
    Complex powers[radix];
#pragma unroll
    for (int bit = 0; 1 << bit < radix; ++bit) {
#pragma unroll
      for (int k = 1 << bit; k < 2 << bit; ++k) {
        powers[k] = k == 1 << bit ? factors[bit] : powers[k - (1 << bit)] * factors[bit];
        values[k] = values[k] * powers[k];
      }
    }
  }

  // One join of the last pass: element k of the result is Z[number + k last_sorted]. factor(k) is
  // exp(-2 pi sqrt(-1) k number / points).
  template <class Factor>
  static __device__ void join_one(int number, Factor factor, const double* re, const double* im,
                                  Complex (&joined)[last_radix]) {
#pragma unroll
    for (int k = 0; k < last_radix; ++k) {
      const int i = place<last_permuted>(number + k * last_sorted);
      joined[k] = {re[i], im[i]};
      if (k > 0) joined[k] = joined[k] * factor(k);
    }
    transform_registers(joined);
  }

  template <class Take>
  __device__ void join_last(const double* re, const double* im, Take take) const {
#pragma unroll
    for (int pair = 0; pair < pairs; ++pair) {
      Complex a[last_radix], b[last_radix];
      const bool self_mirrored = left(pair) == 0;
      const auto factor = [&](int k) { return turned<held>(last_factors_[k - 1], pair * k); };
      // The conjugate of factor(k), times exp(-2 pi sqrt(-1) k / last_radix).
      const auto mirrored_factor = [&](int k) {
        if (self_mirrored) return turned<2 * last_radix>({1, 0}, k);
        const Complex conjugate = {factor(k).re, -factor(k).im};
        const Complex half = turned<last_radix>(conjugate, k % (last_radix / 2));
        return k < last_radix / 2 ? half : Complex{-half.re, -half.im};
      };
      join_one(left(pair), factor, re, im, a);
      join_one(right(pair), mirrored_factor, re, im, b);
#pragma unroll
      for (int k = 0; k < last_radix; ++k) {
        const Complex mirrored = self_mirrored ? a[(last_radix - k) % last_radix] : b[last_radix - 1 - k];
        take(pair * threads + k * last_sorted, a[k], mirrored);
      }
      if (!self_mirrored) continue;
#pragma unroll
      for (int k = 0; k < last_radix / 2; ++k) take(last_sorted / 2 + k * last_sorted, b[k], b[last_radix - 1 - k]);
    }
  }

  Complex factors_[middle_passes][held_bits];
  Complex last_factors_[last_radix - 1];
};

}  // namespace melgrad::kernel::cuda
