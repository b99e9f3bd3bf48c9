// The arithmetic and the memory traffic of every kernel, counted for `melgrad profile`.
//
// Operations: additions, subtractions, multiplications, divisions, comparisons, square roots, exponentials and
// logarithms of floating-point numbers count 1 each, so a multiply-add counts 2. A sum or a maximum of n values counts
// n. Operations that a formula needs once per channel, per row or per call instead of once per element are left out, as
// are integers, random numbers and conversions between types.
//
// Bytes: each array that a kernel reads or writes counts once in each direction, whatever the kernel does with it in
// between. This is the least traffic of a call that finds nothing in a cache. A kernel that passes over its arrays
// twice moves more, and arrays that fit a cache are not moved at all.
//
// Convolutions are counted as direct sums, products with the padding included. On the CPU, Winograd's algorithm
// computes some of them with fewer operations; their costs name it.
#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "kernels/adam.h"
#include "kernels/adaptive_avg_pool2d.h"
#include "kernels/arithmetic.h"
#include "kernels/band_statistics.h"
#include "kernels/batch_metrics.h"
#include "kernels/batch_norm.h"
#include "kernels/batch_norm_max_pool2d.h"
#include "kernels/batch_norm_sum.h"
#include "kernels/cast.h"
#include "kernels/column_sum.h"
#include "kernels/conv2d.h"
#include "kernels/conv2d_batch_norm.h"
#include "kernels/convolution/winograd.h"
#include "kernels/counter.h"
#include "kernels/crop.h"
#include "kernels/cross_entropy.h"
#include "kernels/dropout.h"
#include "kernels/gradient_norm.h"
#include "kernels/linear.h"
#include "kernels/loss_scale.h"
#include "kernels/max_pool2d.h"
#include "kernels/mel.h"
#include "kernels/mixup.h"
#include "kernels/one_hot.h"
#include "kernels/relu.h"
#include "kernels/sgd.h"
#include "kernels/spec_augment.h"
#include "kernels/spectral_jitter.h"
#include "kernels/standardise.h"
#include "kernels/sum.h"
#include "kernels/waveform_crop.h"
#include "kernels/waveform_mix.h"

namespace melgrad::kernel::cost {
namespace {

constexpr double float_bytes = sizeof(float);

double real(int64_t n) { return static_cast<double>(n); }
double bytes_of(DType dtype, double elements) { return elements * static_cast<double>(size_of(dtype)); }

// `arrays` arrays of n elements, with `flops` operations for each element.
KernelCost elementwise(DType dtype, int64_t n, int arrays, int flops) {
  return {.flops = flops * real(n), .bytes = bytes_of(dtype, arrays * real(n))};
}

// A copy on the host of an array in the stream's memory.
template <class T>
std::vector<T> fetch(Stream& stream, const T* from, int64_t count) {
  std::vector<T> values(static_cast<size_t>(count));
  stream.copy(values.data(), from, values.size() * sizeof(T));
  return values;
}

}  // namespace

// ---- Elementwise operations and sums.

KernelCost add(Stream&, const void*, const void*, void*, DType dtype, int64_t n) { return elementwise(dtype, n, 3, 1); }
KernelCost sub(Stream&, const void*, const void*, void*, DType dtype, int64_t n) { return elementwise(dtype, n, 3, 1); }
KernelCost mul(Stream&, const void*, const void*, void*, DType dtype, int64_t n) { return elementwise(dtype, n, 3, 1); }
KernelCost negate(Stream&, const void*, void*, DType dtype, int64_t n) { return elementwise(dtype, n, 2, 1); }
KernelCost scale(Stream&, const void*, const float*, void*, DType dtype, int64_t n) {
  KernelCost cost = elementwise(dtype, n, 2, 1);
  cost.bytes += float_bytes;
  return cost;
}

KernelCost relu_forward(Stream&, const void*, void*, DType dtype, int64_t n) { return elementwise(dtype, n, 2, 1); }
KernelCost relu_backward(Stream&, const void*, const void*, void*, DType dtype, int64_t n) {
  return elementwise(dtype, n, 3, 1);
}

// One multiplication for each element; the random numbers do not count.
KernelCost dropout(Stream&, const void*, void*, DType dtype, int64_t n, float, RandomStream) {
  return elementwise(dtype, n, 2, 1);
}

KernelCost cast(Stream&, const void*, DType from, void*, DType to, int64_t n) {
  return {.bytes = bytes_of(from, real(n)) + bytes_of(to, real(n))};
}

KernelCost sum_forward(Stream&, const void*, float*, DType dtype, int64_t n, float) {
  return {.flops = real(n), .bytes = bytes_of(dtype, real(n)) + float_bytes};
}
KernelCost sum_backward(Stream&, const float*, void*, DType dtype, int64_t n, float) {
  return {.bytes = bytes_of(dtype, real(n)) + float_bytes};
}
KernelCost column_sum(Stream&, const void*, float*, DType dtype, int64_t rows, int64_t columns) {
  const double n = real(rows * columns);
  return {.flops = n, .bytes = bytes_of(dtype, n) + float_bytes * real(columns)};
}

KernelCost increment(Stream&, uint64_t*) { return {.bytes = 2 * sizeof(uint64_t)}; }

// ---- Convolution and matrix products.

namespace {

const char* algorithm_of(const Stream& stream, const Conv2d& conv) {
  return stream.device() == Device::cpu && convolution::winograd_applies(conv) ? "Winograd" : "";
}

KernelCost convolution_cost(const Stream& stream, DType dtype, const Conv2d& c) {
  const int64_t in = c.batch * c.height * c.width * c.in_channels;
  const int64_t out = c.batch * c.out_height() * c.out_width() * c.out_channels;
  const int64_t weights = c.out_channels * c.kernel_height * c.kernel_width * c.in_channels;
  return {.flops = 2 * real(c.multiply_adds()),
          .bytes = bytes_of(dtype, real(in + out + weights)),
          .algorithm = algorithm_of(stream, c)};
}

KernelCost product_cost(DType dtype, int64_t n, int64_t in_features, int64_t out_features) {
  return {.flops = 2 * real(n) * real(in_features) * real(out_features),
          .bytes = bytes_of(dtype, real(n * in_features + out_features * in_features + n * out_features))};
}

// One addition for each of `outputs` elements with `channels` biases.
void add_bias(KernelCost& cost, const float* bias, int64_t outputs, int64_t channels) {
  if (!bias) return;
  cost.flops += real(outputs);
  cost.bytes += float_bytes * real(channels);
}

}  // namespace

KernelCost conv2d_forward(Stream& stream, const void*, const void*, const float* bias, void*, DType dtype,
                          Conv2d conv) {
  KernelCost cost = convolution_cost(stream, dtype, conv);
  add_bias(cost, bias, conv.batch * conv.out_height() * conv.out_width() * conv.out_channels, conv.out_channels);
  return cost;
}
// A scale and a shift for each element of the output, the residual and ReLU.
KernelCost conv2d_batch_norm_forward(Stream& stream, const void*, const void*, BatchNormEpilogue epilogue,
                                     BatchNormAffine, RunningStatistics, void*, DType dtype, Conv2d conv, float) {
  KernelCost cost = convolution_cost(stream, dtype, conv);
  const double outputs = real(conv.batch * conv.out_height() * conv.out_width() * conv.out_channels);
  const bool residual = epilogue.residual != nullptr;
  cost.flops += (2 + residual + epilogue.relu) * outputs;
  cost.bytes += (residual ? bytes_of(dtype, outputs) : 0) + 4 * float_bytes * real(conv.out_channels);
  return cost;
}

KernelCost conv2d_backward_data(Stream& stream, const void*, const void*, void*, DType dtype, Conv2d conv) {
  return convolution_cost(stream, dtype, conv);
}
KernelCost conv2d_backward_filter(Stream& stream, const void*, const void*, void*, DType dtype, Conv2d conv) {
  return convolution_cost(stream, dtype, conv);
}

KernelCost linear_forward(Stream&, const void*, const void*, const float* bias, void*, DType dtype, int64_t n,
                          int64_t in_features, int64_t out_features) {
  KernelCost cost = product_cost(dtype, n, in_features, out_features);
  add_bias(cost, bias, n * out_features, out_features);
  return cost;
}
KernelCost linear_backward_data(Stream&, const void*, const void*, void*, DType dtype, int64_t n, int64_t in_features,
                                int64_t out_features) {
  return product_cost(dtype, n, in_features, out_features);
}
KernelCost linear_backward_weight(Stream&, const void*, const void*, void*, DType dtype, int64_t n, int64_t in_features,
                                  int64_t out_features) {
  return product_cost(dtype, n, in_features, out_features);
}

// ---- Batch normalisation. Every array of one float per channel counts, in each direction.

namespace {

constexpr int normalize_flops = 3;            // (x - mean) * scale + beta
constexpr int statistics_flops = 4;           // x - x[0], its square, and both sums
constexpr int sums_flops = 4;                 // dz (x - mean), and both sums
constexpr int data_gradient_flops = 5;        // scale (dz - offset - slope (x - mean))
constexpr int constant_statistics_flops = 1;  // scale dz

double per_channel(int64_t channels, int arrays) { return float_bytes * arrays * real(channels); }

// mean and inverse_std are written, the running statistics read and written.
double statistics_bytes(const RunningStatistics& running, const BatchNormSize& size) {
  return per_channel(size.channels, 6) + (running.batches ? 2 * sizeof(uint64_t) : 0);
}

KernelCost normalization_cost(const BatchNormEpilogue& epilogue, const BatchNormSize& size) {
  const bool residual = epilogue.residual != nullptr;
  return elementwise(size.dtype, size.rows * size.channels, 2 + residual, normalize_flops + residual + epilogue.relu);
}

// The gradients of gamma and beta, with the pass from dy to the gradient of z.
KernelCost sums_cost(const BatchNormOutputGradient& d, const BatchNormSize& size) {
  const bool stored = d.dz != nullptr, second = d.second_dy != nullptr;
  const int recomputed = d.relu && !stored ? normalize_flops : 0;
  const int select = d.relu || stored;
  return elementwise(size.dtype, size.rows * size.channels, 2 + second + 2 * stored,
                     recomputed + select + second + sums_flops);
}

KernelCost backward_cost(const BatchNormOutputGradient& d, const void* dx, const BatchNormSize& size, int flops) {
  KernelCost cost = sums_cost(d, size);
  const KernelCost data = elementwise(size.dtype, size.rows * size.channels, dx == d.dz ? 0 : 1, flops);
  cost.flops += data.flops;
  cost.bytes += data.bytes + per_channel(size.channels, 6);
  return cost;
}

}  // namespace

KernelCost batch_norm_statistics(Stream&, const void*, BatchNormStatistics, RunningStatistics running,
                                 BatchNormSize size, float, float) {
  KernelCost cost = elementwise(size.dtype, size.rows * size.channels, 1, statistics_flops);
  cost.bytes += statistics_bytes(running, size);
  return cost;
}

KernelCost batch_norm_forward_training(Stream&, const void*, BatchNormEpilogue epilogue, BatchNormAffine, void*,
                                       BatchNormStatistics, RunningStatistics running, BatchNormSize size, float,
                                       float) {
  KernelCost cost = normalization_cost(epilogue, size);
  cost.flops += statistics_flops * real(size.rows * size.channels);
  cost.bytes += statistics_bytes(running, size) + per_channel(size.channels, 2);
  return cost;
}

KernelCost batch_norm_forward_evaluation(Stream&, const void*, BatchNormEpilogue epilogue, BatchNormAffine, void*,
                                         RunningStatistics, BatchNormSize size, float) {
  KernelCost cost = normalization_cost(epilogue, size);
  cost.bytes += per_channel(size.channels, 4);
  return cost;
}

KernelCost batch_norm_backward_training(Stream&, const void*, BatchNormOutputGradient d, BatchNormAffine,
                                        BatchNormStatistics, void* dx, float*, float*, BatchNormSize size) {
  return backward_cost(d, dx, size, data_gradient_flops);
}

KernelCost batch_norm_backward_sums(Stream&, const void*, BatchNormOutputGradient d, BatchNormNormalization, float*,
                                    float*, BatchNormSize size) {
  KernelCost cost = sums_cost(d, size);
  cost.bytes += per_channel(size.channels, 6);
  return cost;
}

KernelCost batch_norm_backward_evaluation(Stream&, const void*, BatchNormOutputGradient d, BatchNormAffine,
                                          RunningStatistics, void* dx, float*, float*, BatchNormSize size, float) {
  return backward_cost(d, dx, size, constant_statistics_flops);
}

KernelCost batch_norm_sum_forward(Stream&, BatchNormTerm, BatchNormTerm, void*, BatchNormSize size) {
  KernelCost cost = elementwise(size.dtype, size.rows * size.channels, 3, 2 * normalize_flops + 2);
  cost.bytes += per_channel(size.channels, 8);
  return cost;
}

// The sum of dz, which is dbeta of both terms, is formed once.
KernelCost batch_norm_sum_backward(Stream&, BatchNormTerm, BatchNormTerm, const void*, const void* second_dy,
                                   bool training, BatchNormTermGradient, BatchNormTermGradient, BatchNormSize size) {
  const bool second = second_dy != nullptr;
  const int gradient_of_z = 2 * normalize_flops + 2 + second, sums = 2 * sums_flops - 1;
  const int data = 2 * (training ? data_gradient_flops : constant_statistics_flops);
  KernelCost cost = elementwise(size.dtype, size.rows * size.channels, 5 + second, gradient_of_z + sums + data);
  cost.bytes += per_channel(size.channels, 12);
  return cost;
}

// ---- Pooling.

namespace {

int64_t inputs(const Pool2d& pool) { return pool.batch * pool.height * pool.width * pool.channels; }
int64_t outputs(const Pool2d& pool) { return pool.batch * pool.out_height() * pool.out_width() * pool.channels; }

// The elements of all windows of one axis that are not padding.
int64_t window_elements(int64_t extent, int64_t out, const Pool2d& pool) {
  int64_t elements = 0;
  for (int64_t i = 0; i < out; ++i) {
    const int64_t begin = i * pool.stride - pool.padding;
    elements += std::min(extent, begin + pool.kernel_size) - std::max<int64_t>(0, begin);
  }
  return elements;
}

double comparisons(const Pool2d& pool) {
  return real(pool.batch * pool.channels) * real(window_elements(pool.height, pool.out_height(), pool)) *
         real(window_elements(pool.width, pool.out_width(), pool));
}

double window_elements(const AdaptivePool2d& pool) {
  const auto along = [](int64_t in, int64_t out) {
    int64_t elements = 0;
    for (int64_t i = 0; i < out; ++i) elements += AdaptiveWindow(i, in, out).size();
    return real(elements);
  };
  return real(pool.batch * pool.channels) * along(pool.height, pool.out_height) * along(pool.width, pool.out_width);
}

double adaptive_bytes(DType dtype, const AdaptivePool2d& pool) {
  return bytes_of(dtype,
                  real(pool.batch * pool.channels * (pool.height * pool.width + pool.out_height * pool.out_width)));
}

}  // namespace

KernelCost max_pool2d_forward(Stream&, const void*, void*, uint8_t*, DType dtype, Pool2d pool) {
  return {.flops = comparisons(pool),
          .bytes = bytes_of(dtype, real(inputs(pool) + outputs(pool))) + real(outputs(pool))};
}
// Each element of dy is added to one element of dx.
KernelCost max_pool2d_backward(Stream&, const void*, const uint8_t*, void*, DType dtype, Pool2d pool) {
  return {.flops = real(outputs(pool)),
          .bytes = bytes_of(dtype, real(inputs(pool) + outputs(pool))) + real(outputs(pool))};
}

KernelCost batch_norm_max_pool2d_forward(Stream&, const void*, BatchNormNormalization, void*,
                                         Maxima<uint8_t, void> maxima, DType dtype, Pool2d pool) {
  const double kept = maxima.x ? 2 : 1;
  return {.flops = (normalize_flops + 1) * real(inputs(pool)) + comparisons(pool),
          .bytes = bytes_of(dtype, real(inputs(pool)) + kept * real(outputs(pool))) + real(outputs(pool)) +
                   per_channel(pool.channels, 4)};
}

// The sums need only the maxima. The gradient of x needs all of x, unless the statistics are constants.
KernelCost batch_norm_max_pool2d_backward(Stream&, const void*, const void*, const void* second_dy,
                                          Maxima<const uint8_t, const void>, BatchNormNormalization, bool training,
                                          void*, float*, float*, DType dtype, Pool2d pool) {
  const int second = second_dy != nullptr;
  const int of_maximum = normalize_flops + 1 + second + sums_flops + 1;  // with the addition to dx
  const int of_input = training ? data_gradient_flops : constant_statistics_flops;
  return {.flops = of_maximum * real(outputs(pool)) + of_input * real(inputs(pool)),
          .bytes = bytes_of(dtype, (training ? 2 : 1) * real(inputs(pool)) + (2 + second) * real(outputs(pool))) +
                   real(outputs(pool)) + per_channel(pool.channels, 6)};
}

// A sum over each window, and a division.
KernelCost adaptive_avg_pool2d_forward(Stream&, const void*, void*, DType dtype, AdaptivePool2d pool) {
  return {.flops = window_elements(pool) + real(pool.batch * pool.channels * pool.out_height * pool.out_width),
          .bytes = adaptive_bytes(dtype, pool)};
}
// A division and an addition for each element of each window.
KernelCost adaptive_avg_pool2d_backward(Stream&, const void*, void*, DType dtype, AdaptivePool2d pool) {
  return {.flops = 2 * window_elements(pool), .bytes = adaptive_bytes(dtype, pool)};
}

// ---- Losses and metrics.

// For each logit: maximum, x - maximum, exp, its sum; t: a product and a sum; log_softmax: a difference; t log_softmax
// and its sum. Its gradient: a division, the sum of t, a product, a difference, a division.
KernelCost cross_entropy(Stream&, const void*, const float*, float*, void* dlogits, DType dtype, int64_t n,
                         int64_t classes, float) {
  const bool gradient = dlogits != nullptr;
  const double values = real(n * classes);
  return {.flops = (gradient ? 14 : 9) * values,
          .bytes = bytes_of(dtype, (gradient ? 2 : 1) * values) + float_bytes * (values + 1)};
}

// For each logit: maximum, x - maximum, exp, its sum, a division.
KernelCost softmax(Stream&, const void*, float*, DType dtype, int64_t n, int64_t classes) {
  const double values = real(n * classes);
  return {.flops = 5 * values, .bytes = bytes_of(dtype, values) + float_bytes * values};
}

// For each element of x one addition; for each frame of a band the means and the differences of four time scales.
KernelCost band_statistics(Stream&, const float*, float*, BandStatistics size) {
  const double values = real(size.images * size.n_mels * size.frames);
  const double frames = real(size.images * size.bands * size.frames);
  return {.flops = values + 16 * frames,
          .bytes = float_bytes * (values + real(size.images * size.bands * BandStatistics::count))};
}

KernelCost batch_metrics(Stream&, const void*, const float*, const float*, const float*, BatchMetrics*, DType dtype,
                         int64_t n, int64_t classes) {
  const double values = real(n * classes);
  return {.flops = 2 * values, .bytes = bytes_of(dtype, values) + float_bytes * (values + 2) + sizeof(BatchMetrics)};
}

// ---- Optimizers. The arrays of a slot are not arguments, so the slots are read back.

// Count the operations of AdamRule::update.
KernelCost adam_step(Stream& stream, const AdamSlot* slots, int64_t count, ChunkTable, const AdamScalars*,
                     const float* gradient_scale, float, float, float, bool) {
  constexpr int update_flops = 17;
  KernelCost cost{.bytes = sizeof(AdamScalars) + (gradient_scale ? float_bytes : 0)};
  for (const AdamSlot& slot : fetch(stream, slots, count)) {
    cost.flops += update_flops * real(slot.n);
    // Parameter and moments are read and written, the gradient is read, the copy written.
    cost.bytes += 6 * float_bytes * real(slot.n) + bytes_of(slot.gradient_dtype, real(slot.copy ? 2 * slot.n : slot.n));
  }
  return cost;
}

KernelCost sgd_step(Stream&, float*, const float*, float*, int64_t n, float, float, float) {
  return elementwise(DType::float32, n, 5, 6);
}

KernelCost gradient_norm(Stream& stream, const GradientSlot* slots, int64_t count, ChunkTable, float, float*, float*) {
  KernelCost cost{.bytes = 2 * float_bytes};
  for (const GradientSlot& slot : fetch(stream, slots, count)) {
    cost.flops += 2 * real(slot.n);
    cost.bytes += bytes_of(slot.dtype, real(slot.n));
  }
  return cost;
}

// The scale, the steps and the norm are read and written.
KernelCost update_loss_scale(Stream&, float*, LossScaleSteps*, const AdamScalars*, float, float, float,
                             LossScaleOutputs) {
  return {.bytes = 2 * (2 * float_bytes + sizeof(LossScaleSteps)) + 2 * sizeof(AdamScalars) + float_bytes};
}

// ---- Batches and augmentation.

KernelCost one_hot(Stream&, const int32_t*, const int64_t*, float*, int64_t batch, int64_t classes) {
  return {.bytes = real(batch) * (sizeof(int64_t) + sizeof(int32_t)) + float_bytes * real(batch * classes)};
}

KernelCost random_crop_starts(Stream&, const Clip*, const int64_t*, int64_t*, int64_t batch, int64_t, RandomStream) {
  return {.bytes = real(batch) * (2 * sizeof(int64_t) + sizeof(Clip))};
}

// A clip that is shorter than the crop is read once and written repeatedly.
KernelCost crop(Stream& stream, const Clip* clips, const int64_t* picks, const int64_t*, void*, DType dtype,
                int64_t batch, int64_t n_mels, int64_t crop_frames, const float*, const float*) {
  const std::vector<int64_t> picked = fetch(stream, picks, batch);
  const std::vector<Clip> all = fetch(stream, clips, batch == 0 ? 0 : 1 + *std::ranges::max_element(picked));
  const double written = real(batch * n_mels * crop_frames);
  int64_t read = 0;
  for (const int64_t pick : picked) read += n_mels * std::min(crop_frames, all[static_cast<size_t>(pick)].frames);
  return {.flops = 2 * written,
          .bytes = bytes_of(dtype, written) + float_bytes * real(read + 2 * n_mels) +
                   real(batch) * (2 * sizeof(int64_t) + sizeof(Clip))};
}

// A maximum, the limit, a difference and a product for each value.
KernelCost limit_and_standardise(Stream&, const float*, CropLayout layout, float, const float*, const float*, void*,
                                 DType dtype) {
  const double values = real(layout.batch * layout.n_mels * layout.frames);
  return {.flops = 4 * values,
          .bytes = float_bytes * values + bytes_of(dtype, values) + 2 * float_bytes * real(layout.n_mels)};
}

// For each tap: the weight between two rows of the table (3) and a multiply-add; then the factor. A crop is counted as
// if it read as many samples as it writes, which holds at the mean speed of 1.
KernelCost waveform_crop(Stream&, const Recording*, const int64_t*, const float*, float*, WaveformShape shape,
                         WaveformChange, RandomStream) {
  const double samples = real(shape.batch * shape.length);
  return {.flops = (5 * interpolation_taps + 1) * samples,
          .bytes = sizeof(int16_t) * samples + float_bytes * real(shape.batch * shape.stride) +
                   float_bytes * (interpolation_phases + 1) * interpolation_taps +
                   real(shape.batch) * (sizeof(int64_t) + sizeof(Recording))};
}

// Two products and a sum for each value of a pair. The middle of an odd batch is not touched.
KernelCost waveform_mix(Stream&, const Recording*, const int64_t*, float*, float*, WaveformShape shape, int64_t classes,
                        WaveformChange, RandomStream, float, RandomStream) {
  const int64_t examples = shape.batch / 2 * 2;
  const double values = real(examples * (shape.length + classes));
  return {.flops = 3 * values,
          .bytes = 2 * float_bytes * values + real(examples) * (sizeof(int64_t) + sizeof(Recording))};
}

// The gain of a mel bin is computed once for its row.
KernelCost spectral_jitter(Stream&, const void*, const float*, void*, DType dtype, int64_t batch, int64_t n_mels,
                           int64_t frames, SpectralJitter, RandomStream) {
  KernelCost cost = elementwise(dtype, batch * n_mels * frames, 2, 1);
  cost.bytes += float_bytes * real(n_mels);
  return cost;
}

// Only masked values are written, those under two masks once.
KernelCost spec_augment(Stream& stream, void*, DType dtype, int64_t batch, int64_t n_mels, int64_t frames,
                        SpecAugment settings, RandomStream random) {
  const std::vector<uint64_t> step = fetch(stream, random.step, 1);
  random.step = step.data();
  int64_t masked = 0;
  for (int64_t example = 0; example < batch; ++example) {
    std::set<int64_t> mels, columns;
    for (int64_t m = 0; m < settings.frequency_masks + settings.time_masks; ++m) {
      const SpecMask mask = spec_mask(settings, random, n_mels, frames, example, m);
      const bool frequency = m < settings.frequency_masks;
      for (int64_t i = 0; frequency && i < mask.mels; ++i) mels.insert(mask.first_mel + i);
      for (int64_t i = 0; !frequency && i < mask.frames; ++i) columns.insert(mask.first_frame + i);
    }
    const auto rows = static_cast<int64_t>(mels.size()), cut = static_cast<int64_t>(columns.size());
    masked += rows * frames + cut * n_mels - rows * cut;
  }
  return {.bytes = bytes_of(dtype, real(masked))};
}

// Two products and a sum for each value; the partner is part of the same array.
KernelCost mixup(Stream&, const void*, const float*, void*, float*, DType dtype, int64_t batch, int64_t elements,
                 int64_t classes, float, RandomStream) {
  const double values = real(batch * elements), targets = real(batch * classes);
  return {.flops = 3 * (values + targets), .bytes = bytes_of(dtype, 2 * values) + 2 * float_bytes * targets};
}

// ---- Log-mel spectrograms.

// For each frame: the window, a real FFT of 2.5 n log2(n) operations (half of the 5 n log2(n) that benchmarks of
// complex FFTs count), the squares of real and imaginary part and their sum, a multiply-add for each weight of a
// filter; for each mel bin a maximum, a logarithm and a product.
KernelCost log_mel_spectrogram(Stream&, const float*, const double*, float*, MelFilters filters, MelFrames frames) {
  const double n = real(frames.n_fft), bins = real(frames.n_fft / 2 + 1);
  const double of_frame =
      n + 2.5 * n * std::log2(n) + 3 * bins + 2 * real(filters.n_weights) + 3 * real(filters.n_mels);
  const int64_t advance = std::min(frames.hop_length, frames.n_fft);  // samples between frames are not read
  const int64_t samples = frames.count == 0 ? 0 : (frames.count - 1) * advance + frames.n_fft;
  return {.flops = real(frames.count) * of_frame,
          .bytes = float_bytes * real(samples + filters.n_mels * frames.count + filters.n_weights) +
                   sizeof(double) * n + sizeof(int32_t) * real(2 * filters.n_mels + 1)};
}

// The maximum, and a comparison with the limit.
KernelCost limit_dynamic_range(Stream&, float*, int64_t n, float) { return elementwise(DType::float32, n, 2, 2); }

}  // namespace melgrad::kernel::cost
