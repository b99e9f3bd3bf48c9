// Rung 3: the sums of 6 pixels and 16 channels stay in 12 registers until they are complete. Each step loads 16 weights
// once and multiplies them by one value of each pixel. A processor with two multipliers of 4 cycles' latency needs 8
// sums that do not depend on each other to keep both busy.
//
// Images are copied into a frame of zeros first, so that no pixel is a special case.
#include <algorithm>
#include <vector>

#include "bench/ladder/ladder.h"
#include "bench/ladder/products.h"

namespace melgrad::bench::ladder {

void sums_in_registers(const float* x, const float* w, float* y, const Shape& s) {
  const int64_t taps = 9 * s.in_channels, framed_row = (s.width + 2) * s.in_channels;
  std::vector<float> packed(static_cast<size_t>(s.weights()));  // [out_channels / 16][3, 3, in_channels][16]
  for (int64_t o = 0; o < s.out_channels; ++o) {
    for (int64_t k = 0; k < taps; ++k) {
      packed[static_cast<size_t>((o / lanes * taps + k) * lanes + o % lanes)] = w[o * taps + k];
    }
  }
  std::vector<float> framed(static_cast<size_t>((s.height + 2) * framed_row));
  for (int64_t n = 0; n < s.batch; ++n) {
    for (int64_t i = 0; i < s.height; ++i) {
      std::copy_n(x + (n * s.height + i) * s.width * s.in_channels, s.width * s.in_channels,
                  framed.data() + (i + 1) * framed_row + s.in_channels);
    }
    for (int64_t o = 0; o < s.out_channels; o += lanes) {
      for (int64_t i = 0; i < s.height; ++i) {
        add_products({.rows = s.width,
                      .groups = 3,
                      .steps = 3 * s.in_channels,
                      .a = framed.data() + i * framed_row,
                      .a_row = s.in_channels,
                      .a_group = framed_row,
                      .b = packed.data() + o * taps,
                      .c = y + (n * s.height + i) * s.width * s.out_channels + o,
                      .c_row = s.out_channels});
      }
    }
  }
}

}  // namespace melgrad::bench::ladder
