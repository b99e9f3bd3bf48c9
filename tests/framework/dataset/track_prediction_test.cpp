#include "framework/dataset/track_prediction.h"

#include <gtest/gtest.h>

#include <cmath>

#include "framework/dataset/track_validation.h"
#include "tests/support/banded_music.h"

namespace melgrad::test {
namespace {

// Records the largest batch and the number of batches.
class Noting : public Module {
 public:
  std::string description() const override { return "Noting"; }
  int64_t most = 0, batches = 0;

 protected:
  Tensor forward(const Tensor& x) override {
    ++batches;
    most = std::max(most, x.shape()[0]);
    return Tensor::zeros({x.shape()[0], BandedMusic::classes});
  }
};

TEST(PredictTracks, LimitsTheValuesOfABatchToThoseOfTheDefaultCrops) {
  const BandedMusic music(6);
  const ClipStore clips = music.store(Device::cpu);
  constexpr int64_t default_crop = 256 * 128 / BandedMusic::n_mels;  // frames
  for (const auto& [frames, most] :
       {std::pair{BandedMusic::crop_frames, int64_t{4}}, std::pair{default_crop, int64_t{4}},
        std::pair{2 * default_crop, int64_t{2}}, std::pair{8 * default_crop, int64_t{1}}}) {
    Noting model;
    predict_tracks(model, clips, {.crop_frames = frames, .crops = 1, .batch_size = 4});
    EXPECT_EQ(model.most, most) << frames;
  }
}

TEST(TrackValidation, PassesOnItsPredictions) {
  const BandedMusic music(6);
  const ClipStore clips = music.store(Device::cpu);
  const InferenceOptions options{.crop_frames = BandedMusic::crop_frames, .crops = 1, .batch_size = 6};
  Noting model;
  std::vector<TrackPrediction> predictions;
  const Validate validate = track_validation(clips, options, &predictions);
  EXPECT_NEAR(validate(model).loss, std::log(BandedMusic::classes), 1e-6);  // all logits are equal
  EXPECT_EQ(model.batches, 1);
  EXPECT_EQ(predictions.size(), 6u);
}

TEST(CropStarts, SpreadEvenlyFromStartToEnd) {
  EXPECT_EQ(crop_starts(100, 20, 5), (std::vector<int64_t>{0, 20, 40, 60, 80}));
  EXPECT_EQ(crop_starts(100, 20, 1), (std::vector<int64_t>{40}));
  EXPECT_EQ(crop_starts(20, 20, 5), (std::vector<int64_t>{0}));
  EXPECT_EQ(crop_starts(7, 20, 5), (std::vector<int64_t>{0}));
}

}  // namespace
}  // namespace melgrad::test
