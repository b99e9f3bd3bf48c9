#include "kernels/crop.h"

#include <memory>
#include <numeric>

#include "tests/support/kernel_test.h"

namespace melgrad::test {
namespace {

using kernel::Clip;

// `random` must be of the same device.
std::vector<int64_t> crop_starts(int64_t frames, int64_t crop_frames, int64_t batch, const RandomStream& random,
                                 Device device = Device::cpu) {
  Stream& stream = Stream::of(device);
  const DeviceVector<float> db(stream, 1);
  const DeviceVector<Clip> clips(stream, std::vector<Clip>{{db, frames}});
  const DeviceVector<int64_t> picks(stream, std::vector<int64_t>(static_cast<size_t>(batch))), starts(stream, batch);
  kernel::random_crop_starts(stream, clips, picks, starts, batch, crop_frames, random);
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
  expect_determined_by_seed_step_and_stream(
      [](const RandomStream& random) { return crop_starts(1000, 10, 20, random); });
}

TEST(CropKernel, StartsOnCudaEqualThoseOfTheCpu) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  for (const int64_t frames : {1, 30, 1293, 1 << 20}) {
    for (const int64_t batch : {0, 1, 33, 1009}) {
      EXPECT_EQ(crop_starts(frames, 30, batch, Randomness(1, 2, 3, Device::cuda).stream, Device::cuda),
                crop_starts(frames, 30, batch, Randomness(1, 2, 3).stream));
    }
  }
}

struct Crops {
  int64_t n_mels, crop_frames;
  std::vector<int64_t> frames{100, 7, 33}, picks{1, 0, 0, 2}, starts{5, 67, 13, 0};

  std::vector<float> db(size_t clip) const {
    return random_values(n_mels * frames[clip], static_cast<uint64_t>(frames[clip]));
  }
  std::vector<float> mean() const { return random_values(n_mels, 91); }
  std::vector<float> inverse_std() const { return random_values(n_mels, 92); }
};

std::vector<float> cut(const Crops& crops, Device device = Device::cpu, DType dtype = DType::float32) {
  Stream& stream = Stream::of(device);
  std::vector<std::unique_ptr<DeviceVector<float>>> arrays;
  std::vector<Clip> clips;
  for (size_t clip = 0; clip < crops.frames.size(); ++clip) {
    arrays.push_back(std::make_unique<DeviceVector<float>>(stream, crops.db(clip)));
    clips.push_back({*arrays.back(), crops.frames[clip]});
  }
  const DeviceVector<float> mean(stream, crops.mean()), inverse_std(stream, crops.inverse_std());
  const DeviceVector<Clip> device_clips(stream, clips);
  const DeviceVector<int64_t> picks(stream, crops.picks), starts(stream, crops.starts);
  const auto batch = static_cast<int64_t>(crops.picks.size());
  const Array y(stream, batch * crops.n_mels * crops.crop_frames, dtype);
  kernel::crop(stream, device_clips, picks, starts, y.data(), dtype, batch, crops.n_mels, crops.crop_frames, mean,
               inverse_std);
  return y.values();
}

TEST(CropKernel, CutsStandardisesAndRepeats) {
  const Crops crops{31, 33};
  std::vector<float> expected;
  const auto mean = crops.mean(), inverse_std = crops.inverse_std();
  for (size_t i = 0; i < crops.picks.size(); ++i) {
    const auto clip = static_cast<size_t>(crops.picks[i]);
    const auto db = crops.db(clip);
    const int64_t length = crops.frames[clip];
    for (int64_t mel = 0; mel < crops.n_mels; ++mel) {
      for (int64_t t = 0; t < crops.crop_frames; ++t) {
        const float value = db[static_cast<size_t>(mel * length + (crops.starts[i] + t) % length)];
        expected.push_back((value - mean[static_cast<size_t>(mel)]) * inverse_std[static_cast<size_t>(mel)]);
      }
    }
  }
  EXPECT_EQ(cut(crops), expected);
  expect_same_bits_at_any_thread_count([&] { return cut(crops); });
}

TEST(CropKernel, CudaGivesTheSameBitsAsTheCpu) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  // Sizes for which a vector load spans the end of one mel bin and the beginning of the next.
  for (const Crops& crops : {Crops{31, 33}, Crops{1, 1}, Crops{4, 30}, Crops{8, 257}}) {
    for (const DType dtype : activation_dtypes) {
      expect_same_bits(in_every_order([&] { return cut(crops, Device::cuda, dtype); }), rounded(cut(crops), dtype));
    }
  }
}

TEST(CropKernel, RefusesAStartOutsideTheClip) {
  Stream& stream = Stream::of(Device::cpu);
  const DeviceVector<float> db(stream, 10), y(stream, 10), mean(stream, 1), inverse_std(stream, 1);
  const DeviceVector<Clip> clips(stream, std::vector<Clip>{{db, 10}});
  const DeviceVector<int64_t> picks(stream, std::vector<int64_t>{0}), starts(stream, std::vector<int64_t>{10});
  EXPECT_THROW(kernel::crop(stream, clips, picks, starts, y, DType::float32, 1, 1, 10, mean, inverse_std), Error);
}

}  // namespace
}  // namespace melgrad::test
