#include "framework/audio/resampler.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "framework/io/npy.h"
#include "kernels/device/error.h"
#include "tests/support/paths.h"
#include "tests/support/signals.h"

namespace melgrad::test {
namespace {

std::vector<float> resample(std::span<const float> in, int from, int to, size_t piece) {
  Resampler resampler(from, to);
  std::vector<float> out;
  for (; !in.empty(); in = in.subspan(std::min(piece, in.size()))) {
    resampler.process(in.first(std::min(piece, in.size())), out);
  }
  resampler.finish(out);
  return out;
}

TEST(Resampler, EqualsLibrosasSoxrHq) {
  std::ifstream file(fixtures() / "log_mel.json");
  const auto cases = nlohmann::json::parse(file);
  for (const auto& json : cases.at("resample")) {
    const int from = json.at("old"), to = json.at("new");
    const size_t step = json.at("step");
    const NpyArray expected = read_npy(fmt::format("{}/resample_{}_{}.npy", fixtures().string(), from, to));
    const std::vector<float> in = synthetic_signal("noise", from, json.at("seconds"));
    const std::vector<float> out = resample(in, from, to, 1 << 15);
    ASSERT_EQ(out.size(), json.at("samples").get<size_t>());
    for (size_t i = 0; i < expected.values.size(); ++i) {
      ASSERT_NEAR(out[i * step], expected.values[i], 2e-6) << from << " to " << to << " at " << i * step;
    }
  }
}

TEST(Resampler, DoesNotDependOnThePieceSize) {
  const std::vector<float> in = synthetic_signal("noise", 44100, 1);
  const std::vector<float> whole = resample(in, 44100, 22050, in.size());
  for (const size_t piece : {1000, 4096, 7777}) EXPECT_EQ(resample(in, 44100, 22050, piece), whole) << piece;
}

TEST(Resampler, HasTheLengthRoundedUp) {
  for (const int64_t n : {1, 2, 3, 100, 441, 44101}) {
    const std::vector<float> in(static_cast<size_t>(n), 0.5f);
    for (const auto& [from, to] : {std::pair{44100, 22050}, {48000, 22050}, {8000, 22050}, {22050, 22050}}) {
      EXPECT_EQ(static_cast<int64_t>(resample(in, from, to, 1000).size()), (n * to + from - 1) / from)
          << n << " samples from " << from << " to " << to;
    }
  }
}

TEST(Resampler, ReturnsTheInputForEqualRates) {
  const std::vector<float> in = synthetic_signal("noise", 22050, 0.1);
  EXPECT_EQ(resample(in, 22050, 22050, 100), in);
}

TEST(Resampler, RefusesImpossibleRates) { EXPECT_THROW(Resampler(0, 22050), Error); }

}  // namespace
}  // namespace melgrad::test
