#include <algorithm>
#include <cmath>
#include <functional>

#include "bench/benchmarks.h"
#include "bench/random_values.h"
#include "bench/timing.h"
#include "framework/dataset/augmentation.h"
#include "framework/device_array.h"
#include "framework/ops.h"
#include "framework/optimizer.h"
#include "framework/random.h"
#include "kernels/adaptive_avg_pool2d.h"
#include "kernels/arithmetic.h"
#include "kernels/batch_norm.h"
#include "kernels/column_sum.h"
#include "kernels/conv2d.h"
#include "kernels/crop.h"
#include "kernels/cross_entropy.h"
#include "kernels/dropout.h"
#include "kernels/linear.h"
#include "kernels/max_pool2d.h"
#include "kernels/mixup.h"
#include "kernels/relu.h"
#include "models/models.h"

namespace melgrad::bench {
namespace {

// The least memory traffic and arithmetic of an op: it reads or writes each operand once.
struct Work {
  double bytes = 0, flops = 0;
};

// The measured speed limits of the device: a copy for memory, a matrix product for arithmetic.
struct Ceilings {
  double gigabytes_per_second, teraflops;
};

Ceilings measure_ceilings(const Settings& s) {
  Stream& stream = Stream::of(s.device);
  const bool on_cpu = s.device == Device::cpu;
  const int64_t floats = on_cpu ? 1 << 24 : 1 << 28, side = on_cpu ? 1024 : 8192;
  const auto array = [&](int64_t n, DType dtype) { return random_values({n}, dtype, s.device); };
  const Tensor from = array(floats, DType::float32), to = array(floats, DType::float32);
  const Timing copy = measure(stream, [&] { stream.copy(to.data(), from.data(), from.bytes()); });
  const Tensor a = array(side * side, s.precision), b = array(side * side, s.precision);
  const Tensor c = array(side * side, s.precision);
  const Timing product = measure(stream, [&] {
    kernel::linear_forward(stream, a.data(), b.data(), nullptr, c.data(), s.precision, side, side, side);
  });
  const Ceilings ceilings{.gigabytes_per_second = 2 * static_cast<double>(from.bytes()) / copy.median_seconds / 1e9,
                          .teraflops = 2 * std::pow(static_cast<double>(side), 3) / product.median_seconds / 1e12};
  fmt::print("ceilings: copy {:.0f} GB/s, matrix product {:.2f} TFLOP/s ({}, {} x {})\n", ceilings.gigabytes_per_second,
             ceilings.teraflops, name_of(s.precision), side, side);
  return ceilings;
}

// Times ops and prints each one's share of the ceiling that limits it.
class Table {
 public:
  Table(Stream& stream, Ceilings ceilings) : stream_(stream), ceilings_(ceilings) {}

  void add(const std::string& name, int uses, Work work, const std::function<void()>& run) {
    const Timing timing = measure(stream_, run);
    const double gigabytes = work.bytes / timing.median_seconds / 1e9;
    const double teraflops = work.flops / timing.median_seconds / 1e12;
    const double share = std::max(gigabytes / ceilings_.gigabytes_per_second, teraflops / ceilings_.teraflops);
    fmt::print("{:<42} x{} {:9.1f} us {:8.1f} GB/s {:8.2f} TFLOP/s {:5.0f} % of the ceiling\n", name, uses,
               timing.median_seconds * 1e6, gigabytes, teraflops, 100 * share);
    rows_.push_back({{"op", name},
                     {"uses_a_step", uses},
                     {"seconds", timing.median_seconds},
                     {"least_seconds", timing.least_seconds},
                     {"bytes", work.bytes},
                     {"flops", work.flops},
                     {"gb_per_s", gigabytes},
                     {"tflop_per_s", teraflops},
                     {"share_of_ceiling", share}});
  }
  nlohmann::ordered_json rows() const { return rows_; }

 private:
  Stream& stream_;
  Ceilings ceilings_;
  nlohmann::ordered_json rows_ = nlohmann::ordered_json::array();
};

struct Layer {
  const char* name;
  kernel::Conv2d conv;
  int uses;
};

// The distinct convolutions of a ResNet-18 with input [batch, n_mels, frames, 1].
std::vector<Layer> convolutions(const Settings& s) {
  std::vector<Layer> layers;
  const auto halved = [](int64_t size) { return (size + 1) / 2; };
  int64_t height = halved(halved(s.n_mels)), width = halved(halved(s.frames)), channels = 64;
  const auto add = [&](const char* name, int64_t out, int64_t kernel_size, int64_t stride, int uses) {
    layers.push_back({name,
                      {.batch = s.batch_size,
                       .height = height,
                       .width = width,
                       .in_channels = channels,
                       .out_channels = out,
                       .kernel_height = kernel_size,
                       .kernel_width = kernel_size,
                       .stride = stride,
                       .padding = kernel_size / 2},
                      uses});
  };
  layers.push_back({"conv1",
                    {.batch = s.batch_size,
                     .height = s.n_mels,
                     .width = s.frames,
                     .in_channels = 1,
                     .out_channels = 64,
                     .kernel_height = 7,
                     .kernel_width = 7,
                     .stride = 2,
                     .padding = 3},
                    1});
  add("layer1 3x3", channels, 3, 1, 4);
  constexpr const char* names[][3] = {{"layer2 3x3 stride 2", "layer2 1x1 stride 2", "layer2 3x3"},
                                      {"layer3 3x3 stride 2", "layer3 1x1 stride 2", "layer3 3x3"},
                                      {"layer4 3x3 stride 2", "layer4 1x1 stride 2", "layer4 3x3"}};
  for (const auto& name : names) {
    add(name[0], 2 * channels, 3, 2, 1);
    add(name[1], 2 * channels, 1, 2, 1);
    height = halved(height);
    width = halved(width);
    channels *= 2;
    add(name[2], channels, 3, 1, 3);
  }
  return layers;
}

class Operations {
 public:
  explicit Operations(const Settings& settings)
      : s_(settings),
        stream_(Stream::of(settings.device)),
        ceilings_(measure_ceilings(settings)),
        table_(stream_, ceilings_),
        element_(size_of(settings.precision)) {}

  nlohmann::ordered_json run() {
    examples();
    for (const Layer& layer : convolutions(s_)) convolution(layer);
    for (const Layer& layer : convolutions(s_)) {
      if (layer.conv.kernel_height != 1) normalisation(layer);
    }
    pools();
    classifier();
    optimizer();
    return {
        {"ceilings", {{"copy_gb_per_s", ceilings_.gigabytes_per_second}, {"gemm_tflop_per_s", ceilings_.teraflops}}},
        {"ops", table_.rows()}};
  }

 private:
  Tensor array(int64_t n, DType dtype) const { return random_values({n}, dtype, s_.device); }
  Tensor activations(int64_t n) const { return array(n, s_.precision); }
  double bytes_of(double elements) const { return elements * static_cast<double>(element_); }

  // Cropping and augmentation: a batch from clips that are twice as long as an example.
  void examples() {
    const int64_t elements = s_.n_mels * s_.frames, n = s_.batch_size * elements;
    const Tensor db = array(2 * n, DType::float32), mean = array(s_.n_mels, DType::float32);
    const Tensor inverse_std = Tensor::full({s_.n_mels}, 0.05f, s_.device);
    std::vector<kernel::Clip> clips;
    std::vector<int64_t> order;
    for (int64_t i = 0; i < s_.batch_size; ++i) {
      clips.push_back({db.as<float>() + 2 * i * elements, 2 * s_.frames});
      order.push_back(i);
    }
    const DeviceArray<kernel::Clip> clips_there(clips, s_.device);
    const DeviceArray<int64_t> picks(order, s_.device), starts(order, s_.device);
    const Tensor x = activations(n), y = activations(n), targets = array(s_.batch_size * s_.classes, DType::float32);
    const Tensor mixed = array(s_.batch_size * s_.classes, DType::float32);
    const double read = sizeof(float) * static_cast<double>(n), each = bytes_of(static_cast<double>(n));
    const Augmentation augmentation;
    const RandomStream random = default_generator(s_.device).draw();
    table_.add("crop", 1, {.bytes = read + each}, [&] {
      kernel::random_crop_starts(stream_, clips_there.data(), picks.data(), starts.data(), s_.batch_size, s_.frames,
                                 random);
      kernel::crop(stream_, clips_there.data(), picks.data(), starts.data(), x.data(), s_.precision, s_.batch_size,
                   s_.n_mels, s_.frames, mean.as<float>(), inverse_std.as<float>());
    });
    table_.add("spectral_jitter", 1, {.bytes = 2 * each}, [&] {
      kernel::spectral_jitter(stream_, x.data(), inverse_std.as<float>(), y.data(), s_.precision, s_.batch_size,
                              s_.n_mels, s_.frames, augmentation.jitter, random);
    });
    // The kernel writes only masked values. The expected share assumes masks of half the largest width.
    const kernel::SpecAugment& masks = augmentation.spec_augment;
    const auto spared = [](int64_t count, int64_t widest, int64_t axis) {
      return std::pow(1 - 0.5 * static_cast<double>(std::min(widest, axis)) / static_cast<double>(axis),
                      static_cast<double>(count));
    };
    const double covered = 1 - spared(masks.frequency_masks, masks.frequency_width, s_.n_mels) *
                                   spared(masks.time_masks, masks.time_width, s_.frames);
    table_.add("spec_augment", 1, {.bytes = covered * each}, [&] {
      kernel::spec_augment(stream_, y.data(), s_.precision, s_.batch_size, s_.n_mels, s_.frames, masks, random);
    });
    table_.add("mixup", 1, {.bytes = 2 * each}, [&] {
      kernel::mixup(stream_, x.data(), targets.as<float>(), y.data(), mixed.as<float>(), s_.precision, s_.batch_size,
                    elements, s_.classes, augmentation.mixup_alpha, random);
    });
  }

  void convolution(const Layer& layer) {
    const kernel::Conv2d& c = layer.conv;
    const int64_t in = c.batch * c.height * c.width * c.in_channels;
    const int64_t out = c.batch * c.out_height() * c.out_width() * c.out_channels;
    const int64_t weights = c.out_channels * c.kernel_height * c.kernel_width * c.in_channels;
    const Tensor x = activations(in), w = activations(weights), y = activations(out);
    const Work work{.bytes = bytes_of(static_cast<double>(in + out + weights)),
                    .flops = 2 * static_cast<double>(c.multiply_adds())};
    const auto name = [&](const char* pass) { return fmt::format("conv2d {} {}", pass, layer.name); };
    table_.add(name("forward"), layer.uses, work,
               [&] { kernel::conv2d_forward(stream_, x.data(), w.data(), nullptr, y.data(), s_.precision, c); });
    if (c.in_channels > 1) {
      table_.add(name("backward_data"), layer.uses, work,
                 [&] { kernel::conv2d_backward_data(stream_, y.data(), w.data(), x.data(), s_.precision, c); });
    }
    table_.add(name("backward_filter"), layer.uses, work,
               [&] { kernel::conv2d_backward_filter(stream_, x.data(), y.data(), w.data(), s_.precision, c); });
  }

  // Times the ops that follow a convolution: batch norm and ReLU, without and with the addition of the shortcut.
  void normalisation(const Layer& layer) {
    const kernel::Conv2d& c = layer.conv;
    const int64_t channels = c.out_channels, rows = c.batch * c.out_height() * c.out_width(), n = rows * channels;
    const Tensor x = activations(n), y = activations(n), dy = activations(n);
    const Tensor gamma = array(channels, DType::float32), beta = array(channels, DType::float32);
    const Tensor mean = array(channels, DType::float32), inverse_std = array(channels, DType::float32);
    const Tensor running_mean = array(channels, DType::float32), running_var = array(channels, DType::float32);
    const double each = bytes_of(static_cast<double>(n));
    const auto name = [&](const char* op) { return fmt::format("{} {}", op, layer.name); };
    const kernel::BatchNormAffine affine{gamma.as<float>(), beta.as<float>()};
    const kernel::BatchNormStatistics statistics{mean.as<float>(), inverse_std.as<float>()};
    const kernel::RunningStatistics running{running_mean.as<float>(), running_var.as<float>()};
    const kernel::BatchNormSize size{s_.precision, rows, channels};
    table_.add(name("batch_norm_relu forward"), layer.uses, {.bytes = 3 * each}, [&] {
      kernel::batch_norm_forward_training(stream_, x.data(), {.relu = true}, affine, y.data(), statistics, running,
                                          size, 0.1f, 1e-5f);
    });
    table_.add(name("batch_norm_relu backward"), layer.uses, {.bytes = 5 * each}, [&] {
      kernel::batch_norm_backward_training(stream_, x.data(), {.dy = dy.data(), .relu = true}, affine, statistics,
                                           y.data(), running.mean, running.var, size);
    });
    const Tensor dz = activations(n);
    table_.add(name("batch_norm_add_relu forward"), layer.uses, {.bytes = 4 * each}, [&] {
      kernel::batch_norm_forward_training(stream_, x.data(), {.residual = dy.data(), .relu = true}, affine, y.data(),
                                          statistics, running, size, 0.1f, 1e-5f);
    });
    table_.add(name("batch_norm_add_relu backward"), layer.uses, {.bytes = 7 * each}, [&] {
      kernel::batch_norm_backward_training(stream_, x.data(),
                                           {.dy = dy.data(), .relu = true, .dz = dz.data(), .y = y.data()}, affine,
                                           statistics, dz.data(), running.mean, running.var, size);
    });
  }

  void pools() {
    const std::vector<Layer> layers = convolutions(s_);
    const kernel::Conv2d& stem = layers.front().conv;
    const kernel::Pool2d pool{.batch = stem.batch,
                              .height = stem.out_height(),
                              .width = stem.out_width(),
                              .channels = stem.out_channels,
                              .kernel_size = 3,
                              .stride = 2,
                              .padding = 1};
    const int64_t in = pool.batch * pool.height * pool.width * pool.channels;
    const int64_t out = pool.batch * pool.out_height() * pool.out_width() * pool.channels;
    const Tensor x = activations(in), y = activations(out), taken = array((out + 3) / 4, DType::float32);
    const Work work{.bytes = bytes_of(static_cast<double>(in + out)) + static_cast<double>(out)};
    table_.add("max_pool2d forward", 1, work, [&] {
      kernel::max_pool2d_forward(stream_, x.data(), y.data(), taken.as<uint8_t>(), s_.precision, pool);
    });
    table_.add("max_pool2d backward", 1, work, [&] {
      kernel::max_pool2d_backward(stream_, y.data(), taken.as<uint8_t>(), x.data(), s_.precision, pool);
    });
    const kernel::Conv2d& last = layers.back().conv;
    const kernel::AdaptivePool2d average{.batch = last.batch,
                                         .height = last.out_height(),
                                         .width = last.out_width(),
                                         .channels = last.out_channels,
                                         .out_height = 1,
                                         .out_width = 1};
    const int64_t spread = average.batch * average.height * average.width * average.channels;
    const Tensor wide = activations(spread), mean = activations(average.batch * average.channels);
    const Work averaging{.bytes = bytes_of(static_cast<double>(spread + mean.numel()))};
    table_.add("adaptive_avg_pool2d forward", 1, averaging,
               [&] { kernel::adaptive_avg_pool2d_forward(stream_, wide.data(), mean.data(), s_.precision, average); });
    table_.add("adaptive_avg_pool2d backward", 1, averaging,
               [&] { kernel::adaptive_avg_pool2d_backward(stream_, mean.data(), wide.data(), s_.precision, average); });
  }

  void classifier() {
    const int64_t batch = s_.batch_size, features = 512, classes = s_.classes;
    const Tensor x = activations(batch * features), w = activations(classes * features),
                 y = activations(batch * classes);
    const Tensor bias = array(classes, DType::float32), targets = array(batch * classes, DType::float32);
    const Tensor loss = array(1, DType::float32), hidden = activations(batch * features);
    const Tensor dy = activations(batch * classes);
    const RandomStream random = default_generator(s_.device).draw();
    const Work product{.bytes = bytes_of(static_cast<double>(x.numel() + w.numel() + y.numel())),
                       .flops = 2 * static_cast<double>(batch * features * classes)};
    table_.add("dropout", 1, {.bytes = 2 * static_cast<double>(x.bytes())},
               [&] { kernel::dropout(stream_, x.data(), hidden.data(), s_.precision, x.numel(), 0.3f, random); });
    table_.add("linear forward", 1, product, [&] {
      kernel::linear_forward(stream_, x.data(), w.data(), bias.as<float>(), y.data(), s_.precision, batch, features,
                             classes);
    });
    table_.add("cross_entropy with its gradient", 1,
               {.bytes = static_cast<double>(targets.bytes()) + 2 * static_cast<double>(y.bytes())}, [&] {
                 kernel::cross_entropy(stream_, y.data(), targets.as<float>(), loss.as<float>(), dy.data(),
                                       s_.precision, batch, classes, 0.1f);
               });
    table_.add("linear backward_data", 1, product, [&] {
      kernel::linear_backward_data(stream_, dy.data(), w.data(), hidden.data(), s_.precision, batch, features, classes);
    });
    table_.add("linear backward_weight", 1, product, [&] {
      kernel::linear_backward_weight(stream_, x.data(), dy.data(), w.data(), s_.precision, batch, features, classes);
    });
    table_.add("column_sum, the bias's gradient", 1, {.bytes = static_cast<double>(dy.bytes())},
               [&] { kernel::column_sum(stream_, dy.data(), bias.as<float>(), s_.precision, batch, classes); });
  }

  void optimizer() {
    const std::unique_ptr<Module> model = make_model(s_.model, s_.classes);
    model->move_to(s_.device);
    const std::vector<Named> parameters = model->parameters();
    double count = 0;
    // Gives every parameter a gradient without a forward pass.
    for (const Named& named : parameters) {
      named.tensor.backward(random_values(named.tensor.shape(), DType::float32, s_.device));
      count += static_cast<double>(named.tensor.numel());
    }
    Adam adam(decay_groups(parameters, 0.01f), {.max_gradient_norm = 1, .compute_dtype = s_.precision});
    // The norm reads the gradient. The update reads gradient, parameter and two moments and writes the last three.
    const auto copied = static_cast<double>(s_.precision == DType::float32 ? 0 : size_of(s_.precision));
    table_.add("adam with clipping, all parameters", 1, {.bytes = (8 * sizeof(float) + copied) * count},
               [&] { adam.step(1e-3f); });
  }

  Settings s_;
  Stream& stream_;
  Ceilings ceilings_;
  Table table_;
  size_t element_;
};

}  // namespace

nlohmann::ordered_json operations(const Settings& settings) { return Operations(settings).run(); }

}  // namespace melgrad::bench
