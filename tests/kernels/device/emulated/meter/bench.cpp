// meter_bench GROUP...: measures the memory traffic of kernels, of the groups bad, fp32, bf16, rest32, rest16, mel,
// step32 and step16. A build without MELGRAD_METER prints only times.
#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>

#include "bench/random_values.h"
#include "framework/audio/mel_filter_bank.h"
#include "framework/device_array.h"
#include "framework/ops.h"
#include "framework/optimizer.h"
#include "kernels/adam.h"
#include "kernels/adaptive_avg_pool2d.h"
#include "kernels/batch_metrics.h"
#include "kernels/batch_norm.h"
#include "kernels/column_sum.h"
#include "kernels/crop.h"
#include "kernels/cross_entropy.h"
#include "kernels/device/emulated/meter.h"
#include "kernels/dropout.h"
#include "kernels/gradient_norm.h"
#include "kernels/max_pool2d.h"
#include "kernels/mel.h"
#include "kernels/mixup.h"
#include "kernels/relu.h"
#include "kernels/spec_augment.h"
#include "kernels/spectral_jitter.h"
#include "models/models.h"
#include "tests/kernels/device/emulated/meter/bad_kernels.h"
#include "tests/support/arrays.h"
#include "tests/support/random.h"

using namespace melgrad;
using test::Array;

namespace {

std::vector<emulated_cuda::Launch> of_all;

// `least_bytes`: the bytes if every input is read once and every output is written once.
void run(const std::string& name, double least_bytes, const std::function<void()>& body) {
  const auto start = std::clock();
  body();
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  const auto launches = emulated_cuda::take_launches();
  double dram = 0, unique = 0, accesses = 0;
  for (const auto& l : launches) {
    dram += 32.0 * static_cast<double>(l.dram_read_sectors + l.written_sectors);
    unique += static_cast<double>(l.read_bytes + l.written_bytes);
    accesses += static_cast<double>(l.accesses);
  }
  fmt::print(
      "{:28} least {:8.2f} MB  moved {:8.2f} MB  = {:5.2f} x  (unique bytes of each launch {:8.2f} MB)  {:7.3f} s "
      "{:5.0f} ns/access\n",
      name, least_bytes * 1e-6, dram * 1e-6, dram / least_bytes, unique * 1e-6, seconds,
      seconds * 1e9 / std::max(1.0, accesses));
  of_all.insert(of_all.end(), launches.begin(), launches.end());
}

void project(Stream& stream, DType dtype) {
  const char* const type = name_of(dtype);
  const auto named = [&](const std::string& n) { return n + " " + type; };
  const char* const wanted = std::getenv("METER_BATCH");
  const int64_t batch = wanted ? std::atoi(wanted) : 8, height = 64, width = 65, channels = 64,
                rows = batch * height * width, n = rows * channels;
  const double bytes = static_cast<double>(n) * static_cast<double>(size_of(dtype));
  const auto random = test::random_values(n, 1);
  const Array x(stream, random, dtype), dy(stream, random, dtype), y(stream, n, dtype), dx(stream, n, dtype);
  const std::vector<float> ones(static_cast<size_t>(channels), 1);
  const Array gamma(stream, ones), beta(stream, ones), mean(stream, ones), inverse(stream, ones), running(stream, ones),
      running_var(stream, ones), dgamma(stream, ones), dbeta(stream, ones);
  run(named("relu_forward"), 2 * bytes, [&] { kernel::relu_forward(stream, x.data(), y.data(), dtype, n); });
  run(named("relu_backward"), 3 * bytes,
      [&] { kernel::relu_backward(stream, y.data(), dy.data(), dx.data(), dtype, n); });
  run(named("batch_norm_forward"), 2 * bytes, [&] {
    kernel::batch_norm_forward_training(stream, x.data(), gamma.floats(), beta.floats(), y.data(), mean.floats(),
                                        inverse.floats(), running.floats(), running_var.floats(), dtype, rows, channels,
                                        0.1f, 1e-5f);
  });
  run(named("batch_norm_backward"), 3 * bytes, [&] {
    kernel::batch_norm_backward_training(stream, x.data(), dy.data(), gamma.floats(), mean.floats(), inverse.floats(),
                                         dx.data(), dgamma.floats(), dbeta.floats(), dtype, rows, channels);
  });
  for (const auto& [size, stride, padding] : {std::array<int64_t, 3>{3, 2, 1}, {2, 2, 0}}) {
    const kernel::Pool2d pool{batch, height, width, channels, size, stride, padding};
    const int64_t out = batch * pool.out_height() * pool.out_width() * channels;
    const test::DeviceVector<uint8_t> taken(stream, out);
    const double out_bytes = static_cast<double>(out) * static_cast<double>(size_of(dtype) + 1);
    const auto which = fmt::format("max_pool2d {}x{}/{}", size, size, stride);
    run(named(which + " forward"), bytes + out_bytes,
        [&] { kernel::max_pool2d_forward(stream, x.data(), y.data(), taken, dtype, pool); });
    run(named(which + " backward"), bytes + out_bytes,
        [&] { kernel::max_pool2d_backward(stream, y.data(), taken, dx.data(), dtype, pool); });
  }
  const int64_t examples = 64, classes = 10;
  const double logits = examples * classes * static_cast<double>(2 * size_of(dtype) + 4) + 4;
  run(named("cross_entropy 64x10"), logits, [&] {
    kernel::cross_entropy(stream, x.data(), dy.floats(), mean.floats(), dx.data(), dtype, examples, classes, 0.1f);
  });
  // The parameters of a network: 40 arrays of 64 x 3 x 3 x 64 and as many of 64.
  std::vector<int64_t> sizes;
  std::vector<kernel::AdamSlot> slots;
  std::vector<std::unique_ptr<Array>> arrays;
  const auto zeros = [&](int64_t count, DType t) {
    return arrays.emplace_back(std::make_unique<Array>(stream, std::vector<float>(static_cast<size_t>(count)), t))
        ->data();
  };
  double parameters = 0;
  for (int i = 0; i < 80; ++i) {
    const int64_t size = i % 2 ? 64 : 64 * 3 * 3 * 64;
    sizes.push_back(size);
    parameters += static_cast<double>(size);
    const auto floats = [&] { return static_cast<float*>(zeros(size, DType::float32)); };
    slots.push_back({.parameter = floats(),
                     .gradient = zeros(size, dtype),
                     .first_moment = floats(),
                     .second_moment = floats(),
                     .n = size,
                     .weight_decay = 0.01f,
                     .gradient_dtype = dtype,
                     .copy = dtype == DType::bfloat16 ? static_cast<bfloat16*>(zeros(size, dtype)) : nullptr});
  }
  const auto chunks = kernel::cut_into_chunks(sizes);
  const DeviceArray<kernel::AdamSlot> device_slots(std::span<const kernel::AdamSlot>(slots), Device::cuda);
  const DeviceArray<kernel::Chunk> device_chunks(std::span<const kernel::Chunk>(chunks), Device::cuda);
  const DeviceArray<kernel::AdamScalars> scalars(std::vector<kernel::AdamScalars>{{1e-3f, 0.1f, 0.1f}}, Device::cuda);
  run(named("adam"), parameters * (dtype == DType::bfloat16 ? 28 : 28), [&] {
    kernel::adam_step(stream, device_slots.data(), 80, {device_chunks.data(), static_cast<int64_t>(chunks.size())},
                      scalars.data(), nullptr, 0.9f, 0.999f, 1e-8f, true);
  });
}

// Kernels before and after the network, for 64 examples of 128 x 130.
void rest(Stream& stream, DType dtype) {
  const std::string type = std::string(" ") + name_of(dtype);
  const int64_t batch = 64, mels = 128, frames = 130, clip_frames = 1292, n = batch * mels * frames, classes = 10;
  const double bytes = static_cast<double>(n) * static_cast<double>(size_of(dtype));
  const auto random = test::random_values(n, 1);
  const Array x(stream, random, dtype), y(stream, n, dtype), floats(stream, random), targets(stream, random),
      mixed(stream, n);
  const Array clip(stream, test::random_values(mels * clip_frames, 2));
  const DeviceArray<kernel::Clip> clips(std::vector<kernel::Clip>{{clip.floats(), clip_frames}}, Device::cuda);
  const DeviceArray<int64_t> picks(std::vector<int64_t>(batch, 0), Device::cuda),
      starts(std::vector<int64_t>(batch, 0), Device::cuda);
  const DeviceArray<uint64_t> counter(std::vector<uint64_t>(1, 7), Device::cuda);
  const RandomStream draws{.seed = 1, .step = counter.data(), .stream = 2};
  run("random_crop_starts" + type, 24 * batch,
      [&] { kernel::random_crop_starts(stream, clips.data(), picks.data(), starts.data(), batch, frames, draws); });
  run("crop" + type, 4.0 * static_cast<double>(n) + bytes, [&] {
    kernel::crop(stream, clips.data(), picks.data(), starts.data(), y.data(), dtype, batch, mels, frames,
                 floats.floats(), floats.floats());
  });
  run("mixup" + type, 2 * bytes, [&] {
    kernel::mixup(stream, x.data(), targets.floats(), y.data(), mixed.floats(), dtype, batch, mels * frames, classes,
                  0.4f, draws);
  });
  run("spec_augment" + type, bytes, [&] {
    kernel::spec_augment(stream, y.data(), dtype, batch, mels, frames,
                         {.frequency_masks = 2, .frequency_width = 24, .time_masks = 2, .time_width = 24}, draws);
  });
  run("spectral_jitter" + type, 2 * bytes, [&] {
    kernel::spectral_jitter(stream, x.data(), floats.floats(), y.data(), dtype, batch, mels, frames, {}, draws);
  });
  run("dropout" + type, 2 * bytes, [&] { kernel::dropout(stream, x.data(), y.data(), dtype, n, 0.3f, draws); });
  const kernel::AdaptivePool2d pool{
      .batch = 32, .height = 8, .width = 9, .channels = 256, .out_height = 1, .out_width = 1};
  const double pool_bytes = 32.0 * 256 * 73 * static_cast<double>(size_of(dtype));
  run("adaptive_avg_pool forward" + type, pool_bytes,
      [&] { kernel::adaptive_avg_pool2d_forward(stream, x.data(), y.data(), dtype, pool); });
  run("adaptive_avg_pool backward" + type, pool_bytes,
      [&] { kernel::adaptive_avg_pool2d_backward(stream, x.data(), y.data(), dtype, pool); });
  run("column_sum" + type, bytes, [&] { kernel::column_sum(stream, x.data(), mixed.floats(), dtype, n / 64, 64); });
  const DeviceArray<kernel::BatchMetrics> metrics(1, Device::cuda);
  run("batch_metrics" + type, batch * classes * 8, [&] {
    kernel::batch_metrics(stream, x.data(), targets.floats(), floats.floats(), floats.floats(), metrics.data(), dtype,
                          batch, classes);
  });
  const std::vector<int64_t> sizes{n};
  const auto chunks = kernel::cut_into_chunks(sizes);
  const DeviceArray<kernel::GradientSlot> slots(std::vector<kernel::GradientSlot>{{x.data(), n, dtype}}, Device::cuda);
  const DeviceArray<kernel::Chunk> device_chunks(std::span<const kernel::Chunk>(chunks), Device::cuda);
  run("gradient_norm" + type, bytes, [&] {
    kernel::gradient_norm(stream, slots.data(), 1, {device_chunks.data(), static_cast<int64_t>(chunks.size())}, 1,
                          mixed.floats(), mixed.floats() + 1);
  });
}

void mel(Stream& stream) {
  const MelSettings settings;
  const kernel::MelFrames frames{.count = 1292, .n_fft = settings.n_fft, .hop_length = settings.hop_length};  // 30 s
  const int64_t samples = (frames.count - 1) * frames.hop_length + frames.n_fft, n = settings.n_mels * frames.count;
  const Array signal(stream, test::random_values(samples, 1)), db(stream, n);
  const DeviceArray<double> window(std::vector(static_cast<size_t>(settings.n_fft), 0.5), Device::cuda);
  const MelFilterBank bank(settings, Device::cuda);
  fmt::print("mel: n_fft {}, hop {}, {} mels\n", settings.n_fft, settings.hop_length, settings.n_mels);
  run("log_mel_spectrogram", 4.0 * static_cast<double>(samples + n), [&] {
    kernel::log_mel_spectrogram(stream, signal.floats(), window.data(), db.floats(), bank.filters(), frames);
  });
  run("limit_dynamic_range", 8.0 * static_cast<double>(n),
      [&] { kernel::limit_dynamic_range(stream, db.floats(), n, 80); });
}

void training_step(DType precision, const char* name, int64_t batch) {
  const std::unique_ptr<Module> model = make_model(name, 10, 0.3f);
  model->move_to(Device::cuda);
  Adam optimizer(decay_groups(model->parameters(), 0.01f),
                 {.max_gradient_norm = 1, .bfloat16_copies = precision == DType::bfloat16});
  const Tensor x = bench::random_values({batch, 128, 130, 1}, precision, Device::cuda);
  const Tensor targets = Tensor::full({batch, 10}, 0.1f, Device::cuda);
  emulated_cuda::take_launches();
  run(fmt::format("{} step of {} {}", name, batch, name_of(precision)), 1, [&] {
    default_generator(Device::cuda).advance();
    const Tensor loss = cross_entropy((*model)(x), targets, 0.1f);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step(1e-3f);
  });
}

void bad(Stream& stream) {
  const int64_t side = 256;
  const Array x(stream, std::vector<float>(side * side, 1)), y(stream, std::vector<float>(side * side, 0));
  run("bad kernels", 1, [&] { meter::run_bad_kernels(stream, x.floats(), y.floats(), side); });
}

}  // namespace

int main(int argc, char** argv) {
  Stream& stream = Stream::of(Device::cuda);
#if MELGRAD_METER
  emulated_cuda::measure(true);
#endif
  for (int i = 1; i < argc; ++i) {
    if (!std::strcmp(argv[i], "bad")) bad(stream);
    if (!std::strcmp(argv[i], "fp32")) project(stream, DType::float32);
    if (!std::strcmp(argv[i], "bf16")) project(stream, DType::bfloat16);
    if (!std::strcmp(argv[i], "rest32")) rest(stream, DType::float32);
    if (!std::strcmp(argv[i], "rest16")) rest(stream, DType::bfloat16);
    if (!std::strcmp(argv[i], "mel")) mel(stream);
    if (!std::strcmp(argv[i], "step32")) training_step(DType::float32, "resnet18", 2);
    if (!std::strcmp(argv[i], "step16")) training_step(DType::bfloat16, "resnet18", 2);
  }
  if (!of_all.empty()) emulated_cuda::print_report(of_all, stdout, true);
}
