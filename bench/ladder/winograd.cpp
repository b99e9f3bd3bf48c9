// Rung 4: Winograd's algorithm (Lavin and Gray 2015) in its smallest form, F(2x2, 3x3). A block of 2x2 outputs needs
// 4x4 inputs. Written as products of polynomials, which 4 points determine along each axis, it takes 16 products for
// each pair of channels instead of 36: the inputs and the filters are transformed to their values at the points, the
// values are multiplied, and the products are transformed back. The products at a point, summed over the input
// channels, are again a product of matrices: tiles by output channels.
#include <cstddef>
#include <vector>

#include "bench/ladder/ladder.h"
#include "bench/ladder/products.h"

namespace melgrad::bench::ladder {
namespace {

constexpr int64_t tile = 2, size = tile + 2, points = size * size;

// The transforms along one axis: B^T d, G g and A^T m. T is a float, or a register of 8 channels.
template <class T>
void transform_input(const T d[4], T v[4]) {
  v[0] = d[0] - d[2];
  v[1] = d[1] + d[2];
  v[2] = d[2] - d[1];
  v[3] = d[1] - d[3];
}
template <class T>
void transform_filter(const T g[3], T u[4]) {
  u[0] = g[0];
  u[1] = (g[0] + g[1] + g[2]) / 2;
  u[2] = (g[0] - g[1] + g[2]) / 2;
  u[3] = g[2];
}
template <class T>
void transform_output(const T m[4], T y[2]) {
  y[0] = m[0] + m[1] + m[2];
  y[1] = m[1] - m[2] - m[3];
}

// Applies `transform` to the columns of from [from_size][from_size], then to the rows.
template <int64_t from_size, int64_t to_size, class T, class Transform>
void transform_square(const T from[from_size][from_size], T to[to_size][to_size], Transform transform) {
  T half[to_size][from_size];
  for (int64_t j = 0; j < from_size; ++j) {
    T column[from_size], result[to_size];
    for (int64_t i = 0; i < from_size; ++i) column[i] = from[i][j];
    transform(column, result);
    for (int64_t i = 0; i < to_size; ++i) half[i][j] = result[i];
  }
  for (int64_t i = 0; i < to_size; ++i) transform(half[i], to[i]);
}

}  // namespace

void winograd(const float* x, const float* w, float* y, const Shape& s) {
  const int64_t down = (s.height + tile - 1) / tile, across = (s.width + tile - 1) / tile, tiles = down * across;
  // u [point][out_channels / 16][in_channels][16], v [point][tile][in_channels], m [point][tile][out_channels].
  std::vector<float> u(static_cast<size_t>(points * s.in_channels * s.out_channels));
  std::vector<float> v(static_cast<size_t>(points * tiles * s.in_channels));
  std::vector<float> m(static_cast<size_t>(points * tiles * s.out_channels));
  for (int64_t o = 0; o < s.out_channels; ++o) {
    for (int64_t c = 0; c < s.in_channels; ++c) {
      float filter[3][3], values[size][size];
      for (int64_t tap = 0; tap < 9; ++tap) filter[tap / 3][tap % 3] = w[(o * 9 + tap) * s.in_channels + c];
      transform_square<3, size>(filter, values, transform_filter<float>);
      for (int64_t point = 0; point < points; ++point) {
        const int64_t panel = point * s.out_channels / lanes + o / lanes;
        u[static_cast<size_t>((panel * s.in_channels + c) * lanes + o % lanes)] = values[point / size][point % size];
      }
    }
  }
  for (int64_t n = 0; n < s.batch; ++n) {
    const auto pixel = [&](int64_t i, int64_t j) { return (n * s.height + i) * s.width + j; };
    for (int64_t t = 0; t < tiles; ++t) {
      const int64_t top = t / across * tile - 1, left = t % across * tile - 1;
      for (int64_t c = 0; c < s.in_channels; c += register_lanes) {
        Register inputs[size][size], values[size][size];
        for (int64_t k = 0; k < points; ++k) {
          const int64_t i = top + k / size, j = left + k % size;
          const bool inside = i >= 0 && i < s.height && j >= 0 && j < s.width;
          inputs[k / size][k % size] = inside ? load(x + pixel(i, j) * s.in_channels + c) : Register{};
        }
        transform_square<size, size>(inputs, values, transform_input<Register>);
        for (int64_t point = 0; point < points; ++point) {
          store(v.data() + (point * tiles + t) * s.in_channels + c, values[point / size][point % size]);
        }
      }
    }
    for (int64_t point = 0; point < points; ++point) {
      for (int64_t o = 0; o < s.out_channels; o += lanes) {
        add_products({.rows = tiles,
                      .groups = 1,
                      .steps = s.in_channels,
                      .a = v.data() + point * tiles * s.in_channels,
                      .a_row = s.in_channels,
                      .a_group = 0,
                      .b = u.data() + (point * s.out_channels + o) * s.in_channels,
                      .c = m.data() + point * tiles * s.out_channels + o,
                      .c_row = s.out_channels});
      }
    }
    for (int64_t t = 0; t < tiles; ++t) {
      for (int64_t o = 0; o < s.out_channels; o += register_lanes) {
        Register products[size][size], outputs[tile][tile];
        for (int64_t point = 0; point < points; ++point) {
          products[point / size][point % size] = load(m.data() + (point * tiles + t) * s.out_channels + o);
        }
        transform_square<size, tile>(products, outputs, transform_output<Register>);
        for (int64_t k = 0; k < tile * tile; ++k) {
          const int64_t i = t / across * tile + k / tile, j = t % across * tile + k % tile;
          if (i < s.height && j < s.width) store(y + pixel(i, j) * s.out_channels + o, outputs[k / tile][k % tile]);
        }
      }
    }
  }
}

}  // namespace melgrad::bench::ladder
