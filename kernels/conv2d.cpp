// Convolutions by oneDNN on NHWC activations. Each oneDNN primitive runs on one thread, and the thread pool distributes
// the batch: image by image for the forward pass and the gradient of x, in slices for the gradient of w. The number of
// slices depends on the shape alone, so results are bit-identical for any number of threads. oneDNN's own threading
// does not promise that and is not faster.
#include "kernels/conv2d.h"

#include <algorithm>
#include <map>
#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>
#include <utility>

#include "kernels/device/onednn.h"
#include "kernels/device/parallel.h"

namespace melgrad::kernel::cpu {
namespace {

using dnnl::memory;
using Arguments = std::unordered_map<int, memory>;

enum class Pass : uint8_t { forward, forward_with_bias, backward_data, backward_filter };

const dnnl::engine& engine() {
  // Never destroyed, because the streams of other threads may still use it at exit.
  static const auto& cpu = *new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return cpu;
}

const dnnl::stream& thread_stream() {
  thread_local const dnnl::stream stream(engine());
  return stream;
}

void execute(const dnnl::primitive& primitive, const Arguments& arguments) {
  const OneDnnThread single;
  try {
    primitive.execute(thread_stream(), arguments);
  } catch (const dnnl::error& error) {
    if (error.status == dnnl_out_of_memory) throw std::bad_alloc();
    fail("a convolution failed in oneDNN: {}", error.what());
  }
}

dnnl::primitive_attr attributes() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

memory::desc describe(const memory::dims& dims, memory::format_tag tag) { return {dims, memory::data_type::f32, tag}; }

// The arguments of a convolution as oneDNN describes them.
struct Operands {
  memory::desc x, weights, bias, y;
  memory::dims strides, padding;
};

using Forward = dnnl::convolution_forward;
using BackwardData = dnnl::convolution_backward_data;
using BackwardWeights = dnnl::convolution_backward_weights;

constexpr auto training = dnnl::prop_kind::forward_training;
constexpr auto direct = dnnl::algorithm::convolution_direct;

// oneDNN 3 makes a primitive descriptor from the operands; older versions need an operation descriptor in between.
#if DNNL_VERSION_MAJOR >= 3
Forward::primitive_desc forward_descriptor(const Operands& o) {
  return {engine(), training, direct, o.x, o.weights, o.bias, o.y, o.strides, o.padding, o.padding, attributes()};
}
template <class Backward>
typename Backward::primitive_desc backward_descriptor(const Operands& o) {
  return {engine(), direct, o.x, o.weights, o.y, o.strides, o.padding, o.padding, forward_descriptor(o), attributes()};
}
#else
Forward::primitive_desc forward_descriptor(const Operands& o) {
  return {{training, direct, o.x, o.weights, o.bias, o.y, o.strides, o.padding, o.padding}, attributes(), engine()};
}
template <class Backward>
typename Backward::primitive_desc backward_descriptor(const Operands& o) {
  return {
      {direct, o.x, o.weights, o.y, o.strides, o.padding, o.padding}, attributes(), engine(), forward_descriptor(o)};
}
#endif

// A convolution of `batch` images on one thread, and the conversion between our layout of the weights and its layout.
struct Primitives {
  dnnl::primitive convolution;
  memory::desc x, y, bias, weights;
  dnnl::primitive reorder;  // of the weights: from our layout to oneDNN's; the reverse for the filter gradient
  memory::desc our_weights;
  memory::desc scratchpad, reorder_scratchpad;

  size_t scratchpad_bytes() const { return std::max(scratchpad.get_size(), reorder_scratchpad.get_size()); }
};

Primitives make_primitives(Pass pass, const Conv2d& c) {
  using Tag = memory::format_tag;
  Operands o{.x = describe({c.batch, c.in_channels, c.height, c.width}, Tag::nhwc),
             .weights = describe({c.out_channels, c.in_channels, c.kernel_height, c.kernel_width}, Tag::any),
             .bias = pass == Pass::forward_with_bias ? describe({c.out_channels}, Tag::a) : memory::desc(),
             .y = describe({c.batch, c.out_channels, c.out_height(), c.out_width()}, Tag::nhwc),
             .strides = {c.stride, c.stride},
             .padding = {c.padding, c.padding}};
  Primitives primitives{
      .x = o.x,
      .y = o.y,
      .bias = o.bias,
      .our_weights = describe({c.out_channels, c.in_channels, c.kernel_height, c.kernel_width}, Tag::ohwi)};
  switch (pass) {
    case Pass::forward:
    case Pass::forward_with_bias: {
      const auto descriptor = forward_descriptor(o);
      primitives.convolution = Forward(descriptor);
      primitives.weights = descriptor.weights_desc();
      primitives.scratchpad = descriptor.scratchpad_desc();
      break;
    }
    case Pass::backward_data: {
      const auto descriptor = backward_descriptor<BackwardData>(o);
      primitives.convolution = BackwardData(descriptor);
      primitives.weights = descriptor.weights_desc();
      primitives.scratchpad = descriptor.scratchpad_desc();
      break;
    }
    case Pass::backward_filter: {
      const auto descriptor = backward_descriptor<BackwardWeights>(o);
      primitives.convolution = BackwardWeights(descriptor);
      primitives.weights = descriptor.diff_weights_desc();
      primitives.scratchpad = descriptor.scratchpad_desc();
      break;
    }
  }
  const bool back = pass == Pass::backward_filter;
  const dnnl::reorder::primitive_desc reorder(engine(), back ? primitives.weights : primitives.our_weights, engine(),
                                              back ? primitives.our_weights : primitives.weights, attributes());
  primitives.reorder = dnnl::reorder(reorder);
  primitives.reorder_scratchpad = reorder.scratchpad_desc();
  return primitives;
}

struct Key {
  Pass pass;
  Conv2d conv;
  auto operator<=>(const Key&) const = default;
};

const Primitives& cached_primitives(Pass pass, const Conv2d& conv) {
  static auto& cache = *new std::map<Key, Primitives>;
  const Key key{pass, conv};
  if (const auto found = cache.find(key); found != cache.end()) return found->second;
  require_room_for_code();
  const OneDnnThread single;
  try {
    return cache[key] = make_primitives(pass, conv);
  } catch (const dnnl::error& error) {
    cache.erase(key);
    if (error.status == dnnl_out_of_memory) throw std::bad_alloc();
    fail("conv2d: oneDNN cannot convolve {}x{}x{}x{} with {} filters of {}x{}: {}", conv.batch, conv.height, conv.width,
         conv.in_channels, conv.out_channels, conv.kernel_height, conv.kernel_width, error.what());
  }
}

int64_t image_elements(const Conv2d& conv) { return conv.height * conv.width * conv.in_channels; }
int64_t out_elements(const Conv2d& conv) { return conv.out_height() * conv.out_width() * conv.out_channels; }

void check(const Conv2d& conv, DType dtype, const char* kernel_name) {
  require_float32(dtype, kernel_name);
  MELGRAD_CHECK(conv.out_height() > 0 && conv.out_width() > 0,
                "{}: a {}x{} kernel does not fit an input of {}x{} with padding {}", kernel_name, conv.kernel_height,
                conv.kernel_width, conv.height, conv.width, conv.padding);
}

constexpr size_t aligned(size_t bytes) { return (bytes + 63) / 64 * 64; }

memory wrap(const memory::desc& desc, const void* data) { return {desc, engine(), const_cast<void*>(data)}; }

// The input or the output of a convolution.
struct Images {
  int argument;  // DNNL_ARG_...
  const memory::desc& image;
  const void* data;
  int64_t elements;  // per image

  memory of(int64_t i) const { return wrap(image, static_cast<const float*>(data) + i * elements); }
};

// The forward pass and the gradient of x: every image has its own output.
void convolve_images(Stream& stream, const Primitives& primitives, int64_t batch, const Images& in, const void* w,
                     const float* bias, const Images& out) {
  const size_t weights_bytes = aligned(primitives.weights.get_size()),
               scratchpad_bytes = aligned(primitives.scratchpad_bytes());
  auto* const workspace =
      static_cast<char*>(stream.workspace(weights_bytes + static_cast<size_t>(thread_count()) * scratchpad_bytes));
  char* const scratchpads = workspace + weights_bytes;

  const memory weights = wrap(primitives.weights, workspace);
  execute(primitives.reorder, {{DNNL_ARG_FROM, wrap(primitives.our_weights, w)},
                               {DNNL_ARG_TO, weights},
                               {DNNL_ARG_SCRATCHPAD, wrap(primitives.reorder_scratchpad, scratchpads)}});
  for_each_task(batch, [&](int64_t i, int thread) {
    char* const scratchpad = scratchpads + static_cast<size_t>(thread) * scratchpad_bytes;
    Arguments arguments{{in.argument, in.of(i)},
                        {DNNL_ARG_WEIGHTS, weights},
                        {out.argument, out.of(i)},
                        {DNNL_ARG_SCRATCHPAD, wrap(primitives.scratchpad, scratchpad)}};
    if (bias) arguments[DNNL_ARG_BIAS] = wrap(primitives.bias, bias);
    execute(primitives.convolution, arguments);
  });
}

// Each slice of the batch computes a filter gradient, and the slices' gradients are then added. There are enough slices
// to keep the threads busy, and enough pixels per slice to make the additions cheap in comparison.
int64_t images_per_slice(const Conv2d& conv) {
  constexpr int64_t pixels = 128;
  const int64_t slices = std::clamp<int64_t>(conv.batch * conv.out_height() * conv.out_width() / pixels, 4, 16);
  return (conv.batch + slices - 1) / slices;
}

}  // namespace

void conv2d_forward(Stream& stream, const void* x, const void* w, const float* bias, void* y, DType dtype,
                    Conv2d conv) {
  check(conv, dtype, "conv2d_forward");
  const int64_t batch = std::exchange(conv.batch, 1);
  const Primitives& primitives = cached_primitives(bias ? Pass::forward_with_bias : Pass::forward, conv);
  convolve_images(stream, primitives, batch, {DNNL_ARG_SRC, primitives.x, x, image_elements(conv)}, w, bias,
                  {DNNL_ARG_DST, primitives.y, y, out_elements(conv)});
}

void conv2d_backward_data(Stream& stream, const void* dy, const void* w, void* dx, DType dtype, Conv2d conv) {
  check(conv, dtype, "conv2d_backward_data");
  const int64_t batch = std::exchange(conv.batch, 1);
  const Primitives& primitives = cached_primitives(Pass::backward_data, conv);
  convolve_images(stream, primitives, batch, {DNNL_ARG_DIFF_DST, primitives.y, dy, out_elements(conv)}, w, nullptr,
                  {DNNL_ARG_DIFF_SRC, primitives.x, dx, image_elements(conv)});
}

void conv2d_backward_filter(Stream& stream, const void* x, const void* dy, void* dw, DType dtype, Conv2d conv) {
  check(conv, dtype, "conv2d_backward_filter");
  const int64_t filter_elements = conv.out_channels * conv.kernel_height * conv.kernel_width * conv.in_channels;
  const size_t filter_bytes = static_cast<size_t>(filter_elements) * sizeof(float);
  const int64_t batch = conv.batch, per_slice = images_per_slice(conv);
  const int64_t slices = (batch + per_slice - 1) / per_slice, last_slice = batch - (slices - 1) * per_slice;
  const int64_t in_stride = image_elements(conv), out_stride = out_elements(conv);
  conv.batch = last_slice;
  const Primitives& last_primitives = cached_primitives(Pass::backward_filter, conv);
  conv.batch = per_slice;
  const Primitives& primitives = cached_primitives(Pass::backward_filter, conv);

  const size_t weights_bytes = aligned(std::max(primitives.weights.get_size(), last_primitives.weights.get_size()));
  const size_t thread_bytes =
      weights_bytes + aligned(std::max(primitives.scratchpad_bytes(), last_primitives.scratchpad_bytes()));
  const size_t partials_bytes = static_cast<size_t>(slices) * aligned(filter_bytes);
  auto* const workspace =
      static_cast<char*>(stream.workspace(partials_bytes + static_cast<size_t>(thread_count()) * thread_bytes));
  const auto partial = [&](int64_t slice) {
    return reinterpret_cast<float*>(workspace + static_cast<size_t>(slice) * aligned(filter_bytes));
  };

  for_each_task(slices, [&](int64_t slice, int thread) {
    const Primitives& own = slice == slices - 1 ? last_primitives : primitives;
    char* const own_workspace = workspace + partials_bytes + static_cast<size_t>(thread) * thread_bytes;
    const int64_t image = slice * per_slice;
    const memory weights = wrap(own.weights, own_workspace);
    execute(own.convolution, {{DNNL_ARG_SRC, wrap(own.x, static_cast<const float*>(x) + image * in_stride)},
                              {DNNL_ARG_DIFF_DST, wrap(own.y, static_cast<const float*>(dy) + image * out_stride)},
                              {DNNL_ARG_DIFF_WEIGHTS, weights},
                              {DNNL_ARG_SCRATCHPAD, wrap(own.scratchpad, own_workspace + weights_bytes)}});
    execute(own.reorder, {{DNNL_ARG_FROM, weights},
                          {DNNL_ARG_TO, wrap(own.our_weights, partial(slice))},
                          {DNNL_ARG_SCRATCHPAD, wrap(own.reorder_scratchpad, own_workspace + weights_bytes)}});
  });

  auto* const sum = static_cast<float*>(dw);
  for_each_chunk(filter_elements, 4096, [&](int64_t, int64_t begin, int64_t end) {
    std::copy(partial(0) + begin, partial(0) + end, sum + begin);
    for (int64_t slice = 1; slice < slices; ++slice) {
      const float* const values = partial(slice);
      for (int64_t i = begin; i < end; ++i) sum[i] += values[i];
    }
  });
}

}  // namespace melgrad::kernel::cpu
