#include "framework/audio/mel_filter_bank.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace melgrad::test {
namespace {

// Expected values printed by librosa 0.11: mel_frequencies(n_mels=130, fmin=0, fmax=11025) and
// filters.mel(sr=22050, n_fft=2048).
TEST(MelFilterBank, AgreesWithLibrosa) {
  const MelSettings settings;
  const std::vector<double> frequencies = mel_frequencies(settings);
  ASSERT_EQ(frequencies.size(), 130u);
  EXPECT_NEAR(frequencies[1], 25.793589, 1e-6);
  EXPECT_NEAR(frequencies[64], 1956.474672, 1e-5);
  EXPECT_NEAR(frequencies[129], 11025, 1e-8);
  const MelFilterBank bank(settings);
  const kernel::MelFilters filters = bank.filters();
  ASSERT_EQ(filters.n_mels, 128);
  EXPECT_NEAR(filters.weights[filters.offset[0] + 1 - filters.first_bin[0]], 0.01618285f, 1e-8);
}

TEST(MelFilterBank, CountsItsEmptyFilters) {
  const MelSettings table[] = {{},
                               {.sample_rate = 48000, .n_fft = 512},
                               {.n_fft = 256},
                               {.n_fft = 512, .htk = true},
                               {.n_mels = 40, .fmin = 100, .fmax = 400}};
  for (const MelSettings& settings : table) {
    const MelFilterBank bank(settings);
    const kernel::MelFilters filters = bank.filters();
    int64_t empty = 0;
    for (int64_t mel = 0; mel < filters.n_mels; ++mel) {
      float sum = 0;
      for (int32_t i = filters.offset[mel]; i < filters.offset[mel + 1]; ++i) sum += filters.weights[i];
      empty += sum == 0;
    }
    EXPECT_EQ(empty_mel_filters(settings), empty) << description(settings);
  }
  EXPECT_EQ(empty_mel_filters({}), 0);
}

// The integral of every filter over frequency is 1.
TEST(MelFilterBank, HasUnitArea) {
  for (const bool htk : {false, true}) {
    const MelSettings settings = {.n_fft = 1 << 15, .n_mels = 40, .htk = htk};
    const MelFilterBank bank(settings);
    const kernel::MelFilters filters = bank.filters();
    for (int64_t mel = 0; mel < filters.n_mels; ++mel) {
      double area = 0;
      for (int32_t i = filters.offset[mel]; i < filters.offset[mel + 1]; ++i) {
        area += double{filters.weights[i]} * settings.sample_rate / settings.n_fft;
      }
      EXPECT_NEAR(area, 1, 1e-3) << mel;
    }
  }
}

TEST(MelScale, ConvertsBothWays) {
  for (const bool htk : {false, true}) {
    for (const double hz : {0.0, 60.0, 999.0, 1000.0, 4321.0, 20000.0}) {
      EXPECT_NEAR(mel_to_hz(hz_to_mel(hz, htk), htk), hz, 1e-8);
    }
  }
  EXPECT_NEAR(hz_to_mel(1000, false), 15, 1e-12);
  EXPECT_NEAR(hz_to_mel(1000, true), 999.9855, 1e-4);
}

}  // namespace
}  // namespace melgrad::test
