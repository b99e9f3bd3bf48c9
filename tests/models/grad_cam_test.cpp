#include "models/grad_cam.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "framework/layers.h"
#include "models/models.h"
#include "tests/support/errors.h"
#include "tests/support/exact_convolution.h"
#include "tests/support/fixture.h"
#include "tests/support/initial_values.h"

namespace melgrad::test {
namespace {

// Results of tests/fixtures/make_grad_cam.py.
TEST(GradCam, EqualsPyTorch) {
  const ExactConvolution exact;
  const Fixture fixture("grad_cam");
  for (const std::string name : {"cnn", "resnet_small"}) {
    SCOPED_TRACE(name);
    const std::unique_ptr<Module> model = make_model(name, 10);
    set_initial_values(*model);
    model->train(false);
    const Tensor x = Tensor::from(random_values(int64_t{2} * 128 * 96, 1), {2, 128, 96, 1});
    const GradCam cam = grad_cam(*model, x, fixture.cases().at("target_class"));
    const std::vector<float>& expected = fixture[name + "/cam"];
    EXPECT_EQ(std::vector<int64_t>(cam.shape.begin(), cam.shape.end()),
              fixture.cases().at("shapes").at(name + "/cam").get<std::vector<int64_t>>());
    ASSERT_EQ(cam.values.size(), expected.size());
    float largest = 0;
    for (const float value : expected) largest = std::max(largest, value);
    EXPECT_GT(largest, 0.001f);
    for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(cam.values[i], expected[i], 1e-4f * largest) << i;
  }
}

// The logits are the means of two channels, x and -x, so the gradient of a logit is 1 / positions for its own channel
// and 0 for the other.
class TwoSigns : public Module {
 public:
  TwoSigns() : conv_(child<Conv2d>("conv", 1, 2, Conv2d::Options{.kernel_size = 1, .bias = false})) {
    const float signs[] = {1, -1};
    parameters()[0].tensor.assign(Tensor::from(signs, {2, 1, 1, 1}));
  }
  std::string description() const override { return "TwoSigns"; }

 protected:
  Tensor forward(const Tensor& x) override { return flatten(adaptive_avg_pool2d(conv_(x), 1, 1)); }

 private:
  Conv2d& conv_;
};

TEST(GradCam, IsThePositivePartOfTheEvidenceOfTheClass) {
  TwoSigns model;
  const float values[] = {4, -2, 0, 1, -8, 2};
  const Tensor x = Tensor::from(values, {1, 2, 3, 1});
  const std::vector<float> first = grad_cam(model, x, 0).values, second = grad_cam(model, x, 1).values;
  for (size_t i = 0; i < 6; ++i) {
    EXPECT_FLOAT_EQ(first[i], std::max(0.0f, values[i] / 6));
    EXPECT_FLOAT_EQ(second[i], std::max(0.0f, -values[i] / 6));
  }
}

TEST(GradCam, LeavesTheModelTrainableAndRefusesUnknownClasses) {
  TwoSigns model;
  const Tensor x = Tensor::full({1, 2, 3, 1}, 1);
  grad_cam(model, x, 0);
  EXPECT_TRUE(model.parameters()[0].tensor.requires_grad());
  EXPECT_FALSE(model.parameters()[0].tensor.grad().defined());
  expect_error([&] { grad_cam(model, x, 2); }, "class 2 is not one of 2");
  expect_error([&] { grad_cam(model, Tensor::full({1, 1, 1, 1}, 1), 0); }, "no feature map");
}

// A track of 8 mel bins whose relevance is one rectangle.
Relevance rectangle(int64_t first_bin, int64_t last_bin, int64_t begin, int64_t end) {
  Relevance relevance{.n_mels = 8, .frames = 100, .values = std::vector<float>(800)};
  for (int64_t bin = first_bin; bin <= last_bin; ++bin) {
    for (int64_t frame = begin; frame < end; ++frame) relevance.values[static_cast<size_t>(bin * 100 + frame)] = 1;
  }
  return relevance;
}

TEST(Moments, AreWhereTheRelevanceIs) {
  // Below 1 kHz Slaney's mel scale is linear, so the 10 edges of 8 bins are 100 Hz apart.
  const MelSettings settings{.sample_rate = 1800, .hop_length = 18, .n_mels = 8, .fmax = 900};
  const std::vector<Moment> moments = moments_of(rectangle(2, 4, 30, 50), settings);
  ASSERT_EQ(moments.size(), 1u);
  EXPECT_DOUBLE_EQ(moments[0].start, 0.3);
  EXPECT_DOUBLE_EQ(moments[0].end, 0.5);
  EXPECT_NEAR(moments[0].low_hertz, 200, 1e-6);
  EXPECT_NEAR(moments[0].high_hertz, 600, 1e-6);
  EXPECT_DOUBLE_EQ(moments[0].share, 1);
}

TEST(Moments, TheLargestAreKeptInTheOrderOfTime) {
  Relevance relevance = rectangle(0, 7, 10, 20);
  for (const auto& [begin, end] : {std::pair{30, 31}, std::pair{60, 90}, std::pair{97, 100}}) {
    const Relevance other = rectangle(0, 7, begin, end);
    for (size_t i = 0; i < 800; ++i) relevance.values[i] += other.values[i];
  }
  const MelSettings settings{.n_mels = 8};
  EXPECT_EQ(moments_of(relevance, settings).size(), 4u);
  const std::vector<Moment> two = moments_of(relevance, settings, 2);
  ASSERT_EQ(two.size(), 2u);
  EXPECT_LT(two[0].start, two[1].start);
  EXPECT_NEAR(two[0].share, 10.0 / 44, 1e-12);
  EXPECT_NEAR(two[1].share, 30.0 / 44, 1e-12);
}

TEST(Moments, AreNoneWithoutRelevance) {
  EXPECT_TRUE(moments_of(rectangle(0, -1, 0, 0), MelSettings{.n_mels = 8}).empty());
}

}  // namespace
}  // namespace melgrad::test
