// The innermost loops of the CPU's convolutions, compiled once for each instruction set: with SSE2 or NEON (portable),
// with AVX2 and FMA, and with AVX-512. The loops around them, which share the work among threads and choose blocks that
// fit the caches, are compiled once (direct.cpp, winograd.cpp) and call these functions by pointer.
//
// All arrays of packed data consist of panels, which hold 16 channels: [panel][row][16]. A panel's row is one cache
// line, one register of AVX-512, two of AVX2 and four of SSE or NEON. Channels that fill a panel only in part are
// followed by zeros.
#pragma once

#include <cstdint>

namespace melgrad::kernel::convolution {

constexpr int64_t panel = 16;

constexpr int64_t panels_of(int64_t channels) { return (channels + panel - 1) / panel; }

// Winograd's tiles of outputs are 4x4, computed from 6x6 inputs by products at 6x6 points.
constexpr int64_t tile = 4, points_per_axis = tile + 2, points = points_per_axis * points_per_axis;

// c[row][column] = start[column] + sum over groups g and steps k < inner of a(row, g, k) b[g inner + k][column], where
//   a(row, g, k) = a[row a_row + k a_step + g a_group]
// and b is [groups inner][16]. Either a_row or a_step is 1 or 16.
struct Product {
  int64_t rows, groups, inner;
  const float* a;
  int64_t a_row, a_step, a_group;
  const float* b;
  float* c;
  int64_t c_row;                 // elements between rows of c
  int64_t columns = 16;          // columns of c that exist, at most 16
  const float* start = nullptr;  // [16]; null for zeros
  bool accumulate = false;       // add the sums to c
};

// The 4x4 blocks of output pixels that Winograd's algorithm computes one at a time, over all images of a batch. Block
// column `tile % across` covers 4 columns of pixels and their neighbours, six in all.
struct Tiles {
  int64_t height;  // of an image, which is also the height of its output
  int64_t width;
  int64_t across, down;  // tiles in a row of tiles (which spans all images), and rows
  // [across][6]: where each of the six columns begins, in pixels from the first pixel of the batch to that of the
  // column in row 0 of its image; -1 for a column of zeros.
  const int64_t* columns;

  int64_t count() const { return across * down; }
};

// A part of an array of transformed tiles, [36 points][panels][tiles][16].
struct TransformedTiles {
  float* data;             // of the first tile of the part
  int64_t point_stride;    // elements between points
  int64_t tiles_in_panel;  // tiles of the whole array

  float* at(int64_t point, int64_t panel_index) const {
    return data + point * point_stride + panel_index * tiles_in_panel * panel;
  }
};

// A convolution turns each sum into an element of the output: y = sum * scale + shift + residual, then ReLU.
struct Epilogue {
  const float* scale = nullptr;     // [out channels]; null for 1
  const float* shift = nullptr;     // [out channels]; null for 0
  const float* residual = nullptr;  // of the shape of y; null for none
  bool relu = false;

  bool only_shifts() const { return !scale && !residual && !relu; }
};

struct Level {
  void (*multiply)(const Product&);

  // Multiply-adds on registers alone, for measuring the highest rate: `steps` times on each of `sums` values. values[0]
  // is the factor and values[1] the summand; a result replaces values[0].
  void (*multiply_add)(int64_t steps, float* values);
  int64_t sums;

  // Winograd's algorithm (winograd.h). x and dy are NHWC with `channels` channels; `first` and `count` choose tiles.
  void (*transform_input)(const Tiles&, const float* x, int64_t channels, int64_t first, int64_t count,
                          const TransformedTiles& to);
  void (*transform_gradient)(const Tiles&, const float* dy, int64_t channels, int64_t first, int64_t count,
                             const TransformedTiles& to);
  // Writes channels [channel, channel + 16 panels) of y, which has `channels`. bias is [channels] or null.
  void (*transform_output)(const Tiles&, const TransformedTiles& from, int64_t panels, int64_t first, int64_t count,
                           const Epilogue&, float* y, int64_t channels, int64_t channel);
  // Transforms the 3x3 filters w[out][3][3][in] of out channels [column, column + 16) and in channels [begin, end) to
  // u[point][in channel - begin][16]. `swapped` exchanges the roles of the channels and turns the filters by 180
  // degrees, as the gradient of x needs: column then counts in channels, begin and end out channels.
  void (*transform_weights)(const float* w, int64_t in_channels, int64_t out_channels, bool swapped, int64_t column,
                            int64_t begin, int64_t end, float* u, int64_t point_stride);
  // Transforms d[point][out channel - row][16], the gradient of a transformed filter, to dw[out][3][3][in] at out
  // channels [row, row + rows) and in channels [column, column + 16). Adds to dw if `accumulate`.
  void (*transform_filter_gradient)(const float* d, int64_t point_stride, int64_t row, int64_t rows, int64_t column,
                                    float* dw, int64_t in_channels, bool accumulate);
};

// The functions of cpu_level() (kernels/device/cpu_level.h).
const Level& level();

extern const Level portable_level;
#if defined(__x86_64__)
extern const Level avx2_level, avx512_level;
#endif

}  // namespace melgrad::kernel::convolution
