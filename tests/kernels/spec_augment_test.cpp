#include "kernels/spec_augment.h"

#include <algorithm>

#include "tests/support/kernel_test.h"

namespace melgrad::test {
namespace {

using kernel::SpecAugment;

struct Shape {
  int64_t batch, n_mels, frames;
};

// Masks an array of ones. `random` must be of the same device.
std::vector<float> masked(const Shape& shape, const SpecAugment& settings, const RandomStream& random,
                          Device device = Device::cpu, DType dtype = DType::float32) {
  const std::vector ones(static_cast<size_t>(shape.batch * shape.n_mels * shape.frames), 1.0f);
  const Array x(Stream::of(device), ones, dtype);
  kernel::spec_augment(Stream::of(device), x.data(), dtype, shape.batch, shape.n_mels, shape.frames, settings, random);
  return x.values();
}

struct Extent {
  int64_t begin, width;
};

// Finds the mask of each example, which has one: along the mel axis if `frequency`, else along time. Fails unless its
// zeros form one full band.
std::vector<Extent> bands(const std::vector<float>& x, const Shape& shape, bool frequency) {
  std::vector<Extent> result;
  const int64_t axis = frequency ? shape.n_mels : shape.frames, stride = frequency ? shape.frames : 1;
  for (int64_t i = 0; i < shape.batch; ++i) {
    const float* const example = x.data() + i * shape.n_mels * shape.frames;
    Extent band{0, 0};
    for (int64_t k = 0; k < axis; ++k) {
      if (example[k * stride] != 0) continue;
      if (band.width == 0) band.begin = k;
      ++band.width;
    }
    for (int64_t mel = 0; mel < shape.n_mels; ++mel) {
      for (int64_t t = 0; t < shape.frames; ++t) {
        const int64_t k = (frequency ? mel : t) - band.begin;
        EXPECT_EQ(example[mel * shape.frames + t], k >= 0 && k < band.width ? 0.0f : 1.0f);
      }
    }
    result.push_back(band);
  }
  return result;
}

TEST(SpecAugmentKernel, WidthsAndStartsAreUniform) {
  const Shape shape{10000, 11, 13};
  for (const bool frequency : {true, false}) {
    const int64_t most = 4, axis = frequency ? shape.n_mels : shape.frames;
    const SpecAugment settings = frequency ? SpecAugment{1, most, 0, 0} : SpecAugment{0, 0, 1, most};
    std::vector<double> widths(static_cast<size_t>(most + 1));
    double relative_start = 0, wide = 0;
    for (const Extent& band : bands(masked(shape, settings, Randomness(1, 2, 3).stream), shape, frequency)) {
      ++widths.at(static_cast<size_t>(band.width));
      if (band.width == 0) continue;
      ++wide;
      relative_start += static_cast<double>(band.begin) / static_cast<double>(axis - band.width);
    }
    for (const double count : widths) EXPECT_NEAR(count, 2000, 5 * 40);  // 40: the deviation of the binomial count
    EXPECT_NEAR(relative_start / wide, 0.5, 5 * 0.33 / std::sqrt(wide));
  }
}

TEST(SpecAugmentKernel, MasksAreNoWiderThanTheAxis) {
  const Shape shape{100, 3, 5};
  const auto x = masked(shape, {1, 1000, 0, 0}, Randomness(1, 2, 3).stream);
  const auto found = bands(x, shape, true);
  EXPECT_TRUE(std::any_of(found.begin(), found.end(), [](const Extent& band) { return band.width == 3; }));
}

TEST(SpecAugmentKernel, ChangesNothingWithoutMasks) {
  const auto x = masked({3, 7, 5}, {0, 0, 0, 0}, Randomness(1, 2, 3).stream);
  EXPECT_EQ(std::count(x.begin(), x.end(), 1.0f), 3 * 7 * 5);
}

TEST(SpecAugmentKernel, IsDeterminedBySeedStepAndStreamAtAnyThreadCount) {
  const auto augment = [](const RandomStream& random) { return masked({17, 31, 33}, {2, 9, 2, 9}, random); };
  expect_determined_by_seed_step_and_stream(augment);
  expect_same_bits_at_any_thread_count([&] { return augment(Randomness(1, 2, 3).stream); });
}

TEST(SpecAugmentKernel, CudaGivesTheSameBitsAsTheCpu) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  const SpecAugment settings{2, 27, 2, 20}, none{0, 0, 0, 0};
  for (const Shape& shape : {Shape{17, 31, 33}, Shape{3, 128, 130}, Shape{5, 1, 1}, Shape{0, 8, 8}}) {
    for (const DType dtype : activation_dtypes) {
      const Randomness random(1, 2, 3), device_random(1, 2, 3, Device::cuda);
      for (const SpecAugment& masks : {settings, none}) {
        expect_same_bits(
            in_every_order([&] { return Results{masked(shape, masks, device_random.stream, Device::cuda, dtype)}; }),
            {masked(shape, masks, random.stream)});
      }
    }
  }
}

}  // namespace
}  // namespace melgrad::test
