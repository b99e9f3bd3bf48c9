#include "kernels/band_statistics.h"

#include "tests/support/kernel_test.h"

namespace melgrad::test {
namespace {

using kernel::BandStatistics;

std::vector<float> statistics_of(Device device, const std::vector<float>& x, BandStatistics size) {
  Stream& stream = Stream::of(device);
  const DeviceVector<float> in(stream, x);
  const DeviceVector<float> out(stream, static_cast<size_t>(size.images * BandStatistics::count * size.bands));
  kernel::band_statistics(stream, in, out, size);
  return out.values();
}

// The mean over the group of `size` frames that contains `frame`, in double precision.
double group_mean(const std::vector<double>& v, size_t frame, size_t size) {
  const size_t begin = frame / size * size, end = std::min(v.size(), begin + size);
  double sum = 0;
  for (size_t i = begin; i < end; ++i) sum += v[i];
  return sum / static_cast<double>(end - begin);
}

// The root mean square of the difference of two group means.
double deviation(const std::vector<double>& v, size_t fine, size_t coarse) {
  double squares = 0;
  for (size_t frame = 0; frame < v.size(); ++frame) {
    squares += std::pow(group_mean(v, frame, fine) - group_mean(v, frame, coarse), 2);
  }
  return std::sqrt(squares / static_cast<double>(v.size()));
}

// The statistics by their definition, from bands of whole mel bins.
std::vector<double> expected_statistics(const std::vector<float>& x, BandStatistics size) {
  const int64_t bins = size.n_mels / size.bands, count = BandStatistics::count;
  std::vector<double> result(static_cast<size_t>(size.images * count * size.bands));
  for (int64_t row = 0; row < size.images * size.bands; ++row) {
    const int64_t image = row / size.bands, band = row % size.bands;
    std::vector<double> v(static_cast<size_t>(size.frames));
    for (int64_t i = 0; i < bins * size.frames; ++i) {
      const int64_t place = (image * size.n_mels + band * bins) * size.frames + i;
      v[static_cast<size_t>(i % size.frames)] +=
          static_cast<double>(x[static_cast<size_t>(place)]) / static_cast<double>(bins);
    }
    const size_t whole = v.size();
    const double values[] = {group_mean(v, 0, whole), deviation(v, 1, 2), deviation(v, 2, 8), deviation(v, 8, 32),
                             deviation(v, 32, whole)};
    for (int64_t k = 0; k < count; ++k) {
      result[static_cast<size_t>((image * count + k) * size.bands + band)] =
          k == 0 ? values[k] : std::log(values[k] + 0.01);
    }
  }
  return result;
}

const std::vector<BandStatistics> sizes{{3, 16, 256, 4}, {1, 4, 1, 4}, {2, 6, 31, 3}, {1, 32, 33, 32}, {2, 8, 105, 2}};

TEST(BandStatisticsKernel, AreThoseOfTheDefinition) {
  for (const Device device : available_devices()) {
    for (const BandStatistics& size : sizes) {
      SCOPED_TRACE(describe(size) + " on " + name_of(device));
      const auto x = random_values(static_cast<size_t>(size.images * size.n_mels * size.frames), 1);
      expect_close(statistics_of(device, x, size), expected_statistics(x, size), 1e-5, 2e-6);
    }
  }
}

TEST(BandStatisticsKernel, OfSilenceAreFinite) {
  const float floor = std::log(0.01f);
  for (const Device device : available_devices()) {
    EXPECT_EQ(statistics_of(device, std::vector<float>(64, -7.5f), {1, 1, 64, 1}),
              (std::vector<float>{-7.5f, floor, floor, floor, floor}));
  }
}

// A level of 1000 takes 10 of the 24 bits of a float, and the deviation between the groups of 32 frames is 0.25.
TEST(BandStatisticsKernel, KeepSmallChangesOfALargeMean) {
  std::vector<float> x(64, 1000);
  std::fill(x.begin() + 32, x.end(), 1000.5f);
  for (const Device device : available_devices()) {
    const std::vector<float> statistics = statistics_of(device, x, {1, 1, 64, 1});
    EXPECT_FLOAT_EQ(statistics[0], 1000.25f);
    EXPECT_FLOAT_EQ(statistics[4], std::log(0.26f));
  }
}

TEST(BandStatisticsKernel, MoreBandsThanMelBinsRepeatThem) {
  const std::vector<float> x{1, 1, 5, 5};  // two mel bins of two frames
  for (const Device device : available_devices()) {
    const std::vector<float> statistics = statistics_of(device, x, {1, 2, 2, 4});
    EXPECT_EQ(std::vector<float>(statistics.begin(), statistics.begin() + 4), (std::vector<float>{1, 1, 5, 5}));
  }
}

TEST(BandStatisticsKernel, CudaGivesTheSameBitsInEveryOrder) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  for (const BandStatistics& size : sizes) {
    const auto x = random_values(static_cast<size_t>(size.images * size.n_mels * size.frames), 1);
    in_every_order([&] { return Results{statistics_of(Device::cuda, x, size)}; });
  }
}

}  // namespace
}  // namespace melgrad::test
