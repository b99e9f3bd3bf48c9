// Gathers samples of several frames into registers that hold the same sample of all frames: a transposition. Registers
// are first loaded from four samples of every fourth frame; then each quarter of them (128 bits) is transposed as a 4x4
// matrix, which takes two instructions per register.
#pragma once

#include <utility>

#include "kernels/device/level_register.h"

namespace melgrad::kernel::spectrum::MELGRAD_LEVEL {

using kernel::MELGRAD_LEVEL::lanes;
using kernel::MELGRAD_LEVEL::load;
using kernel::MELGRAD_LEVEL::Register;
using kernel::MELGRAD_LEVEL::VectorOf;

// Element `lane` of the result is element place(lane) of the concatenation of a and b.
template <int (*place)(int lane), class Vector, int... lane>
inline auto shuffle(Vector a, Vector b, std::integer_sequence<int, lane...>) {
  return __builtin_shufflevector(a, b, place(lane)...);
}

// Places for the steps of a transposition of each quarter of two vectors of `count` lanes.
template <int count>
struct Place {
  static constexpr int consecutive(int lane) { return lane; }
  static constexpr int lower_interleaved(int lane) { return lane / 4 * 4 + lane % 4 / 2 + lane % 2 * count; }
  static constexpr int upper_interleaved(int lane) { return lower_interleaved(lane) + 2; }
  static constexpr int lower_halves(int lane) { return lane / 4 * 4 + lane % 2 + lane % 4 / 2 * count; }
  static constexpr int upper_halves(int lane) { return lower_halves(lane) + 2; }
};

// Four samples, from `sample` on, of the frames 0, 4, 8, ..., count - 4.
template <int count>
inline typename VectorOf<float, count>::Type load_every_fourth(const float* const* frames, int64_t sample) {
  if constexpr (count == 4) {
    return load<4>(frames[0] + sample);
  } else {
    return shuffle<Place<count / 2>::consecutive>(load_every_fourth<count / 2>(frames, sample),
                                                  load_every_fourth<count / 2>(frames + count / 2, sample),
                                                  std::make_integer_sequence<int, count>());
  }
}

// Samples [begin, end) of `lanes` frames, multiplied by the window: signal[i] holds sample i of each frame.
template <class Real>
inline void gather(const float* const* frames, const Real* window, Register<Real>* signal, int64_t begin, int64_t end) {
  constexpr int count = lanes<Real>;
  int64_t i = begin;
  if constexpr (count >= 4) {
    constexpr auto all = std::make_integer_sequence<int, count>();
    for (; i + 4 <= end; i += 4) {
      const auto row = [&](int k) { return load_every_fourth<count>(frames + k, i); };
      const auto row0 = row(0), row1 = row(1), row2 = row(2), row3 = row(3);
      const auto lower01 = shuffle<Place<count>::lower_interleaved>(row0, row1, all);
      const auto lower23 = shuffle<Place<count>::lower_interleaved>(row2, row3, all);
      const auto upper01 = shuffle<Place<count>::upper_interleaved>(row0, row1, all);
      const auto upper23 = shuffle<Place<count>::upper_interleaved>(row2, row3, all);
      const auto write = [&](int64_t k, auto samples) {
        signal[i + k] = __builtin_convertvector(samples, Register<Real>) * window[i + k];
      };
      write(0, shuffle<Place<count>::lower_halves>(lower01, lower23, all));
      write(1, shuffle<Place<count>::upper_halves>(lower01, lower23, all));
      write(2, shuffle<Place<count>::lower_halves>(upper01, upper23, all));
      write(3, shuffle<Place<count>::upper_halves>(upper01, upper23, all));
    }
  }
  for (; i < end; ++i) {
    for (int lane = 0; lane < count; ++lane) signal[i][lane] = frames[lane][i] * window[i];
  }
}

}  // namespace melgrad::kernel::spectrum::MELGRAD_LEVEL
