// Fast Fourier transforms of real signals, four signals at a time. Element i of signal l lies at [i][l], so that each
// line of the plain-looking butterflies is one AVX2 instruction for four signals.
//
// In double precision, as librosa's: in the quiet bands beside a pure tone, 80 dB below it, float32 is wrong by more
// than 0.001 dB, and the transform is too small a part of the work for its speed to matter.
//
// Lengths whose half (whose whole, when odd) has no prime factor above 13 are done by Stockham's self-sorting passes
// (Van Loan, Computational Frameworks for the Fast Fourier Transform, 1992); any other length is a convolution with a
// chirp (Bluestein 1970).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace melgrad::kernel {

inline constexpr int fft_lanes = 4;

struct alignas(fft_lanes * sizeof(double)) Lanes {
  double values[fft_lanes];
};
struct ComplexLanes {
  Lanes re, im;
};

// X[k] = sum over i of x[i] exp(-2 pi i k / length). A plan is immutable: threads may share one.
class RealFft {
 public:
  explicit RealFft(int64_t length);  // length >= 2; throws Error otherwise
  ~RealFft();
  RealFft(const RealFft&) = delete;
  RealFft& operator=(const RealFft&) = delete;

  int64_t length() const { return length_; }
  int64_t bins() const { return length_ / 2 + 1; }
  int64_t workspace() const;  // elements of ComplexLanes that `forward` needs as scratch

  // signal [length] -> spectrum [bins], with scratch [workspace()]. Nothing may overlap; the signal is destroyed.
  void forward(Lanes* signal, ComplexLanes* spectrum, ComplexLanes* scratch) const;

 private:
  class Smooth;
  class Chirp;

  int64_t length_;
  int64_t complex_length_;  // half of an even length: even samples are real parts, odd ones imaginary parts
  std::unique_ptr<Smooth> smooth_;
  std::unique_ptr<Chirp> chirp_;
  std::vector<double> twiddles_;  // [complex_length / 2 + 1] pairs that untangle the two halves of an even length
};

// The plan of a length, made once per process.
const RealFft& real_fft(int64_t length);

}  // namespace melgrad::kernel
