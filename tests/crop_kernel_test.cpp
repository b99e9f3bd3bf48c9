#include "kernels/crop.h"

#include <memory>
#include <numeric>

#include "tests/reference.h"

namespace melgrad {
namespace {

using kernel::Clip;
using reference::DeviceArray;
using reference::random_values;
using reference::Randomness;

std::vector<int64_t> crop_starts(int64_t frames, int64_t crop_frames, int64_t batch, const RandomStream& random) {
  const DeviceArray<float> db(1);
  const DeviceArray<Clip> clips(std::vector<Clip>{{db, frames}});
  const DeviceArray<int64_t> picks(std::vector<int64_t>(static_cast<size_t>(batch))), starts(batch);
  kernel::random_crop_starts(Stream::of(Device::cpu), clips, picks, starts, batch, crop_frames, random);
  return starts.values();
}

TEST(CropKernel, StartsAreUniform) {
  constexpr int64_t batch = 100000, frames = 40, crop_frames = 30;
  std::vector<double> counts(frames - crop_frames + 1);
  for (const int64_t start : crop_starts(frames, crop_frames, batch, Randomness(1, 2, 3).stream)) {
    ++counts.at(static_cast<size_t>(start));
  }
  const double expected = batch / 11.0;
  const double chi_square = std::accumulate(counts.begin(), counts.end(), 0.0, [&](double sum, double count) {
    return sum + (count - expected) * (count - expected) / expected;
  });
  EXPECT_LT(chi_square, 29.6);  // the 99.9th percentile with 10 degrees of freedom
}

TEST(CropKernel, ShortClipsStartAtTheirBeginning) {
  for (const int64_t frames : {1, 29, 30}) {
    EXPECT_EQ(crop_starts(frames, 30, 3, Randomness(1, 2, 3).stream), (std::vector<int64_t>{0, 0, 0}));
  }
}

TEST(CropKernel, StartsAreDeterminedBySeedStepAndStream) {
  reference::expect_determined_by_seed_step_and_stream(
      [](const RandomStream& random) { return crop_starts(1000, 10, 20, random); });
}

TEST(CropKernel, CutsStandardisesAndRepeats) {
  constexpr int64_t n_mels = 31, crop_frames = 33;
  const std::vector<int64_t> frames{100, 7, 33}, picks{1, 0, 0, 2}, starts{5, 67, 13, 0};
  std::vector<std::vector<float>> db;
  std::vector<std::unique_ptr<DeviceArray<float>>> arrays;
  std::vector<Clip> clips;
  for (const int64_t count : frames) {
    db.push_back(random_values(n_mels * count, static_cast<uint64_t>(count)));
    arrays.push_back(std::make_unique<DeviceArray<float>>(db.back()));
    clips.push_back({*arrays.back(), count});
  }
  const std::vector<float> mean = random_values(n_mels, 91), inverse_deviation = random_values(n_mels, 92);
  const DeviceArray<float> device_mean(mean), device_inverse_deviation(inverse_deviation);
  std::vector<float> expected;
  for (size_t i = 0; i < picks.size(); ++i) {
    const int64_t length = frames[static_cast<size_t>(picks[i])];
    for (int64_t mel = 0; mel < n_mels; ++mel) {
      for (int64_t t = 0; t < crop_frames; ++t) {
        const float value =
            db[static_cast<size_t>(picks[i])][static_cast<size_t>(mel * length + (starts[i] + t) % length)];
        expected.push_back((value - mean[static_cast<size_t>(mel)]) * inverse_deviation[static_cast<size_t>(mel)]);
      }
    }
  }
  const DeviceArray<Clip> device_clips(clips);
  const DeviceArray<int64_t> device_picks(picks), device_starts(starts);
  const auto crops = [&] {
    const DeviceArray<float> y(static_cast<int64_t>(expected.size()));
    kernel::crop(Stream::of(Device::cpu), device_clips, device_picks, device_starts, y, DType::float32,
                 static_cast<int64_t>(picks.size()), n_mels, crop_frames, device_mean, device_inverse_deviation);
    return y.values();
  };
  EXPECT_EQ(crops(), expected);
  reference::expect_same_bits_at_any_thread_count(crops);
}

TEST(CropKernel, RefusesAStartOutsideTheClip) {
  const DeviceArray<float> db(10), y(10), mean(1), inverse_deviation(1);
  const DeviceArray<Clip> clips(std::vector<Clip>{{db, 10}});
  const DeviceArray<int64_t> picks(std::vector<int64_t>{0}), starts(std::vector<int64_t>{10});
  EXPECT_THROW(
      kernel::crop(Stream::of(Device::cpu), clips, picks, starts, y, DType::float32, 1, 1, 10, mean, inverse_deviation),
      Error);
}

}  // namespace
}  // namespace melgrad
