#include "kernels/convolution/direct.h"

#include <algorithm>

#include "kernels/convolution/level.h"
#include "kernels/convolution/workspace.h"
#include "kernels/device/ceil_divide.h"
#include "kernels/device/parallel.h"

namespace melgrad::kernel::convolution {
namespace {

// An NHWC image within a frame of zeros.
struct Padded {
  int64_t top, left, height, width, channels;  // height and width include the frame

  int64_t elements() const { return height * width * channels; }
  int64_t row() const { return width * channels; }

  void copy(const float* image, int64_t image_height, int64_t image_width, float* to) const {
    std::fill_n(to, top * row(), 0.0F);
    for (int64_t i = 0; i < image_height; ++i) {
      float* const out = to + (top + i) * row();
      std::fill_n(out, left * channels, 0.0F);
      std::copy_n(image + i * image_width * channels, image_width * channels, out + left * channels);
      std::fill_n(out + (left + image_width) * channels, (width - left - image_width) * channels, 0.0F);
    }
    const int64_t below = top + image_height;
    std::fill_n(to + below * row(), (height - below) * row(), 0.0F);
  }
};

Padded padded_input(const Conv2d& conv) {
  return {conv.padding, conv.padding, conv.height + 2 * conv.padding, conv.width + 2 * conv.padding, conv.in_channels};
}

int64_t taps(const Conv2d& conv) { return conv.kernel_height * conv.kernel_width * conv.in_channels; }

// Steps of a sum whose weights, 16 floats each, stay in the first-level cache while they are multiplied by many rows.
constexpr int64_t steps_in_cache = 448;  // 28 KiB

// Calls body(group, groups, step, steps) for parts of a sum over `groups` groups of `inner` steps each (Product): whole
// groups, or some of the steps of one, and at most `most_steps` in all.
template <class Body>
void for_each_part(int64_t groups, int64_t inner, int64_t most_steps, Body body) {
  if (inner <= most_steps) {
    const int64_t at_once = most_steps / inner;
    for (int64_t g = 0; g < groups; g += at_once) body(g, std::min(at_once, groups - g), 0, inner);
  } else {
    const int64_t parts = ceil_divide<int64_t>(inner, most_steps);
    for (int64_t i = 0; i < groups * parts; ++i) {
      const int64_t part = i % parts, begin = inner * part / parts;
      body(i / parts, 1, begin, inner * (part + 1) / parts - begin);
    }
  }
}

// A row of a panel: the first `columns` values, then zeros.
void copy_to_panel(const float* values, int64_t columns, float* row) {
  if (columns == panel) {
    std::copy_n(values, panel, row);
  } else {
    std::fill_n(std::copy_n(values, columns, row), panel - columns, 0.0F);
  }
}

// packed[step][16] = w[lane][step], of the first `columns` lanes, then zeros.
void pack_panel(const float* w, int64_t columns, int64_t steps, float* packed) {
  constexpr int64_t block = 64;  // steps whose panel stays in the first-level cache
  for (int64_t begin = 0; begin < steps; begin += block) {
    const int64_t end = std::min(steps, begin + block);
    for (int64_t lane = 0; lane < panel; ++lane) {
      for (int64_t k = begin; k < end; ++k) packed[k * panel + lane] = lane < columns ? w[lane * steps + k] : 0.0F;
    }
  }
}

// The weights of one tap of all filters, for 16 input channels: packed[out_channels][16] = the first `columns` values
// at `weights` and at the same place of each further filter, then zeros. Returns the end of `packed`.
float* pack_tap(const float* weights, const Conv2d& conv, int64_t columns, float* packed) {
  for (int64_t k = 0; k < conv.out_channels; ++k, weights += taps(conv), packed += panel) {
    copy_to_panel(weights, columns, packed);
  }
  return packed;
}

// Applies the epilogue to `rows` pixels of the channels [channel, channel + columns) of y, from element `first` on.
void finish_row(const Epilogue& epilogue, float* y, int64_t first, int64_t rows, int64_t channel, int64_t columns,
                int64_t channels) {
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t at = first + row * channels + channel;
    for (int64_t c = 0; c < columns; ++c) {
      float value = y[at + c];
      if (epilogue.scale) value *= epilogue.scale[channel + c];
      if (epilogue.shift) value += epilogue.shift[channel + c];
      if (epilogue.residual) value += epilogue.residual[at + c];
      y[at + c] = epilogue.relu && value < 0 ? 0 : value;
    }
  }
}

// The tasks of an image: enough for all threads even if the batch is small.
int64_t tasks_per_image(int64_t batch, int64_t panels) {
  return std::clamp<int64_t>(ceil_divide<int64_t>(int64_t{2} * thread_count(), batch), 1, panels);
}

// The output pixels of the gradient of x whose row is `row` modulo the stride and whose column is `column` modulo the
// stride. They have the same taps of the filter.
struct Phase {
  // Along one axis: the taps are first, first + stride, ... (count of them). The last one belongs to the output pixel
  // i + lowest, the one before to i + lowest + 1, and so on, where i counts the pixels of the phase.
  struct Axis {
    int64_t size, first, count, lowest;

    Axis(int64_t phase, int64_t in_size, int64_t kernel, int64_t stride, int64_t padding)
        : size(ceil_divide<int64_t>(std::max<int64_t>(0, in_size - phase), stride)),
          first((phase + padding) % stride),
          count(first < kernel ? ceil_divide<int64_t>(kernel - first, stride) : 0),
          lowest((phase + padding - first) / stride - count + 1) {}
    int64_t tap(int64_t i, int64_t stride) const { return first + (count - 1 - i) * stride; }
    bool empty() const { return size == 0 || count == 0; }
  };
  int64_t row, column;
  Axis down, across;

  Phase(const Conv2d& c, int64_t index)
      : row(index / c.stride),
        column(index % c.stride),
        down(row, c.height, c.kernel_height, c.stride, c.padding),
        across(column, c.width, c.kernel_width, c.stride, c.padding) {}
  bool empty() const { return down.empty() || across.empty(); }
  int64_t steps(const Conv2d& c) const { return empty() ? 0 : down.count * across.count * c.out_channels; }
};

// dy with as many zeros around it as the phases reach beyond it.
Padded padded_gradient(const Conv2d& conv) {
  int64_t top = 0, left = 0, bottom = conv.out_height(), right = conv.out_width();
  for (int64_t index = 0; index < conv.stride * conv.stride; ++index) {
    const Phase phase(conv, index);
    if (phase.empty()) continue;
    top = std::max(top, -phase.down.lowest);
    left = std::max(left, -phase.across.lowest);
    bottom = std::max(bottom, phase.down.size - 1 + phase.down.lowest + phase.down.count);
    right = std::max(right, phase.across.size - 1 + phase.across.lowest + phase.across.count);
  }
  return {top, left, top + bottom, left + right, conv.out_channels};
}

// Writes zeros to the pixels of a phase that no tap reaches, for `channels` channels from `channel` on.
void clear(const Conv2d& c, const Phase& phase, float* dx, int64_t channel, int64_t channels) {
  for (int64_t i = phase.row; i < c.height; i += c.stride) {
    for (int64_t j = phase.column; j < c.width; j += c.stride) {
      std::fill_n(dx + (i * c.width + j) * c.in_channels + channel, channels, 0.0F);
    }
  }
}

// The gradient of a filter. Rows of a product are the channels of x under one row of the filter, for at most 16
// channels (a group): in x[group][row][column][channel of the group] they are contiguous. Columns are 16 output
// channels, and the sum is over the output pixels.
struct FilterGradient {
  const Level& level;
  Conv2d conv;
  const float *x, *dy;
  float* dw;

  Padded padded = padded_input(conv);
  int64_t group_channels = std::min(conv.in_channels, panel);
  int64_t groups = ceil_divide<int64_t>(conv.in_channels, group_channels);
  int64_t out_panels = panels_of(conv.out_channels);
  int64_t pixels = conv.out_height() * conv.out_width();
  // Elements of one panel of output channels and one group: [rows][16].
  int64_t rows = conv.kernel_height * conv.kernel_width * group_channels;
  int64_t group_elements = padded.height * padded.width * group_channels;
  int64_t x_elements = groups * group_elements;
  int64_t dy_elements = out_panels * pixels * panel;

  void pack_x(int64_t image, float* to) const {
    const float* const from = x + image * conv.height * conv.width * conv.in_channels;
    std::fill_n(to, x_elements, 0.0F);
    for (int64_t i = 0; i < conv.height; ++i) {
      for (int64_t j = 0; j < conv.width; ++j) {
        const float* pixel = from + (i * conv.width + j) * conv.in_channels;
        float* out = to + ((i + padded.top) * padded.width + j + padded.left) * group_channels;
        for (int64_t c = 0; c < conv.in_channels; c += group_channels, out += group_elements) {
          std::copy_n(pixel + c, std::min(group_channels, conv.in_channels - c), out);
        }
      }
    }
  }

  void pack_dy(int64_t image, float* to) const {
    for (int64_t pixel = 0; pixel < pixels; ++pixel) {
      const float* const from = dy + (image * pixels + pixel) * conv.out_channels;
      for (int64_t p = 0; p < out_panels; ++p) {
        float* const out = to + (p * pixels + pixel) * panel;
        const int64_t columns = std::min(panel, conv.out_channels - p * panel);
        copy_to_panel(from + p * panel, columns, out);
      }
    }
  }

  // Adds the products of an image to d [rows][16], or starts with them. A sum is over some rows of pixels at a time,
  // because a long sum of short sums rounds less than one long sum.
  void add_image(const float* packed_x, const float* packed_dy, int64_t group, int64_t out_panel, float* d,
                 bool accumulate) const {
    const int64_t row = padded.width * group_channels, filter_row = conv.kernel_width * group_channels;
    constexpr int64_t most_pixels = 128;
    for_each_part(conv.out_height(), conv.out_width(), most_pixels,
                  [&](int64_t i, int64_t count, int64_t j, int64_t width) {
                    for (int64_t r = 0; r < conv.kernel_height; ++r) {
                      level.multiply({.rows = filter_row,
                                      .groups = count,
                                      .inner = width,
                                      .a = packed_x + group * group_elements + (i * conv.stride + r) * row +
                                           j * conv.stride * group_channels,
                                      .a_row = 1,
                                      .a_step = conv.stride * group_channels,
                                      .a_group = conv.stride * row,
                                      .b = packed_dy + (out_panel * pixels + i * conv.out_width() + j) * panel,
                                      .c = d + r * filter_row * panel,
                                      .c_row = panel,
                                      .accumulate = accumulate || i > 0 || j > 0});
                    }
                  });
  }

  // d [rows][16] -> dw[out channel][tap][in channel].
  void write(const float* d, int64_t group, int64_t out_panel, bool accumulate) const {
    const int64_t channel = group * group_channels;
    const int64_t channels = std::min(group_channels, conv.in_channels - channel), width = group_channels;
    for (int64_t k = 0; k < std::min(panel, conv.out_channels - out_panel * panel); ++k) {
      for (int64_t tap = 0; tap < rows / width; ++tap) {
        float* const to = dw + (out_panel * panel + k) * taps(conv) + tap * conv.in_channels + channel;
        for (int64_t c = 0; c < channels; ++c) {
          const float value = d[(tap * width + c) * panel + k];
          to[c] = accumulate ? to[c] + value : value;
        }
      }
    }
  }

  void run(Stream& stream) const {
    constexpr int64_t most_kept_gradients = 1 << 16;  // 256 KiB
    if (out_panels * groups * rows * panel <= most_kept_gradients) {
      run_by_images(stream);
    } else {
      run_by_channels(stream);
    }
  }

  // Each task sums over a slice of the images, for all channels; the sums of the slices are then added.
  void run_by_images(Stream& stream) const {
    constexpr int64_t pixels_in_slice = 128;
    const int64_t slices = std::min(conv.batch, std::clamp<int64_t>(conv.batch * pixels / pixels_in_slice, 4, 16));
    const int64_t d_elements = out_panels * groups * rows * panel;
    Workspace workspace;
    const int64_t d_at = workspace.reserve(d_elements, slices);
    const int64_t x_at = workspace.reserve(x_elements, thread_count());
    const int64_t dy_at = workspace.reserve(dy_elements, thread_count());
    float *const memory = workspace.allocate(stream), *const sum = memory + d_at;
    for_each_task(slices, [&](int64_t slice, int thread) {
      float* const packed_x = memory + x_at + thread * Workspace::rounded(x_elements);
      float* const packed_dy = memory + dy_at + thread * Workspace::rounded(dy_elements);
      const int64_t begin = conv.batch * slice / slices, end = conv.batch * (slice + 1) / slices;
      for (int64_t image = begin; image < end; ++image) {
        pack_x(image, packed_x);
        pack_dy(image, packed_dy);
        for (int64_t p = 0; p < out_panels; ++p) {
          for (int64_t g = 0; g < groups; ++g) {
            float* const d = sum + slice * Workspace::rounded(d_elements) + (p * groups + g) * rows * panel;
            add_image(packed_x, packed_dy, g, p, d, image > begin);
          }
        }
      }
    });
    for_each_task(out_panels * groups, [&](int64_t task) {
      for (int64_t slice = 0; slice < slices; ++slice) {
        write(sum + slice * Workspace::rounded(d_elements) + task * rows * panel, task % groups, task / groups,
              slice > 0);
      }
    });
  }

  // Each task sums over all images (over as many as may be in memory), for 16 output channels and one group.
  void run_by_channels(Stream& stream) const {
    constexpr int64_t most_packed = 4 << 20;  // 16 MiB
    const int64_t most = std::clamp<int64_t>(most_packed / (x_elements + dy_elements), 1, conv.batch);
    Workspace workspace;
    const int64_t x_at = workspace.reserve(x_elements, most), dy_at = workspace.reserve(dy_elements, most);
    const int64_t d_at = workspace.reserve(rows * panel, thread_count());
    float* const memory = workspace.allocate(stream);
    const auto packed_x = [&](int64_t i) { return memory + x_at + i * Workspace::rounded(x_elements); };
    const auto packed_dy = [&](int64_t i) { return memory + dy_at + i * Workspace::rounded(dy_elements); };
    for (int64_t begin = 0; begin < conv.batch; begin += most) {
      const int64_t count = std::min(most, conv.batch - begin);
      for_each_task(count, [&](int64_t i) {
        pack_x(begin + i, packed_x(i));
        pack_dy(begin + i, packed_dy(i));
      });
      for_each_task(out_panels * groups, [&](int64_t task, int thread) {
        float* const d = memory + d_at + thread * Workspace::rounded(rows * panel);
        for (int64_t i = 0; i < count; ++i) {
          add_image(packed_x(i), packed_dy(i), task % groups, task / groups, d, i > 0);
        }
        write(d, task % groups, task / groups, begin > 0);
      });
    }
  }
};

}  // namespace

void direct_forward(Stream& stream, const float* x, const float* w, const Epilogue& epilogue, float* y,
                    const Conv2d& conv) {
  const Level& own_level = level();
  const Padded padded = padded_input(conv);
  const int64_t steps = taps(conv), panels = panels_of(conv.out_channels);
  const float* const bias = epilogue.only_shifts() ? epilogue.shift : nullptr;  // sums can begin with it
  Workspace workspace;
  const int64_t u_at = workspace.reserve(steps * panel, panels), bias_at = workspace.reserve(panels * panel);
  const int64_t x_elements = conv.padding > 0 ? padded.elements() : 0;
  const int64_t x_at = workspace.reserve(x_elements, thread_count());
  float *const memory = workspace.allocate(stream), *const u = memory + u_at;
  for_each_task(panels, [&](int64_t p) {
    const int64_t columns = std::min(panel, conv.out_channels - p * panel);
    pack_panel(w + p * panel * steps, columns, steps, u + p * Workspace::rounded(steps * panel));
    if (bias) copy_to_panel(bias + p * panel, columns, memory + bias_at + p * panel);
  });
  const int64_t parts = tasks_per_image(conv.batch, panels);
  for_each_task(conv.batch * parts, [&](int64_t task, int thread) {
    const int64_t image = task / parts, part = task % parts;
    const float* input = x + image * conv.height * conv.width * conv.in_channels;
    if (conv.padding > 0) {
      float* const copy = memory + x_at + thread * Workspace::rounded(x_elements);
      padded.copy(input, conv.height, conv.width, copy);
      input = copy;
    }
    const int64_t run = conv.kernel_width * conv.in_channels;
    for (int64_t p = panels * part / parts; p < panels * (part + 1) / parts; ++p) {
      const int64_t columns = std::min(panel, conv.out_channels - p * panel);
      for_each_part(conv.kernel_height, run, steps_in_cache,
                    [&](int64_t r, int64_t count, int64_t step, int64_t steps_in_part) {
                      const bool first = r == 0 && step == 0;
                      const bool last = r + count == conv.kernel_height && step + steps_in_part == run;
                      for (int64_t i = 0; i < conv.out_height(); ++i) {
                        const int64_t row = (image * conv.out_height() + i) * conv.out_width() * conv.out_channels;
                        own_level.multiply({.rows = conv.out_width(),
                                            .groups = count,
                                            .inner = steps_in_part,
                                            .a = input + (i * conv.stride + r) * padded.row() + step,
                                            .a_row = conv.stride * conv.in_channels,
                                            .a_step = 1,
                                            .a_group = padded.row(),
                                            .b = u + p * Workspace::rounded(steps * panel) + (r * run + step) * panel,
                                            .c = y + row + p * panel,
                                            .c_row = conv.out_channels,
                                            .columns = columns,
                                            .start = bias && first ? memory + bias_at + p * panel : nullptr,
                                            .accumulate = !first});
                        if (last && !epilogue.only_shifts()) {
                          finish_row(epilogue, y, row, conv.out_width(), p * panel, columns, conv.out_channels);
                        }
                      }
                    });
    }
  });
}

void direct_backward_data(Stream& stream, const float* dy, const float* w, float* dx, const Conv2d& conv) {
  const Level& own_level = level();
  const Padded padded = padded_gradient(conv);
  const int64_t panels = panels_of(conv.in_channels), phases = conv.stride * conv.stride;
  const int64_t packed_elements = conv.kernel_height * conv.kernel_width * conv.out_channels * panel;
  Workspace workspace;
  const int64_t u_at = workspace.reserve(packed_elements, panels);
  const int64_t dy_at = workspace.reserve(padded.elements(), thread_count());
  float* const memory = workspace.allocate(stream);
  const auto packed = [&](int64_t p) { return memory + u_at + p * Workspace::rounded(packed_elements); };
  for_each_task(panels, [&](int64_t p) {
    float* u = packed(p);
    for (int64_t index = 0; index < phases; ++index) {
      const Phase phase(conv, index);
      if (phase.empty()) continue;
      for (int64_t i = 0; i < phase.down.count; ++i) {
        for (int64_t j = 0; j < phase.across.count; ++j) {
          const int64_t tap = phase.down.tap(i, conv.stride) * conv.kernel_width + phase.across.tap(j, conv.stride);
          u = pack_tap(w + tap * conv.in_channels + p * panel, conv, std::min(panel, conv.in_channels - p * panel), u);
        }
      }
    }
  });
  const int64_t parts = tasks_per_image(conv.batch, panels);
  for_each_task(conv.batch * parts, [&](int64_t task, int thread) {
    const int64_t image = task / parts, part = task % parts;
    float* const gradient = memory + dy_at + thread * Workspace::rounded(padded.elements());
    padded.copy(dy + image * conv.out_height() * conv.out_width() * conv.out_channels, conv.out_height(),
                conv.out_width(), gradient);
    float* const out = dx + image * conv.height * conv.width * conv.in_channels;
    for (int64_t p = panels * part / parts; p < panels * (part + 1) / parts; ++p) {
      const int64_t columns = std::min(panel, conv.in_channels - p * panel);
      const float* u = packed(p);
      for (int64_t index = 0; index < phases; ++index) {
        const Phase phase(conv, index);
        if (phase.empty()) {
          clear(conv, phase, out, p * panel, columns);
          continue;
        }
        const int64_t run = phase.across.count * conv.out_channels;
        for_each_part(
            phase.down.count, run, steps_in_cache, [&](int64_t r, int64_t count, int64_t step, int64_t steps_in_part) {
              for (int64_t i = 0; i < phase.down.size; ++i) {
                const int64_t row = phase.row + i * conv.stride;
                own_level.multiply({.rows = phase.across.size,
                                    .groups = count,
                                    .inner = steps_in_part,
                                    .a = gradient + (i + phase.down.lowest + padded.top + r) * padded.row() +
                                         (phase.across.lowest + padded.left) * conv.out_channels + step,
                                    .a_row = conv.out_channels,
                                    .a_step = 1,
                                    .a_group = padded.row(),
                                    .b = u + (r * run + step) * panel,
                                    .c = out + (row * conv.width + phase.column) * conv.in_channels + p * panel,
                                    .c_row = conv.stride * conv.in_channels,
                                    .columns = columns,
                                    .accumulate = r > 0 || step > 0});
              }
            });
        u += phase.steps(conv) * panel;
      }
    }
  });
}

void direct_backward_filter(Stream& stream, const float* x, const float* dy, float* dw, const Conv2d& conv) {
  FilterGradient{.level = level(), .conv = conv, .x = x, .dy = dy, .dw = dw}.run(stream);
}

}  // namespace melgrad::kernel::convolution
