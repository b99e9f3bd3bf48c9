// The memory traffic of the kernels that move most of a training step's bytes, and the requests of a whole step. The
// counts are exact, so they are limits, not measurements.
#include "framework/audio/mel_filter_bank.h"
#include "framework/device_array.h"
#include "framework/ops.h"
#include "framework/optimizer.h"
#include "framework/training/trainer.h"
#include "kernels/device/emulated/meter/meter.h"
#include "kernels/device/emulated/meter/report.h"
#include "kernels/mel.h"
#include "models/models.h"
#include "tests/support/banded_music.h"
#include "tests/support/kernel_test.h"
#include "tests/support/temporary_folder.h"

namespace melgrad::test {
namespace {

using emulated_cuda::AccessKind;
using emulated_cuda::Measurement;
using emulated_cuda::RuntimeCall;
using emulated_cuda::Traffic;

Tensor activation(const Shape& shape, uint64_t seed) {
  return cast(Tensor::from(random_values(shape.numel(), seed), shape, Device::cuda), DType::bfloat16);
}

// The kernels that `run` launched.
template <class Run>
std::vector<Measurement> measure(Run run) {
  Stream& stream = Stream::of(Device::cuda);
  stream.synchronize();
  emulated_cuda::start_meter();
  run();
  stream.synchronize();
  return emulated_cuda::take_measurements();
}

double share(uint64_t part, uint64_t whole) { return static_cast<double>(part) / static_cast<double>(whole); }

// To and from device memory.
uint64_t moved_bytes(const std::vector<Measurement>& measurements) {
  uint64_t moved = 0;
  for (const Measurement& m : measurements) moved += 32 * (m.read_sectors + m.written_sectors);
  return moved;
}

// Sectors at least 95 % used, at most 1.1 passes for each that shared memory needs.
void expect_efficient(const std::vector<Measurement>& measurements) {
  for (const Measurement& m : measurements) {
    const Traffic global = m.global(), shared = m.shared();
    SCOPED_TRACE(emulated_cuda::kernel_table({m}));
    EXPECT_GE(share(global.least, global.transactions), 0.95);
    if (shared.requests > 0) {
      EXPECT_LE(share(shared.transactions, shared.least), 1.1);
    }
  }
}

constexpr BatchNormOptions training{.training = true};

struct BatchNormCase {
  Tensor gamma = Tensor::full({64}, 1, Device::cuda), beta = Tensor::full({64}, 0, Device::cuda);
  BatchNormState state{Tensor::zeros({64}, DType::float32, Device::cuda), Tensor::full({64}, 1, Device::cuda),
                       Tensor::zeros({}, DType::uint64, Device::cuda)};
  BatchNormCase() {
    gamma.require_grad();
    beta.require_grad();
  }
};

TEST(MeterStep, BatchNormOfAResidualBlockUsesItsSectors) {
  const Shape shape{16, 32, 33, 64};
  Tensor x = activation(shape, 1), residual = activation(shape, 2);
  x.require_grad();
  residual.require_grad();
  const Tensor dy = activation(shape, 3);
  BatchNormCase c;
  const auto measurements =
      measure([&] { batch_norm_add_relu(x, residual, c.gamma, c.beta, c.state, training).backward(dy); });
  ASSERT_EQ(measurements.size(), 4u) << "statistics, apply, reduce, data";
  expect_efficient(measurements);
  EXPECT_LE(share(moved_bytes(measurements), x.bytes()), 11 * 1.02) << "4 in the forward pass, 7 in the backward pass";
}

TEST(MeterStep, TwoAddedBatchNormsUseTheirSectors) {
  const Shape shape{16, 16, 17, 64};
  Tensor x = activation(shape, 1), shortcut = activation(shape, 2);
  x.require_grad();
  shortcut.require_grad();
  const Tensor dy = activation(shape, 3);
  BatchNormCase a, b;
  const auto measurements = measure([&] {
    batch_norm_sum_relu({x, a.gamma, a.beta, a.state}, {shortcut, b.gamma, b.beta, b.state}, training).backward(dy);
  });
  ASSERT_EQ(measurements.size(), 5u) << "statistics of both, apply, reduce, data";
  expect_efficient(measurements);
  EXPECT_LE(share(moved_bytes(measurements), x.bytes()), 13 * 1.03) << "5 in the forward pass, 8 in the backward pass";
}

TEST(MeterStep, TheStemUsesItsSectors) {
  const Shape shape{8, 32, 65, 64};
  Tensor x = activation(shape, 1);
  x.require_grad();
  BatchNormCase c;
  const Tensor dy = activation({8, 16, 33, 64}, 3);
  const auto measurements = measure([&] {
    batch_norm_relu_max_pool2d(x, c.gamma, c.beta, c.state, training, {3, 2, 1}).backward(dy);
  });
  ASSERT_EQ(measurements.size(), 4u) << "statistics, apply and pool, reduce, data";
  expect_efficient(measurements);
}

// The emulated device runs 4 blocks at once, as its shared memory allows, and an H100 396. So a block has as many
// frames here as it would have of 256 clips of 3 s on an H100.
TEST(MeterStep, TheMelReadsItsSamplesOnce) {
  const MelSettings settings;
  const kernel::MelFrames frames{.count = 4 * 88, .n_fft = settings.n_fft, .hop_length = settings.hop_length};
  const int64_t n = (frames.count - 1) * frames.hop_length + frames.n_fft;
  const Tensor samples = Tensor::from(random_values(n, 1), {n}, Device::cuda);
  const Tensor db = Tensor::empty({settings.n_mels, frames.count}, DType::float32, Device::cuda);
  const DeviceArray<double> window(std::vector(static_cast<size_t>(settings.n_fft), 0.5), Device::cuda);
  const MelFilterBank bank(settings, Device::cuda);
  const auto measurements = measure([&] {
    kernel::log_mel_spectrogram(Stream::of(Device::cuda), samples.as<float>(), window.data(), db.as<float>(),
                                bank.filters(), frames);
  });
  ASSERT_EQ(measurements.size(), 1u);
  expect_efficient(measurements);
  const Measurement& m = measurements[0];
  EXPECT_EQ(m.blocks, 4u);
  EXPECT_LE(share(m.of(AccessKind::global_load).bytes, samples.bytes()), 1.2) << "with the window and the filters";
  EXPECT_LE(share(m.global().bytes, samples.bytes() + db.bytes()), 1.2);
  EXPECT_LE(share(m.shared().transactions, m.shared().least), 1.005) << "bank conflicts";
}

TEST(MeterStep, AStepAllocatesNothingAndUploadsLittle) {
  const std::unique_ptr<Module> model = make_model("resnet_small", 10, 0.3f);
  model->move_to(Device::cuda);
  Adam optimizer(decay_groups(model->parameters(), 0.01f), {.max_gradient_norm = 1, .compute_dtype = DType::bfloat16});
  const Tensor x = activation({2, 32, 33, 1}, 1), targets = Tensor::full({2, 10}, 0.1f, Device::cuda);
  const auto step = [&] {
    optimizer.zero_grad();
    default_generator(Device::cuda).advance();
    cross_entropy((*model)(x), targets, 0.1f).backward();
    optimizer.step(1e-3f);
  };
  for (int i = 0; i < 3; ++i) step();
  measure([] {});
  emulated_cuda::start_meter();
  step();
  const auto calls = emulated_cuda::take_other_calls().calls;
  const auto count = [&](RuntimeCall call) { return calls.contains(call) ? calls.at(call) : 0; };
  EXPECT_EQ(count(RuntimeCall::allocation), 0u);
  EXPECT_EQ(count(RuntimeCall::synchronisation), 0u);
  EXPECT_EQ(count(RuntimeCall::readback), 0u);
  EXPECT_EQ(count(RuntimeCall::upload), 1u) << "the learning rate and the corrections of Adam";
}

// The requests of the second epoch of `tracks` tracks in batches of 3, with its checkpoint and without validation. The
// first epoch has at least 4 steps, so all of the second are launched as a graph.
std::map<RuntimeCall, uint64_t> calls_of_an_epoch(int64_t tracks) {
  const BandedMusic music(tracks);
  const BandedMusic::Training data(music, Device::cuda, {.crop_frames = BandedMusic::crop_frames}, 3);
  const TemporaryFolder run;
  const std::unique_ptr<Module> model = make_model("cnn_bn", BandedMusic::classes, 0.3f);
  model->move_to(Device::cuda);
  const auto validate = [](Module&) { return Validation{}; };
  Trainer trainer(*model, data.batches, cross_entropy_loss(0.1f), validate, {.epochs = 2, .batch_size = 3},
                  constant_schedule(1e-3f), {.path = run.path(), .metadata = to_metadata(music.card)});
  std::map<RuntimeCall, uint64_t> calls;
  emulated_cuda::start_meter({.sum_launches = true});
  trainer.run(ProgressMode::quiet, [&](const EpochReport&) { calls = emulated_cuda::take_other_calls().calls; });
  return calls;
}

TEST(MeterStep, TheTrainerUploadsOnceAStep) {
  const auto few = calls_of_an_epoch(12), many = calls_of_an_epoch(24);  // 4 and 8 steps
  EXPECT_EQ(few.at(RuntimeCall::upload), 4u);
  EXPECT_EQ(many.at(RuntimeCall::upload), 8u);
  EXPECT_EQ(few.at(RuntimeCall::graph_launch), 4u);
  EXPECT_EQ(many.at(RuntimeCall::graph_launch), 8u);
  EXPECT_EQ(many.at(RuntimeCall::readback) - few.at(RuntimeCall::readback), 4u) << "and those of the checkpoint";
}

}  // namespace
}  // namespace melgrad::test
