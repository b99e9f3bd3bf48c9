// The demo set is neither trivial nor unsolvable: a linear model on MFCC statistics, which measure timbre only,
// classifies some of the tracks correctly. A network, whose input also contains rhythm and harmony, classifies more of
// them correctly, but not all.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <numeric>

#include "apps/synth/dataset_writer.h"
#include "framework/dataset/clip_batches.h"
#include "framework/dataset/feature_cache.h"
#include "framework/dataset/model_card.h"
#include "framework/dataset/split.h"
#include "framework/dataset/track_validation.h"
#include "framework/layers.h"
#include "framework/random.h"
#include "framework/training/trainer.h"
#include "models/models.h"
#include "tests/support/temporary_folder.h"

namespace melgrad::test {
namespace {

constexpr int64_t coefficients = 20;

// Mean and deviation over time of the first 20 MFCCs, as librosa.feature.mfcc defines them: the orthonormal DCT-II of
// the log-mel spectrum.
std::vector<float> mfcc_statistics(const MelClip& clip) {
  std::vector<float> statistics;
  for (int64_t k = 0; k < coefficients; ++k) {
    double sum = 0, squares = 0;
    for (int64_t t = 0; t < clip.frames; ++t) {
      double c = 0;
      for (int64_t m = 0; m < clip.n_mels; ++m) {
        const double angle = std::numbers::pi * static_cast<double>(k) * (static_cast<double>(m) + 0.5) /
                             static_cast<double>(clip.n_mels);
        c += static_cast<double>(clip.db()[static_cast<size_t>(m * clip.frames + t)]) * std::cos(angle);
      }
      c *= std::sqrt((k == 0 ? 1.0 : 2.0) / static_cast<double>(clip.n_mels));
      sum += c;
      squares += c * c;
    }
    const auto frames = static_cast<double>(clip.frames);
    statistics.push_back(static_cast<float>(sum / frames));
    statistics.push_back(static_cast<float>(std::sqrt(std::max(0.0, squares / frames - sum * sum / frames / frames))));
  }
  return statistics;
}

struct Examples {
  std::vector<std::vector<float>> x;
  std::vector<int> labels;
};

// Scales every column so that the training examples have mean 0 and deviation 1.
void standardise(Examples& train, Examples& test) {
  for (size_t column = 0; column < train.x[0].size(); ++column) {
    double sum = 0, squares = 0;
    for (const auto& row : train.x) {
      sum += static_cast<double>(row[column]);
      squares += static_cast<double>(row[column]) * static_cast<double>(row[column]);
    }
    const auto n = static_cast<double>(train.x.size());
    const double mean = sum / n, deviation = std::sqrt(squares / n - mean * mean);
    for (Examples* side : {&train, &test}) {
      for (auto& row : side->x) row[column] = static_cast<float>((static_cast<double>(row[column]) - mean) / deviation);
    }
  }
}

Tensor matrix(const Examples& examples) {
  std::vector<float> values;
  for (const auto& row : examples.x) values.insert(values.end(), row.begin(), row.end());
  return Tensor::from(values, {static_cast<int64_t>(examples.x.size()), static_cast<int64_t>(examples.x[0].size())});
}

// Multinomial logistic regression with the default penalty of scikit-learn: sum of the losses + ||w||^2 / 2.
double logistic_regression_accuracy(Examples train, Examples test, int64_t classes) {
  standardise(train, test);
  const auto n = static_cast<int64_t>(train.x.size());
  std::vector<float> one_hot(static_cast<size_t>(n * classes));
  for (size_t i = 0; i < train.labels.size(); ++i)
    one_hot[i * static_cast<size_t>(classes) + static_cast<size_t>(train.labels[i])] = 1;
  const Tensor x = matrix(train), targets = Tensor::from(one_hot, {n, classes});
  Linear model(static_cast<int64_t>(train.x[0].size()), classes);
  Adam optimizer(decay_groups(model.parameters(), 1.0f / static_cast<float>(n)),
                 {.weight_decay = Adam::WeightDecay::l2});
  constexpr int64_t steps = 1000;
  const Schedule schedule = warmup_cosine_schedule(0.05f, 1, steps);
  for (int64_t step = 0; step < steps; ++step) {
    const Tensor loss = cross_entropy(model(x), targets);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step(schedule(step));
  }
  const std::vector<float> logits = model(matrix(test)).to_vector();
  int correct = 0;
  for (size_t i = 0; i < test.labels.size(); ++i) {
    const auto row = logits.begin() + static_cast<int64_t>(i) * classes;
    correct += std::max_element(row, row + classes) - row == test.labels[i];
  }
  return static_cast<double>(correct) / static_cast<double>(test.labels.size());
}

struct Side {
  std::vector<MelClip> clips;
  std::vector<int> labels;
  std::vector<std::string> names;
};

Side load(const Dataset& dataset, const std::vector<size_t>& tracks) {
  Progress silent("", 0, "", ProgressMode::quiet);
  Features features = extract_features(dataset, tracks, {}, {}, silent);
  return {.clips = features.take_clips(), .labels = features.labels(dataset), .names = features.names(dataset)};
}

Examples examples_of(const Side& side) {
  Examples examples{.x = {}, .labels = side.labels};
  for (const MelClip& clip : side.clips) examples.x.push_back(mfcc_statistics(clip));
  return examples;
}

double resnet_accuracy(const Side& train, const Side& validation, const Side& test, int64_t classes) {
  const TemporaryFolder run;
  const ModelCard card{.model = "resnet_small",
                       .labels = {},
                       .mel = {},
                       .standardisation = standardisation_of(train.clips),
                       .crop_frames = 172};
  const auto store = [&](const Side& side) {
    return ClipStore(side.clips, side.labels, classes, card.standardisation, Device::cpu);
  };
  const ClipStore train_clips = store(train), validation_clips = store(validation);
  manual_seed(0);
  const auto model = make_model(card.model, classes, 0.3f);
  const TrainOptions options{.epochs = 40, .batch_size = 16};
  CropOptions crops{.crop_frames = card.crop_frames};
  crops.augmentation.mixup_alpha = 0.2f;
  const ClipBatches batches(train_clips, train.names, crops);
  const int64_t steps = Trainer::steps_per_epoch(batches.epoch_size(), options.batch_size);
  Trainer trainer(*model, batches, cross_entropy_loss(0.1f),
                  track_validation(validation_clips, {.crop_frames = card.crop_frames, .crops = 4, .batch_size = 16}),
                  options, warmup_cosine_schedule(2e-3f, 3 * steps, options.epochs * steps), {.path = run.path()});
  trainer.run(ProgressMode::quiet, [](const EpochReport&) {});
  const ClipStore test_clips = store(test);
  const auto predictions = predict_tracks(*model, test_clips, {.crop_frames = card.crop_frames});
  int correct = 0;
  for (size_t i = 0; i < predictions.size(); ++i) correct += predictions[i].label() == test.labels[i];
  return static_cast<double>(correct) / static_cast<double>(predictions.size());
}

TEST(DemoSet, IsSolvedPartlyByTimbreAndBetterByAResNet) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "trains a network for minutes; run in the cpu preset";
#endif
  const TemporaryFolder folder;
  write_demo_set(folder / "demo", {}, [](int, int) {});
  const Dataset dataset = load_dataset(folder / "demo");
  const Split split = make_split(dataset, {.seed = 0, .validation_fraction = 0.1, .test_fraction = 0.3});
  const auto classes = static_cast<int64_t>(dataset.labels.size());
  const Side train = load(dataset, split.train), validation = load(dataset, split.validation),
             test = load(dataset, split.test);

  const double linear = logistic_regression_accuracy(examples_of(train), examples_of(test), classes);
  const double resnet = resnet_accuracy(train, validation, test, classes);
  RecordProperty("linear", std::to_string(linear));
  RecordProperty("resnet_small", std::to_string(resnet));
  EXPECT_GE(linear, 0.5);
  EXPECT_LE(linear, 0.85);
  // Rounding alone moves the accuracy of the ResNet between 0.67 and 0.74: with other instruction sets, for example.
  // 190 tracks have a standard error of 0.03.
  EXPECT_GE(resnet, linear + 0.05);
  EXPECT_LT(resnet, 1.0);
}

}  // namespace
}  // namespace melgrad::test
