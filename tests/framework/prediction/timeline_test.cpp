#include "framework/prediction/timeline.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/support/errors.h"
#include "tests/support/signals.h"

namespace melgrad::test {
namespace {

constexpr int rate = 1000;
const MelSettings mel{.sample_rate = rate, .n_fft = 128, .hop_length = 64, .n_mels = 8, .top_db = 80};

// A crop of 33 frames has 32 * 64 = 2048 samples. The step is half a second.
TimelineSettings settings(int64_t batch_size = 4) {
  return {.mel = mel, .crop_frames = 33, .step_seconds = 0.5, .batch_size = batch_size};
}

// The level of the first and of the last mel bin, as logits.
std::vector<double> logits_of(const LogMel& crop) {
  const auto mean_of_row = [&](int64_t mel_bin) {
    double sum = 0;
    for (int64_t i = 0; i < crop.frames; ++i)
      sum += static_cast<double>(crop.db[static_cast<size_t>(mel_bin * crop.frames + i)]);
    return sum / static_cast<double>(crop.frames) / 10;
  };
  return {mean_of_row(0), mean_of_row(7)};
}

std::vector<std::vector<double>> classify(std::span<const LogMel> crops) {
  std::vector<std::vector<double>> logits;
  for (const LogMel& crop : crops) logits.push_back(logits_of(crop));
  return logits;
}

struct Pieces {
  size_t length;
  bool flush;
};

std::vector<Answer> steps_of(const std::vector<float>& samples, const TimelineSettings& timeline_settings,
                             const Pieces& pieces) {
  std::vector<Answer> steps;
  Timeline timeline(timeline_settings, classify, {.labels = {"low", "high"}},
                    [&](const Answer& step) { steps.push_back(step); });
  for (size_t first = 0; first < samples.size(); first += pieces.length) {
    timeline.push(std::span(samples).subspan(first, std::min(pieces.length, samples.size() - first)));
    if (pieces.flush) timeline.flush();
  }
  timeline.finish();
  EXPECT_NEAR(timeline.seconds(), static_cast<double>(samples.size()) / rate, 1e-9);
  return steps;
}

// A crop of the features of the whole recording. Zeros before it shift the frames to the start of the crop.
LogMel crop_of(const std::vector<float>& samples, int64_t start, int64_t length) {
  const int64_t hop = mel.hop_length, zeros = (hop - start % hop) % hop;
  std::vector<float> shifted(static_cast<size_t>(zeros));
  shifted.insert(shifted.end(), samples.begin(), samples.end());
  MelSettings unlimited = mel;
  unlimited.top_db = 1000;
  const LogMel whole = log_mel(shifted, unlimited);
  LogMel crop{.n_mels = whole.n_mels, .frames = 1 + length / hop};
  for (int64_t bin = 0; bin < whole.n_mels; ++bin) {
    const auto row = whole.db.begin() + bin * whole.frames + (start + zeros) / hop;
    crop.db.insert(crop.db.end(), row, row + crop.frames);
  }
  const float lowest = *std::ranges::max_element(crop.db) - static_cast<float>(mel.top_db);
  for (float& value : crop.db) value = std::max(value, lowest);
  return crop;
}

// The definition in the header, computed from the whole recording.
std::vector<double> expected_first_probabilities(const std::vector<float>& samples) {
  const int64_t crop = 2048, step = 500, end = std::ssize(samples);
  std::vector<int64_t> starts;
  for (int64_t start = 0; start + crop <= end; start += step) starts.push_back(start);
  if (starts.empty() || starts.back() + crop < end) starts.push_back(std::max<int64_t>(0, end - crop));
  std::vector<double> result;
  for (int64_t begin = 0; begin < end; begin += step) {
    double low = 0, high = 0, count = 0;
    for (const int64_t start : starts) {
      if (start > begin || start + crop < std::min(begin + step, end)) continue;
      const auto logits = logits_of(crop_of(samples, start, std::min(crop, end)));
      low += logits[0];
      high += logits[1];
      ++count;
    }
    result.push_back(1 / (1 + std::exp((high - low) / count)));
  }
  return result;
}

class TimelineOfLength : public testing::TestWithParam<int> {};

TEST_P(TimelineOfLength, EqualsItsDefinitionHoweverTheSamplesArrive) {
  std::vector<float> samples(static_cast<size_t>(GetParam()));
  for (size_t i = 0; i < samples.size(); ++i) {  // a sweep that becomes louder and quieter
    samples[i] =
        static_cast<float>(0.1 * std::sin(1e-3 * static_cast<double>(i)) * std::sin(1e-4 * static_cast<double>(i * i)));
  }
  const std::vector<double> expected = expected_first_probabilities(samples);
  for (const Pieces& pieces : {Pieces{100000, false}, Pieces{1000, true}, Pieces{37, true}, Pieces{501, false}}) {
    const std::vector<Answer> steps = steps_of(samples, settings(), pieces);
    ASSERT_EQ(steps.size(), expected.size());
    for (size_t i = 0; i < steps.size(); ++i) {
      EXPECT_NEAR(steps[i].probabilities[0], expected[i], 1e-6) << i;
      EXPECT_NEAR(steps[i].begin, 0.5 * static_cast<double>(i), 1e-9);
      const double end = std::min(0.5 * static_cast<double>(i + 1), static_cast<double>(samples.size()) / rate);
      EXPECT_NEAR(steps[i].end, end, 1e-9);
    }
  }
}

// Shorter than a crop, exactly one crop, a crop and a part of a step, many steps.
INSTANTIATE_TEST_SUITE_P(Samples, TimelineOfLength, testing::Values(1, 499, 500, 2047, 2048, 2049, 2500, 2548, 30011));

TEST(Timeline, ReportsAStepAsSoonAsItsCropIsComplete) {
  const std::vector<float> samples = synthetic_signal("sweep", rate, 4);
  size_t reported = 0;
  Timeline timeline(settings(), classify, {.labels = {"low", "high"}}, [&](const Answer&) { ++reported; });
  const auto push = [&](size_t first, size_t count) {
    timeline.push(std::span(samples).subspan(first, count));
    timeline.flush();
  };
  constexpr size_t context = 64;  // half an FFT window
  push(0, 2047 + context);
  EXPECT_EQ(reported, 0u);
  push(2047 + context, 1);
  EXPECT_EQ(reported, 1u);
  push(2048 + context, 499);
  EXPECT_EQ(reported, 1u);
  push(2547 + context, 1);
  EXPECT_EQ(reported, 2u);
  EXPECT_NEAR(latency_seconds(settings()), (2048 + context - 500) / 1000.0, 1e-9);
}

TEST(Timeline, LimitsTheDynamicRangeInEachCrop) {
  std::vector<float> samples = scaled(synthetic_signal("noise", rate, 8), 3e-4f);  // -70 dB
  for (const float sample : synthetic_signal("noise", rate, 8)) samples.push_back(sample);
  std::vector<float> lowest;
  const auto note_lowest = [&](std::span<const LogMel> crops) {
    for (const LogMel& crop : crops) lowest.push_back(*std::ranges::min_element(crop.db));
    return classify(crops);
  };
  TimelineSettings narrow = settings();
  narrow.mel.top_db = 40;
  Timeline timeline(narrow, note_lowest, {.labels = {"low", "high"}}, [](const Answer&) {});
  timeline.push(samples);
  timeline.finish();
  // With one limit for the recording, the quiet half would be raised to 40 dB below the loudest value.
  EXPECT_LT(lowest.front(), lowest.back() - 60);
}

TEST(Timeline, RefusesStepsLongerThanACrop) {
  TimelineSettings wrong = settings();
  wrong.step_seconds = 3;
  expect_error([&] { Timeline(wrong, classify, {}, [](const Answer&) {}); }, "at most a crop of the model, 2.05 s");
  EXPECT_NEAR(crop_seconds(wrong), 2.048, 1e-9);
  EXPECT_NEAR(default_step_seconds(wrong), 1, 1e-9);
}

}  // namespace
}  // namespace melgrad::test
