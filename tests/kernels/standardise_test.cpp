#include "kernels/standardise.h"

#include <algorithm>

#include "tests/support/kernel_test.h"

namespace melgrad::test {
namespace {

using kernel::CropLayout;

std::vector<float> standardised(const CropLayout& layout, Device device = Device::cpu, DType dtype = DType::float32) {
  Stream& stream = Stream::of(device);
  const int64_t last = (layout.batch - 1) * layout.example_stride + (layout.n_mels - 1) * layout.mel_stride;
  const DeviceVector<float> db(stream, random_values(last + layout.frames, 1, 60));
  const DeviceVector<float> mean(stream, random_values(layout.n_mels, 2)),
      inverse(stream, random_values(layout.n_mels, 3));
  const Array y(stream, layout.batch * layout.n_mels * layout.frames, dtype);
  kernel::limit_and_standardise(stream, db, layout, 40, mean, inverse, y.data(), dtype);
  return y.values();
}

// One example after another, and the examples of a batch side by side in each mel bin.
constexpr CropLayout layouts[] = {{3, 5, 7, 35, 7}, {2, 31, 33, 40, 73}, {1, 1, 1, 1, 1}, {4, 130, 257, 300, 1157}};

TEST(LimitAndStandardise, LimitsEachCropByItsOwnMaximum) {
  for (const CropLayout& layout : layouts) {
    const auto y = standardised(layout);
    const int64_t last = (layout.batch - 1) * layout.example_stride + (layout.n_mels - 1) * layout.mel_stride;
    const auto db = random_values(last + layout.frames, 1, 60), mean = random_values(layout.n_mels, 2),
               inverse = random_values(layout.n_mels, 3);
    for (int64_t i = 0; i < layout.batch; ++i) {
      const auto value = [&](int64_t mel, int64_t t) {
        return db[static_cast<size_t>(i * layout.example_stride + mel * layout.mel_stride + t)];
      };
      float largest = -1000;
      for (int64_t mel = 0; mel < layout.n_mels; ++mel) {
        for (int64_t t = 0; t < layout.frames; ++t) largest = std::max(largest, value(mel, t));
      }
      for (int64_t mel = 0; mel < layout.n_mels; ++mel) {
        for (int64_t t = 0; t < layout.frames; ++t) {
          const auto m = static_cast<size_t>(mel);
          EXPECT_EQ(y[static_cast<size_t>((i * layout.n_mels + mel) * layout.frames + t)],
                    (std::max(value(mel, t), largest - 40) - mean[m]) * inverse[m]);
        }
      }
    }
  }
}

TEST(LimitAndStandardise, CudaGivesTheSameBitsAsTheCpu) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  for (const CropLayout& layout : layouts) {
    for (const DType dtype : activation_dtypes) {
      expect_same_bits(in_every_order([&] { return standardised(layout, Device::cuda, dtype); }),
                       rounded(standardised(layout), dtype));
    }
  }
}

}  // namespace
}  // namespace melgrad::test
