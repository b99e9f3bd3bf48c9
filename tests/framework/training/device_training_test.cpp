// Whole trainings on Device::cuda (a GPU or the emulated device) compared with the CPU.
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <thread>
#include <utility>

#include "framework/io/atomic_file.h"
#include "framework/random.h"
#include "framework/training/trainer.h"
#include "models/models.h"
#include "models/trained_model.h"
#include "tests/support/audio_files.h"
#include "tests/support/banded_music.h"
#include "tests/support/call.h"
#include "tests/support/kernel_test.h"

#if MELGRAD_EMULATED
#include "kernels/device/emulated/device_memory.h"
#include "kernels/device/emulated/observer.h"
#include "kernels/device/emulated/profiler.h"
#include "kernels/device/emulated/runtime.h"
#endif

namespace melgrad::test {
namespace {

// Forgets the peak of the memory at each batch, so that the peak is that of the last step.
class PeakOfSteps : public BatchSource {
 public:
  PeakOfSteps(const BatchSource& source, Device device) : source_(source), stream_(Stream::of(device)) {}
  EpochSize epoch_size() const override { return source_.epoch_size(); }
  Batch batch(const BatchItems& items, Generator& generator) const override {
    stream_.reset_peak();
    return source_.batch(items, generator);
  }
  std::string name(int64_t item) const override { return source_.name(item); }

 private:
  const BatchSource& source_;
  Stream& stream_;
};

// One step per epoch, with random crops, SpecAugment, mixup and dropout.
struct Training {
  Device device = Device::cuda;
  const char* model = "cnn_bn";
  int64_t epochs = 2;
  DType precision = DType::float32;
  int64_t batch_size = 6;
  bool resume = false;
  uint64_t seed = 1;
  StepRange profile;
  bool graphs = true;
  // Of the last run.
  mutable std::string graph_obstacle;
  mutable size_t peak = 0;  // of the memory in the last step that was not recorded, in bytes

  // The loss of each epoch.
  std::vector<double> run(const fs::path& folder) const {
    const BandedMusic music(6);
    const CropOptions crops{
        .crop_frames = BandedMusic::crop_frames,
        .precision = precision,
        .augmentation = {
            .jitter = {.shift = 0, .equalizer = 1, .level = 1},  // the classes are mel bins
            .spec_augment = {.frequency_masks = 1, .frequency_width = 3, .time_masks = 1, .time_width = 3}}};
    const BandedMusic::Training data(music, device, crops, batch_size);
    manual_seed(seed);
    const auto network = make_model(model, BandedMusic::classes, 0.2f);
    network->move_to(device);
    const TrainOptions options{.seed = seed + 2,
                               .epochs = epochs,
                               .batch_size = batch_size,
                               .optimizer = {.compute_dtype = precision, .loss_scaling = precision == DType::float16},
                               .profile = profile,
                               .graphs = graphs};
    const PeakOfSteps batches(data.batches, device);
    Trainer trainer(*network, batches, cross_entropy_loss(0.1f), data.validate, options,
                    [](int64_t step) { return 3e-3f / (1 + 0.1f * static_cast<float>(step)); },
                    {.path = folder, .metadata = to_metadata(music.card)});
    if (resume) trainer.resume(read_checkpoint(folder));
    std::vector<double> losses;
    trainer.run(ProgressMode::quiet, [&](const EpochReport& report) {
      losses.push_back(report.train_loss);
      peak = Stream::of(device).memory().peak;
    });
    graph_obstacle = trainer.graph_obstacle();
    return losses;
  }
};

class DeviceTraining : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { MELGRAD_SKIP_WITHOUT_CUDA(); }
  TemporaryFolder folder_;
};

TEST_P(DeviceTraining, StartsAsOnTheCpu) {
  const std::vector<double> cpu = Training{.device = Device::cpu, .model = GetParam()}.run(folder_.path());
  const TemporaryFolder other;
  const std::vector<double> cuda = Training{.model = GetParam()}.run(other.path());
  EXPECT_NEAR(cuda[0], cpu[0], 1e-5 * cpu[0]);
  // Adam's first step divides each gradient by its absolute value, so rounding decides the sign of tiny gradients.
  EXPECT_NEAR(cuda[1], cpu[1], 1e-2 * cpu[1]);
}

TEST_P(DeviceTraining, ResumesBitForBit) {
  Training{.model = GetParam(), .epochs = 3}.run(folder_.path());
  const TemporaryFolder other;
  Training{.model = GetParam(), .epochs = 2}.run(other.path());
  Training{.model = GetParam(), .epochs = 3, .resume = true}.run(other.path());
  EXPECT_TRUE(read_file(other / "last.safetensors") == read_file(folder_ / "last.safetensors"));
}

INSTANTIATE_TEST_SUITE_P(Models, DeviceTraining, testing::Values("cnn_bn", "resnet_small"),
                         [](const auto& test) { return std::string(test.param); });

class NarrowTraining : public testing::TestWithParam<DType> {};

TEST_P(NarrowTraining, LearnsAlmostAsInFloat32AndResumesBitForBit) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  const TemporaryFolder whole, parts, wide;
  Training training{.epochs = 8, .precision = GetParam()};
  const std::vector<double> narrow = training.run(whole.path());
  const std::vector<double> exact = Training{.epochs = 8}.run(wide.path());
  EXPECT_NEAR(narrow[0], exact[0], 0.02 * exact[0]);
  EXPECT_LT(narrow.back(), narrow.front());
  training.epochs = 5;
  training.run(parts.path());
  training.epochs = 8;
  training.resume = true;
  training.run(parts.path());
  EXPECT_TRUE(read_file(parts / "last.safetensors") == read_file(whole / "last.safetensors"));
}

INSTANTIATE_TEST_SUITE_P(Precisions, NarrowTraining, testing::Values(DType::bfloat16, DType::float16),
                         [](const auto& test) { return std::string(name_of(test.param)); });

// An epoch has a batch of 4 and one of 2. Each size is recorded in its fourth step, and the model is validated between.
TEST(TrainingOnCuda, GraphsGiveTheSameBits) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  for (const DType precision : activation_dtypes) {
    const TemporaryFolder recorded, submitted;
    const Training with_graphs{.epochs = 7, .precision = precision, .batch_size = 4};
    with_graphs.run(recorded.path());
    EXPECT_EQ(with_graphs.graph_obstacle, "");
    Training{.epochs = 7, .precision = precision, .batch_size = 4, .graphs = false}.run(submitted.path());
    EXPECT_TRUE(read_file(recorded / "last.safetensors") == read_file(submitted / "last.safetensors"));
  }
}

// Each device loads the checkpoints of the other, computes the same probabilities and continues training.
TEST(TrainingOnCuda, CheckpointsMoveBetweenDevices) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  const BandedMusic music(6);
  for (const Device device : {Device::cpu, Device::cuda}) {
    const Device other = device == Device::cpu ? Device::cuda : Device::cpu;
    const TemporaryFolder run;
    Training{.device = device, .epochs = 1}.run(run.path());
    const auto probabilities = [&](Device at) {
      const TrainedModel trained = load_trained_model(run.path(), at);
      std::vector<float> all;
      for (const LogMel& clip : music.clips) {
        const TrackPrediction prediction = trained.predict(clip, {});
        all.insert(all.end(), prediction.probabilities.begin(), prediction.probabilities.end());
      }
      return all;
    };
    const std::vector<float> here = probabilities(device), there = probabilities(other);
    for (size_t i = 0; i < here.size(); ++i) EXPECT_NEAR(there[i], here[i], 1e-5f);
    EXPECT_EQ((Training{.device = other, .epochs = 2, .resume = true}.run(run.path()).size()), 1u);
  }
}

// The devices round differently, so the weights differ after training, but less than the weights of two seeds.
TEST(TrainingOnCuda, DiffersFromTheCpuLessThanTwoSeedsDo) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  constexpr int64_t epochs = 8;
  const auto last_loss = [](Device device, uint64_t seed) {
    const TemporaryFolder run;
    return Training{.device = device, .epochs = epochs, .seed = seed}.run(run.path()).back();
  };
  double least = std::numeric_limits<double>::infinity(), most = 0, device_noise = 0;
  for (const uint64_t seed : {1, 2, 3, 4}) {
    const double cpu = last_loss(Device::cpu, seed);
    least = std::min(least, cpu);
    most = std::max(most, cpu);
    device_noise = std::max(device_noise, std::abs(last_loss(Device::cuda, seed) - cpu));
  }
  EXPECT_LT(device_noise, most - least);
}

#if MELGRAD_EMULATED
TEST(TrainingOnCuda, AProfilerRecordsOnlyTheGivenSteps) {
  const auto launches_of = [](StepRange steps) {
    const TemporaryFolder run;
    Training{.batch_size = 3, .profile = steps}.run(run.path());  // two steps an epoch, validation after each epoch
    return emulated_cuda::take_captured_launches();
  };
  const std::vector<std::string> none = launches_of({}), one = launches_of({3, 3}), two = launches_of({3, 4});
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(std::count(one.begin(), one.end(), "adam_step"), 1);
  EXPECT_EQ(std::count(two.begin(), two.end(), "adam_step"), 2);
  EXPECT_GT(one.size(), 20u);
  EXPECT_EQ(two.size(), 2 * one.size());
}

// The launches of each step, with all that a recorded launch keeps: kernel, grid and addresses.
class LaunchLog final : public emulated_cuda::Observer {
 public:
  std::vector<std::vector<std::string>> steps{1};

  void begin_grid(const char* op, const void* kernel, uint64_t blocks, uint32_t threads, size_t shared_bytes) override {
    steps.back().push_back(fmt::format("{}: {}<{}, {}, {}>({})", op, kernel, blocks, threads, shared_bytes,
                                       fmt::join(std::exchange(addresses_, {}), ", ")));
    if (op == std::string("batch_metrics")) steps.emplace_back();  // the last one of a step
  }
  void argument(int, const void* address) override { addresses_.push_back(address); }

 private:
  std::vector<const void*> addresses_;
};

TEST(TrainingOnCuda, StepsInTheMemoryOfGraphsLaunchTheSame) {
  if (emulated_cuda::observer) GTEST_SKIP() << "the meter observes";
  const TemporaryFolder run;
  LaunchLog log;
  emulated_cuda::observer = &log;
  Training{.epochs = 6}.run(run.path());
  emulated_cuda::observer = nullptr;
  // Each step begins behind the validation that follows the one before. Step 3 is submitted, 4 is recorded.
  ASSERT_EQ(log.steps.size(), 7u);
  const std::vector<std::string>&third = log.steps[2], &fourth = log.steps[3];
  EXPECT_GT(third.size(), 20u);
  EXPECT_EQ(third, fourth);
  EXPECT_EQ(log.steps[4], fourth);
}

TEST(TrainingOnCuda, OutOfMemoryNamesABatchThatFits) {
  if (emulated_cuda::device_memory_used() > 0) GTEST_SKIP() << "earlier tests have left the device blocks to reuse";
  const auto peak_of = [](int64_t batch_size) {
    const TemporaryFolder run;
    const Training training{.epochs = 1, .batch_size = batch_size, .graphs = false};
    training.run(run.path());
    return training.peak;
  };
  const size_t at_one = peak_of(1), at_two = peak_of(2);
  emulated_cuda::set_device_memory_limit(at_two + (at_two - at_one));
  const TemporaryFolder run, smaller;
  const std::string advice = error_of([&] { Training{.epochs = 1}.run(run.path()); });
  EXPECT_NE(advice.find("out of memory on cuda:0 (emulated)"), std::string::npos) << advice;
  const size_t at = advice.find("--batch-size ");
  ASSERT_NE(at, std::string::npos) << advice;
  EXPECT_NE(advice.find(" would fit"), std::string::npos) << advice;
  Training{.epochs = 1, .batch_size = std::stoll(advice.substr(at + 13))}.run(smaller.path());
  emulated_cuda::set_device_memory_limit(SIZE_MAX);
}

// A step needs its peak; a graph keeps every block of the step.
TEST(TrainingOnCuda, GoesOnWithTheSameBitsWhereGraphsDoNotFit) {
  if (emulated_cuda::device_memory_used() > 0) GTEST_SKIP() << "earlier tests have left the device blocks to reuse";
  const TemporaryFolder roomy, tight;
  Training training{.epochs = 6, .graphs = false};
  training.run(roomy.path());
  emulated_cuda::set_device_memory_limit(training.peak);
  training.graphs = true;
  training.run(tight.path());
  emulated_cuda::set_device_memory_limit(SIZE_MAX);
  EXPECT_NE(training.graph_obstacle, "");
  EXPECT_TRUE(read_file(tight / "last.safetensors") == read_file(roomy / "last.safetensors"));
}

TEST(TrainingOnCuda, ADeviceFailureIsReportedWithTheCommandToResume) {
  const TemporaryFolder folder;
  const std::string music = write_music_set(folder / "music").string(), run = (folder / "run").string();
  {
    const std::jthread breaker([&run](const std::stop_token& stop) {
      while (!stop.stop_requested() && !fs::exists(run + "/training.safetensors")) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      emulated_cuda::set_device_broken(true);
    });
    expect_refused({"train", music, "--out", run, "--device", "cuda", "--model", "cnn", "--n-mels", "32",
                    "--crop-frames", "32", "--epochs", "1000", "--no-cache", "--quiet"},
                   "unspecified launch failure; resume with: melgrad train " + music + " --out " + run + " --resume");
  }
  emulated_cuda::set_device_broken(false);
}
#endif

}  // namespace
}  // namespace melgrad::test
