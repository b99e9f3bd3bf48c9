// Training steps whose batch is computed in parts.
#include <gtest/gtest.h>

#include <functional>

#include "framework/layers.h"
#include "framework/random.h"
#include "framework/training/trainer.h"
#include "kernels/one_hot.h"
#include "models/models.h"
#include "tests/support/banded_music.h"
#include "tests/support/compare.h"
#include "tests/support/errors.h"
#include "tests/support/random.h"
#include "tests/support/temporary_folder.h"

namespace melgrad::test {
namespace {

TEST(StepParts, CoverTheBatchInOrderWithTheLargerOnesFirst) {
  for (int64_t examples = 0; examples < 40; ++examples) {
    for (int64_t parts = 1; parts <= 7; ++parts) {
      int64_t next = 0, previous = examples;
      for (int64_t i = 0; i < parts; ++i) {
        const StepPart part = part_of_batch(examples, i, parts);
        EXPECT_EQ(part.first, next);
        EXPECT_LE(part.count, previous);
        EXPECT_GE(part.count, examples / parts);
        next += part.count;
        previous = part.count;
      }
      EXPECT_EQ(next, examples);
    }
  }
}

// 13 clips in batches of 6: the last batch has one example, fewer than there are parts.
class Accumulation : public testing::Test {
 protected:
  struct Result {
    std::vector<float> values;  // of all parameters and buffers
    std::vector<double> losses, norms;
  };
  Result train(const std::string& model_name, int64_t parts, float learning_rate = 1e-3f, float mixup_alpha = 0.3f,
               int64_t stop_after = 0) const {
    Augmentation augmentation;
    augmentation.mixup_alpha = mixup_alpha;
    const BandedMusic::Training data(music, Device::cpu,
                                     {.crop_frames = BandedMusic::crop_frames, .augmentation = augmentation}, 6);
    const TemporaryFolder run;
    const TrainOptions options{.seed = 4, .epochs = 3, .batch_size = 6, .accumulate = parts, .checkpoint_seconds = 0};
    Result result;
    std::unique_ptr<Module> model;
    const auto continue_run = [&](int64_t epochs, bool resume) {
      manual_seed(4);
      model = make_model(model_name, BandedMusic::classes);
      TrainOptions some = options;
      some.epochs = epochs;
      Trainer trainer(*model, data.batches, cross_entropy_loss(0.1f), data.validate, some,
                      constant_schedule(learning_rate), {.path = run.path(), .metadata = to_metadata(music.card)});
      if (resume) trainer.resume(read_checkpoint(run.path()));
      trainer.run(ProgressMode::quiet, [&](const EpochReport& report) {
        result.losses.push_back(report.train_loss);
        result.norms.push_back(report.gradient_norm);
      });
    };
    if (stop_after > 0) continue_run(stop_after, false);
    continue_run(options.epochs, stop_after > 0);
    for (const auto& members : {model->parameters(), model->buffers()}) {
      for (const Named& named : members) {
        if (named.tensor.dtype() != DType::float32) continue;
        const std::vector<float> values = named.tensor.to_vector();
        result.values.insert(result.values.end(), values.begin(), values.end());
      }
    }
    return result;
  }

  const BandedMusic music{13};
};

// cnn has dropout and no batch norm. Crops, augmentation and dropout of an example do not depend on the parts; mixup
// does, as partners are of the same part. The learning rate is 0 because Adam amplifies differences of rounding.
TEST_F(Accumulation, WithoutBatchNormEqualsTheWholeBatchToRounding) {
  const Result whole = train("cnn", 1, 0, 0);
  for (const int64_t parts : {2, 3, 6}) {
    const Result result = train("cnn", parts, 0, 0);
    for (size_t i = 0; i < whole.losses.size(); ++i) {
      EXPECT_NEAR(result.losses[i], whole.losses[i], 1e-6 * whole.losses[i]) << parts;
      EXPECT_NEAR(result.norms[i], whole.norms[i], 1e-5 * whole.norms[i]) << parts;
    }
  }
}

TEST_F(Accumulation, WithBatchNormGivesOtherBits) { EXPECT_NE(train("cnn_bn", 2).values, train("cnn_bn", 1).values); }

TEST_F(Accumulation, ResumesWithTheSameBits) {
  const Result uninterrupted = train("cnn_bn", 4);
  EXPECT_EQ(train("cnn_bn", 4, 1e-3f, 0.3f, 2).values, uninterrupted.values);
}

// More parts than examples: every example is a part.
TEST_F(Accumulation, TakesMorePartsThanExamples) {
  const Result result = train("cnn", 6), more = train("cnn", 100);
  EXPECT_EQ(more.values, result.values);
  EXPECT_EQ(more.losses, result.losses);
}

// One step on 5 examples in parts of 3 and 2. The rule is computed here in double precision.
TEST_F(Accumulation, AveragesTheRunningStatistics) {
  struct Fixed : BatchSource {
    EpochSize epoch_size() const override { return {.items = 5}; }
    Batch batch(const BatchItems& items, Generator&) const override {
      std::vector<float> x, targets;
      for (const int64_t item : items.on_host) {
        const auto values = random_values(8, static_cast<uint64_t>(item), 2, 1);
        x.insert(x.end(), values.begin(), values.end());
        targets.push_back(static_cast<float>(item));
      }
      const auto n = static_cast<int64_t>(items.on_host.size());
      return {.x = Tensor::from(x, {n, 2, 2, 2}), .targets = Tensor::from(targets, {n, 1})};
    }
    std::string name(int64_t) const override { return ""; }
  } const source;
  BatchNorm2d model(2);
  // The order of the epoch is not known here, so the loss notes the items of its parts.
  std::vector<std::vector<int64_t>> parts;
  const auto loss = [&](const Tensor& output, const Tensor& targets) {
    parts.emplace_back();
    for (const float item : targets.to_vector()) parts.back().push_back(static_cast<int64_t>(item));
    return mean(output * output);
  };
  Trainer trainer(model, source, loss, {}, {.batch_size = 5, .accumulate = 2, .classification = false},
                  constant_schedule(0), {});
  trainer.train_steps(1);
  ASSERT_EQ(parts.size(), 2u);
  ASSERT_EQ(parts[0].size(), 3u);
  ASSERT_EQ(parts[1].size(), 2u);
  std::vector<double> mean(2), var(2);
  for (const auto& part : parts) {
    const auto rows = static_cast<double>(4 * part.size()), share = static_cast<double>(part.size()) / 5;
    for (size_t c = 0; c < 2; ++c) {
      double sum = 0, squares = 0;
      for (const int64_t item : part) {
        const auto values = random_values(8, static_cast<uint64_t>(item), 2, 1);
        for (size_t i = c; i < values.size(); i += 2) sum += static_cast<double>(values[i]);
      }
      for (const int64_t item : part) {
        const auto values = random_values(8, static_cast<uint64_t>(item), 2, 1);
        for (size_t i = c; i < values.size(); i += 2) {
          const double from_mean = static_cast<double>(values[i]) - sum / rows;
          squares += from_mean * from_mean;
        }
      }
      mean[c] += share * 0.1 * sum / rows;
      var[c] += share * (0.9 + 0.1 * squares / (rows - 1));
    }
  }
  const std::vector<Named> buffers = model.buffers();
  expect_close(buffers[0].tensor.to_vector(), mean, 1e-6, 1e-7);
  expect_close(buffers[1].tensor.to_vector(), var, 1e-6, 1e-7);
  uint64_t batches = 0;
  Stream::of(Device::cpu).copy(&batches, buffers[2].tensor.data(), sizeof batches);
  EXPECT_EQ(batches, 1u);
}

}  // namespace
}  // namespace melgrad::test
