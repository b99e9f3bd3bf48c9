#include "models/statistics_classifier.h"

#include <gtest/gtest.h>

#include "framework/dataset/linear_baseline.h"
#include "framework/dataset/track_prediction.h"
#include "framework/ops.h"
#include "models/models.h"
#include "tests/support/banded_music.h"
#include "tests/support/compare.h"
#include "tests/support/devices.h"
#include "tests/support/errors.h"
#include "tests/support/random.h"

namespace melgrad::test {
namespace {

class Statistics : public testing::TestWithParam<Device> {
 protected:
  const CropOptions plain = unchanged_crops(BandedMusic::crop_frames);
  static void copy_to(const Module& from, const Module& to) {
    const auto source = from.parameters(), target = to.parameters();
    for (size_t i = 0; i < source.size(); ++i) {
      Tensor tensor = target[i].tensor;
      const std::vector<float> values = source[i].tensor.to_vector();
      tensor.stream().copy(tensor.data(), values.data(), values.size() * sizeof(float));
    }
  }
};

TEST_P(Statistics, AreAveragedWithTheNetworkInEvaluation) {
  MELGRAD_SKIP_WITHOUT(GetParam());
  const BandedMusic music(12);
  const ClipStore clips = music.store(GetParam());
  const ClipBatches batches(clips, music.names, plain);
  const auto model = make_model("cnn_bn", 3, 0, true), network = make_model("cnn_bn", 3);
  copy_to(*model, *network);
  model->move_to(GetParam());
  network->move_to(GetParam());
  const Tensor x = Tensor::from(random_values(512, 1), {2, 16, 16, 1}, GetParam());
  EXPECT_EQ((*model)(x).to_vector(), (*network)(x).to_vector()) << "training mode";

  model->train(false);
  network->train(false);
  std::vector<float> half = (*network)(x).to_vector();
  for (float& logit : half) logit /= 2;
  EXPECT_EQ((*model)(x).to_vector(), half) << "before the fit, the weights are 0";

  fit_statistics(*model, batches, 1);
  const Module& classifier = *model->children().back();
  ASSERT_EQ(classifier.name(), "statistics");
  const std::vector<float> fitted = (*model->children().back())(x).to_vector();
  std::vector<float> mean = half;
  for (size_t i = 0; i < mean.size(); ++i) mean[i] += fitted[i] / 2;
  expect_close(std::span<const float>((*model)(x).to_vector()), mean, 1e-6, 1e-6);
}

// The classes are loud in different bands.
TEST_P(Statistics, ClassifyNewMusic) {
  MELGRAD_SKIP_WITHOUT(GetParam());
  const BandedMusic music(12);
  const ClipStore clips = music.store(GetParam());
  const auto model = make_model("cnn", 3, 0, true);
  model->move_to(GetParam());
  fit_statistics(*model, ClipBatches(clips, music.names, plain), 1);
  const BandedMusic more(30);  // the last 18 are new
  const ClipStore all = more.store(GetParam());
  const auto predictions = predict_tracks(*model->children().back(), all, {.crop_frames = 16, .crops = 3});
  for (size_t i = 0; i < predictions.size(); ++i) EXPECT_EQ(predictions[i].label(), more.labels[i]) << i;
}

TEST_P(Statistics, AreTheSameForTheSameSeed) {
  MELGRAD_SKIP_WITHOUT(GetParam());
  const BandedMusic music(6);
  const ClipStore clips = music.store(GetParam());
  const ClipBatches batches(clips, music.names, plain);
  const auto weights = [&](uint64_t seed) {
    const auto model = make_model("cnn", 3, 0, true);
    model->move_to(GetParam());
    fit_statistics(*model, batches, seed);
    return model->buffers().back().tensor.to_vector();
  };
  EXPECT_EQ(weights(1), weights(1));
  EXPECT_NE(weights(1), weights(2)) << "other crops";
}

// A crop as long as a clip is the clip, from a random frame on: a repetition changes no mean.
TEST_P(Statistics, AreThoseOfCropsThatNoAugmentationChanges) {
  MELGRAD_SKIP_WITHOUT(GetParam());
  BandedMusic music(9);
  for (LogMel& clip : music.clips) {  // constant in time, so that every crop has the same statistics
    for (size_t i = 0; i < clip.db.size(); ++i) clip.db[i] = clip.db[i / BandedMusic::frames * BandedMusic::frames];
  }
  const ClipStore clips = music.store(GetParam());
  const auto model = make_model("cnn", 3, 0, true);
  model->move_to(GetParam());
  fit_statistics(*model, ClipBatches(clips, music.names, plain), 1);

  const std::vector<int64_t> all{0, 1, 2, 3, 4, 5, 6, 7, 8}, starts(9);
  const Tensor x = clips.crops(all, starts, BandedMusic::crop_frames, DType::float32).x;
  const std::vector<float> values = band_statistics(x, StatisticsClassifier::bands).to_vector();
  std::vector<std::vector<float>> features;
  std::vector<int> labels;
  for (int64_t i = 0; i < 72; ++i) {  // eight passes
    features.emplace_back(values.begin() + i % 9 * 160, values.begin() + (i % 9 + 1) * 160);
    labels.push_back(music.labels[static_cast<size_t>(i % 9)]);
  }
  const AffineMap expected = LogisticRegression(features, labels, 3, 100).affine_map();
  const std::vector<Named> buffers = model->buffers();
  expect_close(std::span<const float>(buffers[buffers.size() - 2].tensor.to_vector()), expected.weight, 1e-3, 1e-4);
  expect_close(std::span<const float>(buffers.back().tensor.to_vector()), expected.bias, 1e-3, 1e-3);
}

INSTANTIATE_TEST_SUITE_P(Devices, Statistics, testing::ValuesIn(devices_of_build), name_of_device);

TEST(StatisticsClassifier, HasTheLogitsOfLogisticRegression) {
  const BandedMusic music(9);
  std::vector<std::vector<float>> features;
  for (int64_t i = 0; i < 9; ++i) {
    std::vector<float> row = random_values(160, static_cast<uint64_t>(i));
    row[static_cast<size_t>(i % 3)] += 3;
    features.push_back(row);
  }
  StatisticsClassifier classifier(3);
  classifier.fit(features, music.labels);
  const LogisticRegression expected(features, music.labels, 3, 100);
  const std::vector<Named> buffers = classifier.buffers();
  const NoGrad no_grad;
  for (const std::vector<float>& row : features) {
    const Tensor logits = linear(Tensor::from(row, {1, 160}), buffers[0].tensor, buffers[1].tensor);
    expect_close(std::span<const float>(softmax(logits).to_vector()), expected.predict(row), 1e-5, 1e-6);
  }
}

TEST(StatisticsClassifier, IsNotTrained) {
  for (const Named& parameter : make_model("cnn", 3, 0, true)->parameters()) {
    EXPECT_EQ(parameter.name.find("statistics"), std::string::npos);
  }
}

TEST(StatisticsClassifier, AModelWithoutOneStaysAsItIs) {
  const BandedMusic music(3);
  const ClipStore clips = music.store(Device::cpu);
  const auto model = make_model("cnn", 3);
  EXPECT_NO_THROW(fit_statistics(*model, ClipBatches(clips, music.names, unchanged_crops(16)), 1));
  EXPECT_TRUE(model->buffers().empty());
}

}  // namespace
}  // namespace melgrad::test
