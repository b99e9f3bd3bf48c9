#include "framework/training/trainer.h"

#include <gtest/gtest.h>

#include <limits>
#include <numeric>
#include <utility>

#include "framework/layers.h"
#include "framework/random.h"
#include "framework/training/run_log.h"
#include "models/models.h"
#include "tests/support/banded_music.h"
#include "tests/support/compare.h"
#include "tests/support/errors.h"
#include "tests/support/random.h"
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
  // A learning rate of 0 changes no weight. The statistics of batch norm still change, so the loss may fall at first.
  Trainer trainer(*model, data.batches, cross_entropy_loss(0.1f), data.validate,
                  {.epochs = 100, .batch_size = 6, .patience = 3}, constant_schedule(0),
                  {.path = run.path(), .metadata = to_metadata(music.card)});
  EXPECT_EQ(trainer.run(ProgressMode::quiet, [](const EpochReport&) {}), Trainer::Outcome::stopped_early);
  EXPECT_EQ(trainer.completed_epochs(), trainer.best_epoch() + 3);
  EXPECT_LT(trainer.completed_epochs(), 100);
}

// Points (x1, x2) with the target 2 x1 - 3 x2 + 1: no music, no classes.
class Points : public BatchSource {
 public:
  EpochSize epoch_size() const override { return {.items = 64, .items_name = "points"}; }

  Batch batch(const BatchItems& items, Generator&) const override {
    std::vector<float> x, targets;
    for (const int64_t item : items.on_host) {
      const std::vector<float> point = random_values(2, static_cast<uint64_t>(item));
      x.insert(x.end(), point.begin(), point.end());
      targets.push_back(2 * point[0] - 3 * point[1] + 1);
    }
    const auto n = static_cast<int64_t>(items.on_host.size());
    return {.x = Tensor::from(x, {n, 2}), .targets = Tensor::from(targets, {n, 1})};
  }

  std::string name(int64_t item) const override { return "point " + std::to_string(item); }
};

Tensor squared_error(const Tensor& output, const Tensor& targets) {
  const Tensor difference = output - targets;
  return mean(difference * difference);
}

class Regression : public testing::Test {
 protected:
  Trainer trainer(const TrainOptions& options) {
    const auto validate = [this](Module& model) {
      std::vector<int64_t> all(64);
      std::iota(all.begin(), all.end(), 0);
      const Batch batch = points_.batch({all}, default_generator(Device::cpu));
      const NoGrad no_grad;
      return Validation{.loss = static_cast<double>(squared_error(model(batch.x), batch.targets).item())};
    };
    return {model_, points_, squared_error, validate, options, constant_schedule(0.1f), {.path = run_.path()}};
  }

  TemporaryFolder run_;
  Points points_;
  Linear model_{2, 1};
};

TEST_F(Regression, FindsTheCoefficients) {
  EpochReport last;
  Trainer trainer = this->trainer({.epochs = 60, .batch_size = 16, .weight_decay = 0, .classification = false});
  trainer.run(ProgressMode::quiet, [&](const EpochReport& report) { last = report; });
  const std::vector<Named> parameters = model_.parameters();
  expect_close(parameters[0].tensor.to_vector(), std::vector{2.0, -3.0}, 0, 1e-2);
  expect_close(parameters[1].tensor.to_vector(), std::vector{1.0}, 0, 1e-2);
  EXPECT_LT(last.validation.loss, 1e-3);
  EXPECT_FALSE(last.train_accuracy);
}

TEST_F(Regression, LogsItsOwnNames) {
  RunLog log(run_ / "log.jsonl", 0);
  Trainer trainer = this->trainer({.epochs = 1, .batch_size = 16, .classification = false});
  trainer.run(ProgressMode::quiet, [&](const EpochReport& report) { log.append(report); });
  EXPECT_TRUE(log.lines().at(0).contains("points_per_second"));
  EXPECT_FALSE(log.lines().at(0).contains("train_accuracy"));
  EXPECT_FALSE(log.lines().at(0).contains("validation_accuracy"));
}

// A run that stops while it validates has done all steps of the epoch, here one, but has not completed the epoch.
TEST_F(Regression, LogsTheSameAfterAStopDuringValidation) {
  const auto log_of = [&](bool stop) {
    const TemporaryFolder folder;
    manual_seed(1);
    Linear model(2, 1);
    std::vector<double> norms;
    const auto validate_or_stop = [&](Module&) -> Validation {
      if (std::exchange(stop, false)) throw Error("stopped");
      return {};
    };
    const auto continue_run = [&](bool resume) {
      Trainer trainer(model, points_, squared_error, validate_or_stop,
                      {.epochs = 2, .batch_size = 64, .checkpoint_seconds = 1e-9, .classification = false},
                      constant_schedule(0.1f), {.path = folder.path()});
      if (resume) trainer.resume(read_checkpoint(folder.path()));
      trainer.run(ProgressMode::quiet, [&](const EpochReport& report) { norms.push_back(report.gradient_norm); });
    };
    if (stop) expect_error([&] { continue_run(false); }, "stopped");
    continue_run(!norms.empty() || fs::exists(folder / training_state_file));
    return norms;
  };
  EXPECT_EQ(log_of(true), log_of(false));
}

TEST_F(Regression, RefusesACheckpointOfOtherData) {
  trainer({.epochs = 1, .batch_size = 16, .classification = false}).run(ProgressMode::quiet, [](const EpochReport&) {});
  struct FewerPoints : Points {
    EpochSize epoch_size() const override { return {.items = 32, .items_name = "points"}; }
  } const fewer;
  Trainer other(model_, fewer, squared_error, [](Module&) { return Validation{}; }, {.batch_size = 16},
                constant_schedule(0.1f), {.path = run_.path()});
  expect_error([&] { other.resume(read_checkpoint(run_.path())); },
               "was trained on 64 points, the data set now gives 32");
}

TEST_F(Regression, NamesTheItemsOfABatchWithALossThatIsNotFinite) {
  const Tensor infinity = Tensor::full({}, std::numeric_limits<float>::infinity());
  Trainer trainer(
      model_, points_, [&](const Tensor& output, const Tensor&) { return sum(output) * infinity; },
      [](Module&) { return Validation{}; }, {.epochs = 1, .batch_size = 2, .classification = false},
      constant_schedule(0.1f), {.path = run_.path()});
  expect_error([&] { trainer.run(ProgressMode::quiet, [](const EpochReport&) {}); }, "look at this batch: point ");
}

}  // namespace
}  // namespace melgrad::test
