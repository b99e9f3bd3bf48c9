#include "kernels/convolution/winograd.h"

#include <algorithm>
#include <vector>

#include "kernels/convolution/exact.h"
#include "kernels/convolution/level.h"
#include "kernels/convolution/workspace.h"
#include "kernels/device/ceil_divide.h"
#include "kernels/device/parallel.h"

namespace melgrad::kernel::convolution {
namespace {

// Tiles that a thread transforms and multiplies at a time: their transformed values fit the second-level cache.
constexpr int64_t tiles_in_block = 48;
// Up to this size (elements, 3 MiB) transformed weights are kept for a whole call. Larger ones would be written to
// memory and read again; each thread then transforms some output channels at a time.
constexpr int64_t most_kept_weights = 3 << 18;
// Elements of transformed tiles that threads share (24 MiB).
constexpr int64_t most_shared_tiles = 6 << 20;

// Elements from one point to the next. Without the extra cache line the 36 arrays, which are read and written together,
// would often lie a power of two apart and compete for the same places of the cache.
constexpr int64_t point_stride(int64_t elements) { return elements + panel; }

class TileLayout {
 public:
  explicit TileLayout(const Conv2d& conv) {
    // The pixels between the first columns of two images that are neighbours.
    const int64_t period = conv.independent_images ? ceil_divide<int64_t>(conv.width, tile) * tile : conv.width + 1;
    const int64_t columns = conv.batch * period - (conv.independent_images ? 0 : 1);
    const int64_t across = ceil_divide<int64_t>(columns, tile);
    columns_.reserve(static_cast<size_t>(across * points_per_axis));
    for (int64_t t = 0; t < across; ++t) {
      const int64_t own_image = t * tile / period;
      for (int64_t j = -1; j <= tile; ++j) {
        const int64_t column = t * tile + j, image = column / period, in_image = column % period;
        const bool inside = column >= 0 && column < columns && in_image < conv.width &&
                            (image == own_image || !conv.independent_images);
        columns_.push_back(inside ? image * conv.height * conv.width + in_image : -1);
      }
    }
    tiles_ = {.height = conv.height,
              .width = conv.width,
              .across = across,
              .down = ceil_divide<int64_t>(conv.height, tile),
              .columns = columns_.data()};
  }
  TileLayout(const TileLayout&) = delete;
  TileLayout& operator=(const TileLayout&) = delete;

  const Tiles& tiles() const { return tiles_; }

 private:
  std::vector<int64_t> columns_;
  Tiles tiles_;
};

// The forward pass, or the gradient of x: a convolution of dy with the filters turned by 180 degrees and their channels
// exchanged.
struct Convolver {
  const Level& level;
  const Tiles& tiles;
  const float* x;
  int64_t in_channels;  // of x
  const float* w;
  bool swapped;
  Epilogue epilogue;
  float* y;
  int64_t out_channels;  // of y

  int64_t in_panels() const { return panels_of(in_channels); }
  int64_t out_panels() const { return panels_of(out_channels); }

  void transform_weights(int64_t out_panel, int64_t begin, int64_t end, float* u, int64_t stride) const {
    level.transform_weights(w, swapped ? out_channels : in_channels, swapped ? in_channels : out_channels, swapped,
                            out_panel * panel, begin, end, u, stride);
  }

  // m = the products of `count` tiles of v with u, for one point and one panel of output channels. The sum is over the
  // input channels of `panels` panels.
  void multiply(int64_t count, const float* v, int64_t tiles_in_panel, int64_t panels, const float* u, float* m,
                bool accumulate) const {
    level.multiply({.rows = count,
                    .groups = panels,
                    .inner = panel,
                    .a = v,
                    .a_row = panel,
                    .a_step = 1,
                    .a_group = tiles_in_panel * panel,
                    .b = u,
                    .c = m,
                    .c_row = panel,
                    .accumulate = accumulate});
  }

  void run(Stream& stream) const {
    if (points * in_panels() * out_panels() * panel * panel <= most_kept_weights) {
      run_by_tiles(stream);
    } else {
      run_by_channels(stream);
    }
  }

  // Each task computes all channels of a block of tiles.
  void run_by_tiles(Stream& stream) const {
    const int64_t rows = in_panels() * panel, u_stride = point_stride(rows * out_panels() * panel);
    const int64_t most = std::clamp<int64_t>(ceil_divide<int64_t>(tiles.count(), thread_count()), 1, tiles_in_block);
    const int64_t blocks = ceil_divide<int64_t>(tiles.count(), most);
    const int64_t v_stride = point_stride(rows * most), m_stride = point_stride(out_panels() * panel * most);
    Workspace workspace;
    const int64_t u_at = workspace.reserve(points * u_stride);
    const int64_t v_at = workspace.reserve(points * v_stride, thread_count());
    const int64_t m_at = workspace.reserve(points * m_stride, thread_count());
    float *const memory = workspace.allocate(stream), *const u = memory + u_at;
    for_each_task(out_panels(), [&](int64_t p) { transform_weights(p, 0, rows, u + p * rows * panel, u_stride); });
    for_each_task(blocks, [&](int64_t block, int thread) {
      const int64_t first = tiles.count() * block / blocks, count = tiles.count() * (block + 1) / blocks - first;
      const TransformedTiles v{memory + v_at + thread * Workspace::rounded(points * v_stride), v_stride, count};
      const TransformedTiles m{memory + m_at + thread * Workspace::rounded(points * m_stride), m_stride, count};
      level.transform_input(tiles, x, in_channels, first, count, v);
      for (int64_t q = 0; q < points; ++q) {
        for (int64_t p = 0; p < out_panels(); ++p) {
          multiply(count, v.at(q, 0), count, in_panels(), u + q * u_stride + p * rows * panel, m.at(q, p), false);
        }
      }
      level.transform_output(tiles, m, out_panels(), first, count, epilogue, y, out_channels, 0);
    });
  }

  // Each task computes two panels of channels of all tiles (of as many tiles as may be in memory). The weights of those
  // channels are transformed in parts that fit the second-level cache.
  void run_by_channels(Stream& stream) const {
    constexpr int64_t channels_in_part = 128, panels_in_task = 2;
    const int64_t rows = in_panels() * panel, part = std::min(rows, channels_in_part);
    const int64_t most = std::min(tiles.count(), std::max<int64_t>(tiles_in_block, most_shared_tiles / points / rows));
    const int64_t v_stride = point_stride(rows * most), u_stride = point_stride(part * panels_in_task * panel);
    const int64_t m_stride = point_stride(panels_in_task * panel * most);
    Workspace workspace;
    const int64_t v_at = workspace.reserve(points * v_stride);
    const int64_t u_at = workspace.reserve(points * u_stride, thread_count());
    const int64_t m_at = workspace.reserve(points * m_stride, thread_count());
    float* const memory = workspace.allocate(stream);
    const int64_t blocks = ceil_divide<int64_t>(tiles.count(), most);
    for (int64_t block = 0; block < blocks; ++block) {
      const int64_t first = tiles.count() * block / blocks, count = tiles.count() * (block + 1) / blocks - first;
      const TransformedTiles v{memory + v_at, v_stride, count};
      for_each_chunk(count, 8, [&](int64_t, int64_t begin, int64_t end) {
        level.transform_input(tiles, x, in_channels, first + begin, end - begin,
                              {v.data + begin * panel, v.point_stride, v.tiles_in_panel});
      });
      for_each_task(ceil_divide<int64_t>(out_panels(), panels_in_task), [&](int64_t task, int thread) {
        const int64_t out_begin = task * panels_in_task, panels = std::min(panels_in_task, out_panels() - out_begin);
        float* const u = memory + u_at + thread * Workspace::rounded(points * u_stride);
        const TransformedTiles m{memory + m_at + thread * Workspace::rounded(points * m_stride), m_stride, count};
        for (int64_t begin = 0; begin < rows; begin += part) {
          const int64_t end = std::min(rows, begin + part);
          for (int64_t p = 0; p < panels; ++p) {
            transform_weights(out_begin + p, begin, end, u + p * part * panel, u_stride);
          }
          for (int64_t q = 0; q < points; ++q) {
            for (int64_t p = 0; p < panels; ++p) {
              multiply(count, v.at(q, begin / panel), count, (end - begin) / panel, u + q * u_stride + p * part * panel,
                       m.at(q, p), begin > 0);
            }
          }
        }
        level.transform_output(tiles, m, panels, first, count, epilogue, y, out_channels, out_begin * panel);
      });
    }
  }
};

struct FilterGradient {
  const Level& level;
  const Tiles& tiles;
  const float *x, *dy;
  float* dw;
  int64_t in_channels, out_channels;

  int64_t in_panels() const { return panels_of(in_channels); }
  int64_t out_panels() const { return panels_of(out_channels); }

  // d[in panel][out channel][16] += for 16 out channels and 16 in channels, the products of `count` tiles at one point.
  void multiply(int64_t count, const float* m, const float* v, float* d, bool accumulate) const {
    level.multiply({.rows = panel,
                    .groups = 1,
                    .inner = count,
                    .a = m,
                    .a_row = 1,
                    .a_step = panel,
                    .a_group = 0,
                    .b = v,
                    .c = d,
                    .c_row = panel,
                    .accumulate = accumulate});
  }

  void run(Stream& stream) const {
    constexpr int64_t most_kept_gradients = 1 << 18;  // 1 MiB
    if (points * in_panels() * out_panels() * panel * panel <= most_kept_gradients) {
      run_by_tiles(stream);
    } else {
      run_by_channels(stream);
    }
  }

  // Each task sums over a slice of the tiles, for all channels; the sums of the slices are then added.
  void run_by_tiles(Stream& stream) const {
    const int64_t slices = std::clamp<int64_t>(tiles.count() / tiles_in_block, 1, 8);
    const int64_t rows = out_panels() * panel, most = std::min(tiles.count(), tiles_in_block);
    const int64_t d_stride = point_stride(rows * in_panels() * panel);
    const int64_t v_stride = point_stride(in_panels() * panel * most), m_stride = point_stride(rows * most);
    Workspace workspace;
    const int64_t d_at = workspace.reserve(points * d_stride, slices);
    const int64_t v_at = workspace.reserve(points * v_stride, thread_count());
    const int64_t m_at = workspace.reserve(points * m_stride, thread_count());
    float *const memory = workspace.allocate(stream), *const sum = memory + d_at;
    const int64_t slice_stride = Workspace::rounded(points * d_stride);
    for_each_task(slices, [&](int64_t slice, int thread) {
      const int64_t begin = tiles.count() * slice / slices, size = tiles.count() * (slice + 1) / slices - begin;
      const int64_t blocks = ceil_divide<int64_t>(size, most);
      float* const d = sum + slice * slice_stride;
      for (int64_t block = 0; block < blocks; ++block) {
        const int64_t first = begin + size * block / blocks, count = begin + size * (block + 1) / blocks - first;
        const TransformedTiles v{memory + v_at + thread * Workspace::rounded(points * v_stride), v_stride, count};
        const TransformedTiles m{memory + m_at + thread * Workspace::rounded(points * m_stride), m_stride, count};
        level.transform_input(tiles, x, in_channels, first, count, v);
        level.transform_gradient(tiles, dy, out_channels, first, count, m);
        for (int64_t q = 0; q < points; ++q) {
          for (int64_t c = 0; c < in_panels(); ++c) {
            for (int64_t k = 0; k < out_panels(); ++k) {
              multiply(count, m.at(q, k), v.at(q, c), d + q * d_stride + (c * rows + k * panel) * panel, block > 0);
            }
          }
        }
      }
    });
    for_each_chunk(points * d_stride, 4096, [&](int64_t, int64_t begin, int64_t end) {
      for (int64_t slice = 1; slice < slices; ++slice) {
        const float* const part = sum + slice * slice_stride;
        for (int64_t i = begin; i < end; ++i) sum[i] += part[i];
      }
    });
    for_each_chunk(out_channels, panel, [&](int64_t, int64_t begin, int64_t end) {
      for (int64_t c = 0; c < in_panels(); ++c) {
        level.transform_filter_gradient(sum + (c * rows + begin) * panel, d_stride, begin, end - begin, c * panel, dw,
                                        in_channels, false);
      }
    });
  }

  // Each task sums over all tiles (over as many as may be in memory), for some output and input channels: 16 of both if
  // there are few tiles, so that the sums at all points stay in the first-level cache until they are transformed;
  // otherwise 64 and 32, so that the transformed tiles, which are more then, are read less often.
  void run_by_channels(Stream& stream) const {
    const bool few_tiles = tiles.count() <= 64;
    const int64_t out_panels_in_task = few_tiles ? 1 : 4, in_panels_in_task = few_tiles ? 1 : 2;
    const int64_t rows = out_panels_in_task * panel;
    const int64_t channels = (in_panels() + out_panels()) * panel;
    const int64_t most =
        std::min(tiles.count(), std::max<int64_t>(tiles_in_block, most_shared_tiles / points / channels));
    const int64_t v_stride = point_stride(in_panels() * panel * most),
                  m_stride = point_stride(out_panels() * panel * most);
    const int64_t d_stride = point_stride(in_panels_in_task * rows * panel);
    Workspace workspace;
    const int64_t v_at = workspace.reserve(points * v_stride), m_at = workspace.reserve(points * m_stride);
    const int64_t d_at = workspace.reserve(points * d_stride, thread_count());
    float* const memory = workspace.allocate(stream);
    const int64_t blocks = ceil_divide<int64_t>(tiles.count(), most);
    const int64_t tasks_down = ceil_divide<int64_t>(out_panels(), out_panels_in_task);
    const int64_t tasks_across = ceil_divide<int64_t>(in_panels(), in_panels_in_task);
    for (int64_t block = 0; block < blocks; ++block) {
      const int64_t first = tiles.count() * block / blocks, count = tiles.count() * (block + 1) / blocks - first;
      const TransformedTiles v{memory + v_at, v_stride, count}, m{memory + m_at, m_stride, count};
      for_each_chunk(count, 8, [&](int64_t, int64_t begin, int64_t end) {
        level.transform_input(tiles, x, in_channels, first + begin, end - begin,
                              {v.data + begin * panel, v.point_stride, v.tiles_in_panel});
        level.transform_gradient(tiles, dy, out_channels, first + begin, end - begin,
                                 {m.data + begin * panel, m.point_stride, m.tiles_in_panel});
      });
      for_each_task(tasks_down * tasks_across, [&](int64_t task, int thread) {
        const int64_t k0 = task % tasks_down * out_panels_in_task, c0 = task / tasks_down * in_panels_in_task;
        const int64_t k1 = std::min(out_panels(), k0 + out_panels_in_task);
        const int64_t c1 = std::min(in_panels(), c0 + in_panels_in_task);
        float* const d = memory + d_at + thread * Workspace::rounded(points * d_stride);
        for (int64_t q = 0; q < points; ++q) {
          for (int64_t c = c0; c < c1; ++c) {
            for (int64_t k = k0; k < k1; ++k) {
              multiply(count, m.at(q, k), v.at(q, c), d + q * d_stride + ((c - c0) * rows + (k - k0) * panel) * panel,
                       false);
            }
          }
        }
        const int64_t row = k0 * panel, row_count = std::min(out_channels, k1 * panel) - row;
        for (int64_t c = c0; c < c1; ++c) {
          level.transform_filter_gradient(d + (c - c0) * rows * panel, d_stride, row, row_count, c * panel, dw,
                                          in_channels, block > 0);
        }
      });
    }
  }
};

}  // namespace

bool winograd_applies(const Conv2d& conv) {
  return !exact_convolution() && conv.kernel_height == 3 && conv.kernel_width == 3 && conv.stride == 1 &&
         conv.padding == 1 && conv.in_channels >= 16 && conv.out_channels >= 16;
}

void winograd_forward(Stream& stream, const float* x, const float* w, const Epilogue& epilogue, float* y,
                      const Conv2d& conv) {
  const TileLayout layout(conv);
  Convolver{level(), layout.tiles(), x, conv.in_channels, w, false, epilogue, y, conv.out_channels}.run(stream);
}

void winograd_backward_data(Stream& stream, const float* dy, const float* w, float* dx, const Conv2d& conv) {
  const TileLayout layout(conv);
  Convolver{level(), layout.tiles(), dy, conv.out_channels, w, true, {}, dx, conv.in_channels}.run(stream);
}

void winograd_backward_filter(Stream& stream, const float* x, const float* dy, float* dw, const Conv2d& conv) {
  const TileLayout layout(conv);
  FilterGradient{level(), layout.tiles(), x, dy, dw, conv.in_channels, conv.out_channels}.run(stream);
}

}  // namespace melgrad::kernel::convolution
