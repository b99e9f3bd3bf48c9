#include "models/classifier.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "framework/random.h"
#include "framework/training/state_dict.h"
#include "models/models.h"
#include "models/trained_model.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"

namespace melgrad::test {
namespace {

constexpr int rate = 22050;

std::vector<float> sweep(int sample_rate) {
  std::vector<float> samples(static_cast<size_t>(2 * sample_rate));
  for (size_t i = 0; i < samples.size(); ++i) {
    const double t = static_cast<double>(i) / sample_rate;
    samples[i] = static_cast<float>(0.5 * std::sin(2 * std::numbers::pi * (300 * t + 400 * t * t)));
  }
  return samples;
}

// Writes the checkpoint of an untrained model.
class ClassifierTest : public testing::Test {
 protected:
  ClassifierTest() {
    const ModelCard card{
        .model = "cnn",
        .labels = {"low", "middle", "high"},
        .mel = {},
        .standardisation = {.mean = std::vector<float>(128, -40), .deviation = std::vector<float>(128, 20)},
        .crop_frames = 32};
    manual_seed(7);
    write_safetensors(file_, {.metadata = to_metadata(card), .tensors = state_dict(*make_model("cnn", 3))});
  }
  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "last.safetensors";
};

TEST_F(ClassifierTest, AgreesWithThePredictionOfFiles) {
  const std::vector<float> samples = sweep(rate);
  const TrainedModel trained = load_trained_model(file_, Device::cpu);
  const TrackPrediction expected = trained.predict(log_mel(samples, trained.card.mel), {});
  const std::vector<ClassProbability> classes = Classifier(folder_.path(), "cpu").classify(samples, rate);
  ASSERT_EQ(classes.size(), 3U);
  EXPECT_EQ(classes[0].label, trained.card.labels[static_cast<size_t>(expected.label())]);
  EXPECT_EQ(classes[0].probability, expected.probabilities[static_cast<size_t>(expected.label())]);
  EXPECT_GE(classes[0].probability, classes[1].probability);
  EXPECT_GE(classes[1].probability, classes[2].probability);
  EXPECT_NEAR(classes[0].probability + classes[1].probability + classes[2].probability, 1, 1e-6);
}

TEST_F(ClassifierTest, ResamplesToTheRateOfTheModel) {
  const Classifier classifier(file_, "cpu");
  const auto at = [&](int sample_rate) { return classifier.classify(sweep(sample_rate), sample_rate); };
  const auto at_22050 = at(22050), at_48000 = at(48000);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(at_48000[i].label, at_22050[i].label);
    EXPECT_NEAR(at_48000[i].probability, at_22050[i].probability, 2e-3);
  }
}

TEST_F(ClassifierTest, RefusesWrongSamplesAndPaths) {
  const Classifier classifier(file_, "cpu");
  EXPECT_EQ(classifier.labels(), (std::vector<std::string>{"low", "middle", "high"}));
  std::vector<float> samples = sweep(rate);
  expect_error([&] { classifier.classify(samples, 0); },
               "the sample rate is 0 Hz; resample to a rate from 1000 to 768000 Hz");
  expect_error([&] { classifier.classify({}, rate); }, "at least one sample");
  samples[100] = NAN;
  expect_error([&] { classifier.classify(samples, rate); }, "not a finite number");
  expect_error([&] { Classifier(folder_ / "absent", "cpu"); }, "absent does not exist");
  expect_error([&] { Classifier(file_, "gpu"); }, "there is no device 'gpu'");
}

}  // namespace
}  // namespace melgrad::test
