// Winograd's F(4, 3) in one dimension: four outputs of a filter of three taps, with six products instead of twelve
// (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2015).
//
// The filter and the inputs are taken as polynomials. A product of polynomials is found from their values at six
// points: evaluate both, multiply point by point, interpolate. The points here are 0, a, -a, b, -b and infinity with a
// = 1/sqrt(2) and b = sqrt(2). The usual points 1, -1, 2, -2 need the same operations, but round 4 to 6 times worse,
// because their powers differ more in size.
#pragma once

#include "kernels/convolution/vector.h"

namespace melgrad::kernel::convolution::MELGRAD_LEVEL {

constexpr float a = 0.70710678118654752F, b = 1.41421356237309505F;
constexpr float a2 = 0.5F, b2 = 2.0F, a3 = a2 * a, b3 = b2 * b;
// The product of the differences between a point and the others (without infinity) is 1 / n.
constexpr float n_a = -2.0F / 3,
                n_b = 1.0F / 6;  // 1 / (2 a2 (a2 - b2)) and 1 / (2 b2 (b2 - a2)); n_0 = 1 / (a2 b2) = 1

// The values at a, -a, b and -b of a polynomial whose even and odd powers were summed apart.
[[gnu::always_inline]] inline void combine(Vector even_a, Vector odd_a, Vector even_b, Vector odd_b,
                                           Vector out[points_per_axis]) {
  out[1] = even_a + odd_a;
  out[2] = even_a - odd_a;
  out[3] = even_b + odd_b;
  out[4] = even_b - odd_b;
}

// B^T d: six inputs.
[[gnu::always_inline]] inline void transform_inputs(const Vector d[points_per_axis], Vector out[points_per_axis]) {
  const Vector even_a = d[4] - b2 * d[2], odd_a = a * (d[3] - b2 * d[1]);
  const Vector even_b = d[4] - a2 * d[2], odd_b = b * (d[3] - a2 * d[1]);
  out[0] = d[4] + (d[0] - (a2 + b2) * d[2]);
  combine(even_a, odd_a, even_b, odd_b, out);
  out[5] = d[5] + (d[1] - (a2 + b2) * d[3]);
}

// G g: three taps of a filter.
[[gnu::always_inline]] inline void transform_taps(const Vector g[3], Vector out[points_per_axis]) {
  const Vector even_a = n_a * g[0] + (n_a * a2) * g[2], odd_a = (n_a * a) * g[1];
  const Vector even_b = n_b * g[0] + (n_b * b2) * g[2], odd_b = (n_b * b) * g[1];
  out[0] = g[0];
  combine(even_a, odd_a, even_b, odd_b, out);
  out[5] = g[2];
}

// A^T m: from products at the points to four outputs.
[[gnu::always_inline]] inline void transform_products(const Vector m[points_per_axis], Vector out[tile]) {
  const Vector sum_a = m[1] + m[2], difference_a = m[1] - m[2];
  const Vector sum_b = m[3] + m[4], difference_b = m[3] - m[4];
  out[0] = m[0] + sum_a + sum_b;
  out[1] = a * difference_a + b * difference_b;
  out[2] = a2 * sum_a + b2 * sum_b;
  out[3] = m[5] + a3 * difference_a + b3 * difference_b;
}

// A dy: the gradients of four outputs, to the gradients of the products at the points.
[[gnu::always_inline]] inline void transform_output_gradients(const Vector dy[tile], Vector out[points_per_axis]) {
  const Vector even_a = dy[0] + a2 * dy[2], odd_a = a * dy[1] + a3 * dy[3];
  const Vector even_b = dy[0] + b2 * dy[2], odd_b = b * dy[1] + b3 * dy[3];
  out[0] = dy[0];
  combine(even_a, odd_a, even_b, odd_b, out);
  out[5] = dy[3];
}

// G^T u: the gradients of a transformed filter, to the gradients of its three taps.
[[gnu::always_inline]] inline void transform_tap_gradients(const Vector u[points_per_axis], Vector out[3]) {
  const Vector sum_a = n_a * (u[1] + u[2]), difference_a = u[1] - u[2];
  const Vector sum_b = n_b * (u[3] + u[4]), difference_b = u[3] - u[4];
  out[0] = u[0] + sum_a + sum_b;
  out[1] = (n_a * a) * difference_a + (n_b * b) * difference_b;
  out[2] = u[5] + a2 * sum_a + b2 * sum_b;
}

}  // namespace melgrad::kernel::convolution::MELGRAD_LEVEL
