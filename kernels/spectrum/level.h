// Fourier transforms and mel spectrograms on the CPU, compiled once for each instruction set (kernels/device/
// cpu_level.h). A level transforms as many signals at a time as a register has lanes. Element i of signal l lies at
// [i][l], so that the code of a transform reads like that of one signal, but each operation is one instruction for
// several signals. All signals undergo the same operations, so a result does not depend on the lane.
#pragma once

#include "kernels/spectrum/tables.h"

namespace melgrad::kernel::spectrum {

// Frames whose mel bands are computed at the same time.
template <class Real>
struct FrameGroup {
  const RealFftTables<Real>& fft;
  const Real* window;          // [length]
  const float* const* frames;  // [lanes] pointers to `length` samples each
  // The filters of kernels/mel.h.
  int64_t n_mels;
  const int32_t* first_bin;
  const int32_t* offset;
  const float* weights;
  float* db;  // [n_mels] rows of `db_row` values, of which the first `count` are written
  int64_t db_row, count;

  // Registers of Real that the computation needs.
  static int64_t scratch(const RealFftTables<Real>& fft) { return fft.length + fft.bins() + fft.scratch(); }
};

// Arrays of Real are aligned to 64 bytes and consist of registers: [...][lanes]. A complex number is a register of real
// parts and one of imaginary parts.
template <class Real>
struct Functions {
  int64_t lanes;
  // data [fft.length][2][lanes], in place; for transforms without a chirp.
  void (*transform)(const ComplexFft<Real>& fft, Real* data);
  // signal [length][lanes] -> spectrum [bins][2][lanes], with scratch [fft.scratch()][lanes]. Overwrites the signal.
  void (*forward)(const RealFftTables<Real>& fft, Real* signal, Real* spectrum, Real* scratch);
  void (*log_mel)(const FrameGroup<Real>& group, Real* scratch);
};

struct Level {
  Functions<float> float32;
  Functions<double> float64;

  template <class Real>
  const Functions<Real>& of() const {
    if constexpr (sizeof(Real) == sizeof(float)) {
      return float32;
    } else {
      return float64;
    }
  }
};

// The functions of cpu_level().
const Level& level();

extern const Level portable_level;
#if defined(__x86_64__)
extern const Level avx2_level, avx512_level;
#endif

}  // namespace melgrad::kernel::spectrum
