// Winograd's transforms in two dimensions, which are those of winograd_points.h along the columns, then along the rows.
// Each lane of a register holds one channel.
#pragma once

#include "kernels/convolution/winograd_points.h"

namespace melgrad::kernel::convolution::MELGRAD_LEVEL {

using Transform = void (*)(const Vector*, Vector*);

// from[size][size] -> to(row, column, value) for [out_size][out_size].
template <int64_t size, int64_t out_size, Transform transform, class From, class To>
[[gnu::always_inline]] inline void transform_square(const From& from, const To& to) {
  Vector half[out_size * size];
#pragma GCC unroll 6
  for (int64_t j = 0; j < size; ++j) {
    Vector column[size], transformed[out_size];
#pragma GCC unroll 6
    for (int64_t i = 0; i < size; ++i) column[i] = from(i, j);
    transform(column, transformed);
#pragma GCC unroll 6
    for (int64_t i = 0; i < out_size; ++i) half[i * size + j] = transformed[i];
  }
#pragma GCC unroll 6
  for (int64_t i = 0; i < out_size; ++i) {
    Vector transformed[out_size];
    transform(half + i * size, transformed);
#pragma GCC unroll 6
    for (int64_t j = 0; j < out_size; ++j) to(i, j, transformed[j]);
  }
}

// The pixels of a tile: size x size from row `top` and column `left` of the six on. A pixel outside its image is -1.
template <int64_t size>
[[gnu::always_inline]] inline void find_pixels(const Tiles& tiles, int64_t index, int64_t left, int64_t channels,
                                               int64_t found[size * size]) {
  const int64_t top = index / tiles.across * tile + left - 1;
  const int64_t* const columns = tiles.columns + index % tiles.across * points_per_axis + left;
  for (int64_t i = 0; i < size; ++i) {
    const int64_t row = top + i;
    for (int64_t j = 0; j < size; ++j) {
      const bool inside = row >= 0 && row < tiles.height && columns[j] >= 0;
      found[i * size + j] = inside ? (columns[j] + row * tiles.width) * channels : -1;
    }
  }
}

template <int64_t size, Transform transform>
void transform_tiles(const Tiles& tiles, const float* x, int64_t channels, int64_t first, int64_t count,
                     const TransformedTiles& to) {
  constexpr int64_t left = size == tile ? 1 : 0;  // gradients have no neighbours
  static constexpr float zeros[lanes] = {};
  for (int64_t t = 0; t < count; ++t) {
    int64_t pixels[size * size];
    find_pixels<size>(tiles, first + t, left, channels, pixels);
    const int64_t whole = channels / lanes * lanes;
    for (int64_t c = 0; c < panels_of(channels) * panel; c += lanes) {
      float* const out = to.at(0, c / panel) + t * panel + c % panel;
      const auto store_point = [&](int64_t i, int64_t j, Vector value) __attribute__((always_inline)) {
        store(out + (i * points_per_axis + j) * to.point_stride, value);
      };
      if (c < whole) {
        const auto load_pixel = [&](int64_t i, int64_t j) __attribute__((always_inline)) {
          const int64_t pixel = pixels[i * size + j];
          return load(pixel >= 0 ? x + pixel + c : zeros);
        };
        transform_square<size, points_per_axis, transform>(load_pixel, store_point);
      } else {
        const auto load_pixel = [&](int64_t i, int64_t j) __attribute__((always_inline)) {
          const int64_t pixel = pixels[i * size + j];
          return pixel >= 0 ? load_part(x + pixel + c, channels - c) : Vector{};
        };
        transform_square<size, points_per_axis, transform>(load_pixel, store_point);
      }
    }
  }
}

inline void transform_output(const Tiles& tiles, const TransformedTiles& from, int64_t panels, int64_t first,
                             int64_t count, const Epilogue& epilogue, float* y, int64_t channels, int64_t channel) {
  for (int64_t t = 0; t < count; ++t) {
    int64_t pixels[tile * tile];
    find_pixels<tile>(tiles, first + t, 1, channels, pixels);
    for (int64_t c = 0; c < panels * panel && channel + c < channels; c += lanes) {
      const float* const in = from.at(0, c / panel) + t * panel + c % panel;
      const int64_t left = channels - channel - c;
      const Vector scale = epilogue.scale ? load_part(epilogue.scale + channel + c, left) : Vector{} + 1;
      const Vector shift = epilogue.shift ? load_part(epilogue.shift + channel + c, left) : Vector{};
      const auto load_point = [&](int64_t i, int64_t j) __attribute__((always_inline)) {
        return load(in + (i * points_per_axis + j) * from.point_stride);
      };
      const auto store_pixel = [&](int64_t i, int64_t j, Vector value) __attribute__((always_inline)) {
        if (pixels[i * tile + j] < 0) return;
        const int64_t at = pixels[i * tile + j] + channel + c;
        value = value * scale + shift;
        if (epilogue.residual) value += load_part(epilogue.residual + at, left);
        if (epilogue.relu) value = value < 0 ? Vector{} : value;  // a NaN stays a NaN
        store_part(y + at, value, left);
      };
      transform_square<points_per_axis, tile, transform_products>(load_point, store_pixel);
    }
  }
}

// Transforms filters[9][16 in channels][16 out channels] to rows of u.
[[gnu::always_inline]] inline void transform_filters(const float* filters, int64_t rows, float* u,
                                                     int64_t point_stride) {
  for (int64_t k = 0; k < rows; ++k) {
    for (int64_t lane = 0; lane < panel; lane += lanes) {
      const auto load_tap = [&](int64_t i, int64_t j) __attribute__((always_inline)) {
        return load(filters + ((i * 3 + j) * panel + k) * panel + lane);
      };
      const auto store_point = [&](int64_t i, int64_t j, Vector value) __attribute__((always_inline)) {
        store(u + (i * points_per_axis + j) * point_stride + k * panel + lane, value);
      };
      transform_square<3, points_per_axis, transform_taps>(load_tap, store_point);
    }
  }
}

// Four rows of four floats, transposed.
[[gnu::always_inline]] inline void transpose_4x4(const float* from, int64_t from_stride, float* to, int64_t to_stride) {
  using Four [[gnu::vector_size(16), gnu::may_alias]] = float;
  using UnalignedFour [[gnu::vector_size(16), gnu::may_alias, gnu::aligned(4)]] = float;
  const auto row = [&](int64_t i) __attribute__((always_inline))->Four {
    return *reinterpret_cast<const UnalignedFour*>(from + i * from_stride);
  };
  const Four low_01 = __builtin_shufflevector(row(0), row(1), 0, 4, 1, 5);
  const Four high_01 = __builtin_shufflevector(row(0), row(1), 2, 6, 3, 7);
  const Four low_23 = __builtin_shufflevector(row(2), row(3), 0, 4, 1, 5);
  const Four high_23 = __builtin_shufflevector(row(2), row(3), 2, 6, 3, 7);
  const Four columns[] = {
      __builtin_shufflevector(low_01, low_23, 0, 1, 4, 5), __builtin_shufflevector(low_01, low_23, 2, 3, 6, 7),
      __builtin_shufflevector(high_01, high_23, 0, 1, 4, 5), __builtin_shufflevector(high_01, high_23, 2, 3, 6, 7)};
#pragma GCC unroll 4
  for (int64_t i = 0; i < 4; ++i) *reinterpret_cast<UnalignedFour*>(to + i * to_stride) = columns[i];
}

inline void transform_weights(const float* w, int64_t in_channels, int64_t out_channels, bool swapped, int64_t column,
                              int64_t begin, int64_t end, float* u, int64_t point_stride) {
  constexpr int64_t taps = 9;
  const int64_t columns = (swapped ? in_channels : out_channels) - column;
  for (int64_t row = begin; row < end; row += panel) {
    const int64_t rows = (swapped ? out_channels : in_channels) - row;
    alignas(64) float filters[taps * panel * panel];
    for (int64_t tap = 0; tap < taps; ++tap) {
      float* const to = filters + tap * panel * panel;
      if (swapped) {
        for (int64_t k = 0; k < panel; ++k) {
          const float* const from = w + ((row + k) * taps + taps - 1 - tap) * in_channels + column;
          for (int64_t lane = 0; lane < panel; lane += lanes) {
            store(to + k * panel + lane, k < rows ? load_part(from + lane, columns - lane) : Vector{});
          }
        }
      } else if (rows >= panel && columns >= panel) {
        const float* const from = w + (column * taps + tap) * in_channels + row;
        for (int64_t i = 0; i < panel; i += 4) {
          for (int64_t k = 0; k < panel; k += 4) {
            transpose_4x4(from + i * taps * in_channels + k, taps * in_channels, to + k * panel + i, panel);
          }
        }
      } else {
        for (int64_t k = 0; k < panel; ++k) {
          for (int64_t i = 0; i < panel; ++i) {
            to[k * panel + i] = k < rows && i < columns ? w[((column + i) * taps + tap) * in_channels + row + k] : 0;
          }
        }
      }
    }
    transform_filters(filters, panel, u + (row - begin) * panel, point_stride);
  }
}

inline void transform_filter_gradient(const float* d, int64_t point_stride, int64_t row, int64_t rows, int64_t column,
                                      float* dw, int64_t in_channels, bool accumulate) {
  for (int64_t k = 0; k < rows; ++k) {
    for (int64_t lane = 0; lane < panel && column + lane < in_channels; lane += lanes) {
      const int64_t left = in_channels - column - lane;
      const auto load_point = [&](int64_t i, int64_t j) __attribute__((always_inline)) {
        return load(d + (i * points_per_axis + j) * point_stride + k * panel + lane);
      };
      const auto store_tap = [&](int64_t i, int64_t j, Vector value) __attribute__((always_inline)) {
        float* const to = dw + ((row + k) * 9 + i * 3 + j) * in_channels + column + lane;
        store_part(to, accumulate ? load_part(to, left) + value : value, left);
      };
      transform_square<points_per_axis, 3, transform_tap_gradients>(load_point, store_tap);
    }
  }
}

}  // namespace melgrad::kernel::convolution::MELGRAD_LEVEL
