#include "framework/training/trainer.h"

#include <gtest/gtest.h>

#include "framework/random.h"
#include "models/models.h"
#include "tests/support/banded_music.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"

namespace melgrad::test {
namespace {

TEST(Trainer, OverfitsOneBatchUnaugmented) {
  const BandedMusic music(6);
  const CropOptions crops{.crop_frames = BandedMusic::crop_frames,
                          .augmentation = {.jitter = {}, .spec_augment = {}, .mixup_alpha = 0}};
  const BandedMusic::Training data(music, Device::cpu, crops, 6);
  const TemporaryFolder run;
  manual_seed(1);
  const auto model = make_model("cnn", BandedMusic::classes);
  Trainer trainer(*model, data.batches, cross_entropy_loss(), data.validate, {.epochs = 150, .batch_size = 6},
                  constant_schedule(3e-3f), {.path = run.path(), .metadata = to_metadata(music.card)});
  EpochReport last;
  EXPECT_EQ(trainer.run(ProgressMode::quiet, [&](const EpochReport& report) { last = report; }),
            Trainer::Outcome::finished);
  EXPECT_LT(last.train_loss, 0.02);
  EXPECT_EQ(last.train_accuracy, 1.0);
  EXPECT_EQ(last.validation.accuracy, 1.0);
}

TEST(Trainer, StopsEarlyWhenNothingImproves) {
  const BandedMusic music(6);
  const BandedMusic::Training data(music, Device::cpu, {.crop_frames = BandedMusic::crop_frames}, 6);
  const TemporaryFolder run;
  manual_seed(1);
  const auto model = make_model("cnn_bn", BandedMusic::classes);
  // A learning rate of 0 changes no weight; batch norm's statistics still move, so the loss may fall for a while.
  Trainer trainer(*model, data.batches, cross_entropy_loss(0.1f), data.validate,
                  {.epochs = 100, .batch_size = 6, .patience = 3}, constant_schedule(0),
                  {.path = run.path(), .metadata = to_metadata(music.card)});
  EXPECT_EQ(trainer.run(ProgressMode::quiet, [](const EpochReport&) {}), Trainer::Outcome::stopped_early);
  EXPECT_EQ(trainer.completed_epochs(), trainer.best_epoch() + 3);
  EXPECT_LT(trainer.completed_epochs(), 100);
}

// Remembers how many examples it was given at a time.
class Noting : public Module {
 public:
  std::string description() const override { return "Noting"; }
  int64_t most = 0;

 protected:
  Tensor forward(const Tensor& x) override {
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

// The message when a run on BandedMusic's labels is resumed with these.
std::string error_of_resuming_with(const std::vector<std::string>& labels) {
  const BandedMusic music(6);
  ModelCard card = music.card;
  card.labels = labels;
  return error_of([&] { require_same_card(to_metadata(music.card), card, "run/training.safetensors"); });
}

TEST(ModelCard, NamesTheLabelsThatARunWasNotTrainedWith) {
  EXPECT_EQ(error_of_resuming_with({"a", "b", "c"}), "");
  const std::string renamed = error_of_resuming_with({"a", "bee", "c"});
  EXPECT_NE(renamed.find("training.safetensors was trained with other labels"), std::string::npos) << renamed;
  EXPECT_NE(renamed.find("lacks the label 'b' and has the new label 'bee'; give"), std::string::npos) << renamed;
  const std::string fewer = error_of_resuming_with({"a", "c"}), more = error_of_resuming_with({"a", "b", "c", "d"});
  EXPECT_NE(fewer.find("the data set now lacks the label 'b'; give"), std::string::npos) << fewer;
  EXPECT_NE(more.find("the data set now has the new label 'd'; give"), std::string::npos) << more;
}

TEST(Standardisation, IsOfEachMelBin) {
  const LogMel a{.n_mels = 2, .frames = 2, .db = {1, 3, -80, -80}, .seconds = 1};
  const LogMel b{.n_mels = 2, .frames = 1, .db = {8, -80}, .seconds = 1};
  const Standardisation s = standardisation_of(std::vector{a, b});
  EXPECT_FLOAT_EQ(s.mean[0], 4);
  EXPECT_FLOAT_EQ(s.deviation[0], std::sqrt(26.0f / 3));
  EXPECT_FLOAT_EQ(s.mean[1], -80);
  EXPECT_FLOAT_EQ(s.deviation[1], 1);  // a bin that never changes
}

TEST(CropStarts, SpreadEvenlyFromStartToEnd) {
  EXPECT_EQ(crop_starts(100, 20, 5), (std::vector<int64_t>{0, 20, 40, 60, 80}));
  EXPECT_EQ(crop_starts(100, 20, 1), (std::vector<int64_t>{40}));
  EXPECT_EQ(crop_starts(20, 20, 5), (std::vector<int64_t>{0}));
  EXPECT_EQ(crop_starts(7, 20, 5), (std::vector<int64_t>{0}));
}

}  // namespace
}  // namespace melgrad::test
