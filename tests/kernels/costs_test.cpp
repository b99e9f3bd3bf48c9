// The costs of all kernels against numbers worked out by hand from their formulas.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "framework/device_array.h"
#include "kernels/adam.h"
#include "kernels/adaptive_avg_pool2d.h"
#include "kernels/arithmetic.h"
#include "kernels/band_statistics.h"
#include "kernels/batch_metrics.h"
#include "kernels/batch_norm_max_pool2d.h"
#include "kernels/batch_norm_sum.h"
#include "kernels/cast.h"
#include "kernels/column_sum.h"
#include "kernels/conv2d.h"
#include "kernels/conv2d_batch_norm.h"
#include "kernels/counter.h"
#include "kernels/crop.h"
#include "kernels/cross_entropy.h"
#include "kernels/dropout.h"
#include "kernels/gradient_norm.h"
#include "kernels/linear.h"
#include "kernels/loss_scale.h"
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
#include "tests/support/devices.h"
#include "tests/support/exact_convolution.h"
#include "tests/support/paths.h"

namespace melgrad::test {
namespace {

using namespace kernel;

constexpr DType f32 = DType::float32, bf16 = DType::bfloat16;

struct Expected {
  KernelCost cost;
  double flops, bytes;
};

// A value that is only tested for being there.
float present_float = 0;
void* const present = &present_float;

// 100 elements.
std::multimap<std::string, Expected> elementwise_costs(Stream& s) {
  return {
      {"add", {cost::add(s, nullptr, nullptr, nullptr, f32, 100), 100, 1200}},
      {"add", {cost::add(s, nullptr, nullptr, nullptr, bf16, 100), 100, 600}},
      {"sub", {cost::sub(s, nullptr, nullptr, nullptr, f32, 100), 100, 1200}},
      {"mul", {cost::mul(s, nullptr, nullptr, nullptr, f32, 100), 100, 1200}},
      {"negate", {cost::negate(s, nullptr, nullptr, f32, 100), 100, 800}},
      {"scale", {cost::scale(s, nullptr, nullptr, nullptr, f32, 100), 100, 804}},
      {"relu_forward", {cost::relu_forward(s, nullptr, nullptr, f32, 100), 100, 800}},
      {"relu_backward", {cost::relu_backward(s, nullptr, nullptr, nullptr, f32, 100), 100, 1200}},
      {"dropout", {cost::dropout(s, nullptr, nullptr, f32, 100, 0.3f, {}), 100, 800}},
      {"cast", {cost::cast(s, nullptr, f32, nullptr, bf16, 100), 0, 600}},
      {"sum_forward", {cost::sum_forward(s, nullptr, nullptr, f32, 100, 1), 100, 404}},
      {"sum_backward", {cost::sum_backward(s, nullptr, nullptr, bf16, 100, 1), 0, 204}},
      {"column_sum", {cost::column_sum(s, nullptr, nullptr, f32, 25, 4), 100, 416}},
      {"increment", {cost::increment(s, nullptr), 0, 16}},
      {"sgd_step", {cost::sgd_step(s, nullptr, nullptr, nullptr, 100, 0.1f, 0.9f, 0), 600, 2000}},
      {"limit_dynamic_range", {cost::limit_dynamic_range(s, nullptr, 100, 80), 200, 800}},
  };
}

// x 2x10x8x3, 5 filters of 3x3 with padding 1 and stride 1: y 2x10x8x5, 160 pixels. x has 480 elements, w 135, y 800;
// 160 * 5 * 27 = 21600 multiply-adds.
constexpr Conv2d conv{.batch = 2,
                      .height = 10,
                      .width = 8,
                      .in_channels = 3,
                      .out_channels = 5,
                      .kernel_height = 3,
                      .kernel_width = 3,
                      .stride = 1,
                      .padding = 1};

std::multimap<std::string, Expected> product_costs(Stream& s) {
  const auto* const bias = &present_float;
  return {
      {"conv2d_forward", {cost::conv2d_forward(s, nullptr, nullptr, nullptr, nullptr, f32, conv), 43200, 5660}},
      {"conv2d_forward", {cost::conv2d_forward(s, nullptr, nullptr, bias, nullptr, f32, conv), 44000, 5680}},
      // 800 outputs: scale, shift, residual, relu; 4 arrays of 5 channels
      {"conv2d_batch_norm_forward",
       {cost::conv2d_batch_norm_forward(s, nullptr, nullptr, {.residual = present, .relu = true}, {}, {}, nullptr, f32,
                                        conv, 0),
        46400, 8940}},
      {"conv2d_backward_data", {cost::conv2d_backward_data(s, nullptr, nullptr, nullptr, f32, conv), 43200, 5660}},
      {"conv2d_backward_filter", {cost::conv2d_backward_filter(s, nullptr, nullptr, nullptr, bf16, conv), 43200, 2830}},
      // x 4x10, w 6x10, y 4x6
      {"linear_forward", {cost::linear_forward(s, nullptr, nullptr, bias, nullptr, f32, 4, 10, 6), 504, 520}},
      {"linear_backward_data", {cost::linear_backward_data(s, nullptr, nullptr, nullptr, f32, 4, 10, 6), 480, 496}},
      {"linear_backward_weight", {cost::linear_backward_weight(s, nullptr, nullptr, nullptr, f32, 4, 10, 6), 480, 496}},
  };
}

// 50 rows of 2 channels: 100 elements, 400 bytes an array, 8 bytes an array of one float per channel.
std::multimap<std::string, Expected> batch_norm_costs(Stream& s) {
  const BatchNormSize size{f32, 50, 2};
  uint64_t batches = 0;
  float other = 0;
  const RunningStatistics counted{.mean = nullptr, .var = nullptr, .batches = &batches};
  const BatchNormEpilogue relu{.relu = true}, add_relu{.residual = present, .relu = true};
  const BatchNormOutputGradient plain{.dy = present}, of_relu{.dy = present, .relu = true};
  const BatchNormOutputGradient stored{.dy = present, .relu = true, .dz = &other, .y = present, .second_dy = present};
  return {
      {"batch_norm_statistics", {cost::batch_norm_statistics(s, nullptr, {}, counted, size, 0.1f, 0), 400, 464}},
      {"batch_norm_forward_training",
       {cost::batch_norm_forward_training(s, nullptr, {}, {}, nullptr, {}, {}, size, 0.1f, 0), 700, 864}},
      {"batch_norm_forward_training",
       {cost::batch_norm_forward_training(s, nullptr, add_relu, {}, nullptr, {}, {}, size, 0.1f, 0), 900, 1264}},
      {"batch_norm_forward_evaluation",
       {cost::batch_norm_forward_evaluation(s, nullptr, relu, {}, nullptr, {}, size, 0), 400, 832}},
      // x, dy, dx; 4 for the sums and 5 for dx
      {"batch_norm_backward_training",
       {cost::batch_norm_backward_training(s, nullptr, plain, {}, {}, present, nullptr, nullptr, size), 900, 1248}},
      // 3 more to recompute z, 1 to select
      {"batch_norm_backward_training",
       {cost::batch_norm_backward_training(s, nullptr, of_relu, {}, {}, present, nullptr, nullptr, size), 1300, 1248}},
      // x, y, dy, second_dy, dz, dx; 1 for the sum of gradients, 1 to select
      {"batch_norm_backward_training",
       {cost::batch_norm_backward_training(s, nullptr, stored, {}, {}, present, nullptr, nullptr, size), 1100, 2448}},
      // dx replaces dz
      {"batch_norm_backward_training",
       {cost::batch_norm_backward_training(s, nullptr, stored, {}, {}, &other, nullptr, nullptr, size), 1100, 2048}},
      {"batch_norm_backward_sums",
       {cost::batch_norm_backward_sums(s, nullptr, of_relu, {}, nullptr, nullptr, size), 800, 848}},
      {"batch_norm_backward_evaluation",
       {cost::batch_norm_backward_evaluation(s, nullptr, plain, {}, {}, present, nullptr, nullptr, size, 0), 500,
        1248}},
      {"batch_norm_sum_forward", {cost::batch_norm_sum_forward(s, {}, {}, nullptr, size), 800, 1264}},
      // two normalisations, their sum and the selection: 8; sums: 7; both dx: 10
      {"batch_norm_sum_backward",
       {cost::batch_norm_sum_backward(s, {}, {}, nullptr, nullptr, true, {}, {}, size), 2500, 2096}},
      {"batch_norm_sum_backward",
       {cost::batch_norm_sum_backward(s, {}, {}, nullptr, present, false, {}, {}, size), 1800, 2496}},
  };
}

// 1x5x4x2 = 40 inputs. Windows of 3x3, stride 2, padding 1: rows -1..1, 1..3, 3..5 hold 2, 3 and 2 inputs, columns
// -1..1 and 1..3 hold 2 and 3: 7 * 5 * 2 = 70 comparisons, 3x2x2 = 12 outputs.
constexpr Pool2d pool{.batch = 1, .height = 5, .width = 4, .channels = 2, .kernel_size = 3, .stride = 2, .padding = 1};
// 1x5x4x2 to 2x2: rows 0..2 and 2..4, columns 0..1 and 2..3: windows of 3x2, 4 * 6 * 2 = 48 elements, 8 outputs.
constexpr AdaptivePool2d adaptive{.batch = 1, .height = 5, .width = 4, .channels = 2, .out_height = 2, .out_width = 2};

std::multimap<std::string, Expected> pooling_costs(Stream& s) {
  uint8_t taken = 0;
  return {
      {"max_pool2d_forward", {cost::max_pool2d_forward(s, nullptr, nullptr, nullptr, f32, pool), 70, 220}},
      {"max_pool2d_backward", {cost::max_pool2d_backward(s, nullptr, nullptr, nullptr, f32, pool), 12, 220}},
      {"adaptive_avg_pool2d_forward", {cost::adaptive_avg_pool2d_forward(s, nullptr, nullptr, f32, adaptive), 56, 192}},
      {"adaptive_avg_pool2d_backward",
       {cost::adaptive_avg_pool2d_backward(s, nullptr, nullptr, f32, adaptive), 96, 192}},
      // 4 for each of 40 inputs and the comparisons; x, y and both arrays of maxima, 4 of channels
      {"batch_norm_max_pool2d_forward",
       {cost::batch_norm_max_pool2d_forward(s, nullptr, {}, nullptr, {&taken, present}, f32, pool), 230, 300}},
      {"batch_norm_max_pool2d_forward",
       {cost::batch_norm_max_pool2d_forward(s, nullptr, {}, nullptr, {&taken, nullptr}, f32, pool), 230, 252}},
      // 9 for each maximum, 5 for each input
      {"batch_norm_max_pool2d_backward",
       {cost::batch_norm_max_pool2d_backward(s, nullptr, nullptr, nullptr, {}, {}, true, nullptr, nullptr, nullptr, f32,
                                             pool),
        308, 476}},
      {"batch_norm_max_pool2d_backward",
       {cost::batch_norm_max_pool2d_backward(s, nullptr, nullptr, present, {}, {}, false, nullptr, nullptr, nullptr,
                                             f32, pool),
        160, 364}},
  };
}

std::multimap<std::string, Expected> loss_costs(Stream& s) {
  return {
      {"cross_entropy", {cost::cross_entropy(s, nullptr, nullptr, nullptr, nullptr, f32, 8, 10, 0), 720, 644}},
      {"cross_entropy", {cost::cross_entropy(s, nullptr, nullptr, nullptr, present, bf16, 8, 10, 0), 1120, 644}},
      {"softmax", {cost::softmax(s, nullptr, nullptr, f32, 8, 10), 400, 640}},
      // 2x8x10 values, 4 bands of 2 bins: 2 * 4 * 10 frames of a band, 2 * 5 * 4 statistics
      {"band_statistics", {cost::band_statistics(s, nullptr, nullptr, {2, 8, 10, 4}), 160 + 16 * 80, 4 * (160 + 40)}},
      {"batch_metrics", {cost::batch_metrics(s, nullptr, nullptr, nullptr, nullptr, nullptr, f32, 8, 10), 160, 660}},
      {"update_loss_scale", {cost::update_loss_scale(s, nullptr, nullptr, nullptr, 1, 0.9f, 0.9f, {}), 0, 68}},
  };
}

// The arrays that these costs depend on lie in the memory of the device.
std::multimap<std::string, Expected> costs_of_stored_arrays(Stream& s) {
  const Device device = s.device();
  const DeviceArray<AdamSlot> adam(
      std::vector<AdamSlot>{{.n = 100}, {.n = 10, .gradient_dtype = bf16, .copy = present}}, device);
  const DeviceArray<GradientSlot> gradients(std::vector<GradientSlot>{{.n = 100}, {.n = 10, .dtype = bf16}}, device);
  // Clips of 20 and 6 frames, crops of 8: the second is read once and repeated.
  const DeviceArray<Clip> clips(std::vector<Clip>{{nullptr, 20}, {nullptr, 6}}, device);
  const DeviceArray<int64_t> picks(std::vector<int64_t>{0, 1, 0}, device);
  const DeviceArray<uint64_t> step(std::vector<uint64_t>{1}, device);
  const RandomStream random{.seed = 0, .step = step.data(), .stream = 0};
  return {
      // 110 * 17; 24 + 4 bytes an element, and 24 + 2 + 2; 16 for the scalars
      {"adam_step",
       {cost::adam_step(s, adam.data(), 2, {}, nullptr, nullptr, 0.9f, 0.9f, 0, true), 1870, 28 * 110 + 16}},
      {"gradient_norm", {cost::gradient_norm(s, gradients.data(), 2, {}, 1, nullptr, nullptr), 220, 428}},
      // 3 crops of 4 mel bins: 96 values written; 8, 6 and 8 frames read; 32 bytes an example, 32 of means
      {"crop",
       {cost::crop(s, clips.data(), picks.data(), nullptr, nullptr, f32, 3, 4, 8, nullptr, nullptr), 192,
        96 * 4 + 22 * 4 * 4 + 3 * 32 + 32}},
      {"random_crop_starts", {cost::random_crop_starts(s, clips.data(), picks.data(), nullptr, 3, 8, random), 0, 96}},
      {"spec_augment", {cost::spec_augment(s, nullptr, f32, 3, 4, 8, {0, 0, 0, 0}, random), 0, 0}},
  };
}

std::multimap<std::string, Expected> input_costs(Stream& s) {
  const MelFilters filters{.n_mels = 4, .n_weights = 30, .first_bin = nullptr, .offset = nullptr, .weights = nullptr};
  return {
      {"one_hot", {cost::one_hot(s, nullptr, nullptr, nullptr, 8, 10), 0, 416}},
      {"spectral_jitter", {cost::spectral_jitter(s, nullptr, nullptr, nullptr, f32, 2, 5, 10, {}, {}), 100, 820}},
      {"mixup", {cost::mixup(s, nullptr, nullptr, nullptr, nullptr, f32, 2, 50, 10, 0.2f, {}), 360, 960}},
      {"limit_and_standardise",
       {cost::limit_and_standardise(s, nullptr, {2, 5, 10, 50, 10}, 80, nullptr, nullptr, nullptr, f32), 400, 840}},
      // 20 samples of 41 operations; 20 read, 24 written, a table of 257 x 8, 32 bytes an example
      {"waveform_crop", {cost::waveform_crop(s, nullptr, nullptr, nullptr, nullptr, {2, 10, 12}, {}, {}), 820, 8424}},
      // one pair of 10 samples and 5 targets
      {"waveform_mix",
       {cost::waveform_mix(s, nullptr, nullptr, nullptr, nullptr, {3, 10, 12}, 5, {}, {}, 1, {}), 90, 304}},
      // 3 frames of 16 samples: 16 + 2.5 * 16 * 4 + 3 * 9 + 2 * 30 + 3 * 4 = 275 operations each. 16 + 2 * 8 samples,
      // 12 results, 30 weights; 16 doubles; 9 integers.
      {"log_mel_spectrogram", {cost::log_mel_spectrogram(s, nullptr, nullptr, nullptr, filters, {3, 16, 8}), 825, 460}},
      // Samples between the frames are not read.
      {"log_mel_spectrogram",
       {cost::log_mel_spectrogram(s, nullptr, nullptr, nullptr, filters, {3, 16, 100}), 825, 524}},
  };
}

std::multimap<std::string, Expected> all_costs(Stream& s) {
  std::multimap<std::string, Expected> all;
  for (const auto& part : {elementwise_costs, product_costs, batch_norm_costs, pooling_costs, loss_costs,
                           costs_of_stored_arrays, input_costs}) {
    all.merge(part(s));
  }
  return all;
}

class KernelCosts : public testing::TestWithParam<Device> {};

TEST_P(KernelCosts, EqualThoseWorkedOutByHand) {
  MELGRAD_SKIP_WITHOUT(GetParam());
  for (const auto& [name, expected] : all_costs(Stream::of(GetParam()))) {
    EXPECT_DOUBLE_EQ(expected.cost.flops, expected.flops) << name;
    EXPECT_DOUBLE_EQ(expected.cost.bytes, expected.bytes) << name;
    EXPECT_STREQ(expected.cost.algorithm, "") << name;
  }
}

TEST_P(KernelCosts, AreTestedForEveryKernel) {
  const std::filesystem::path headers = fixtures() / "../../kernels";
  if (!std::filesystem::exists(headers)) GTEST_SKIP() << "the sources are not here";
  std::set<std::string> declared, tested;
  for (const auto& [name, expected] : all_costs(Stream::of(Device::cpu))) tested.insert(name);
  const std::string_view declaration = "KERNEL(";
  for (const auto& entry : std::filesystem::directory_iterator(headers)) {
    if (entry.path().extension() != ".h") continue;
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line);) {
      const size_t begin = declaration.size();
      if (line.starts_with(declaration)) declared.insert(line.substr(begin, line.find(',') - begin));
    }
  }
  EXPECT_EQ(tested, declared);
}

// The masks of SpecAugment in an array of ones, counted where they left a zero.
TEST_P(KernelCosts, OfSpecAugmentAreTheValuesThatItMasks) {
  MELGRAD_SKIP_WITHOUT(GetParam());
  Stream& stream = Stream::of(GetParam());
  constexpr int64_t batch = 5, n_mels = 40, frames = 30;
  const SpecAugment settings{.frequency_masks = 2, .frequency_width = 12, .time_masks = 3, .time_width = 9};
  const DeviceArray<uint64_t> step(std::vector<uint64_t>{7}, GetParam());
  const RandomStream random{.seed = 3, .step = step.data(), .stream = 2};
  const Tensor x = Tensor::full({batch, n_mels, frames, 1}, 1.0f, GetParam());
  spec_augment(stream, x.data(), f32, batch, n_mels, frames, settings, random);
  const std::vector<float> values = x.to_vector();
  const auto masked = static_cast<double>(std::ranges::count(values, 0.0f));
  ASSERT_GT(masked, 0);
  EXPECT_EQ(cost::spec_augment(stream, x.data(), f32, batch, n_mels, frames, settings, random).bytes, 4 * masked);
}

TEST_P(KernelCosts, NameWinogradsAlgorithmWhereTheCpuUsesIt) {
  MELGRAD_SKIP_WITHOUT(GetParam());
  Stream& stream = Stream::of(GetParam());
  Conv2d wide = conv;
  wide.in_channels = wide.out_channels = 64;
  const auto algorithm = [&] {
    return std::string(cost::conv2d_forward(stream, nullptr, nullptr, nullptr, nullptr, f32, wide).algorithm);
  };
  EXPECT_EQ(algorithm(), GetParam() == Device::cpu ? "Winograd" : "");
  const ExactConvolution exact;
  EXPECT_EQ(algorithm(), "");
}

INSTANTIATE_TEST_SUITE_P(Devices, KernelCosts, testing::ValuesIn(devices_of_build), name_of_device);

}  // namespace
}  // namespace melgrad::test
