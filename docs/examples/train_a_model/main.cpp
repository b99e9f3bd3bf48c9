// Defines a model that melgrad does not have and trains it:
//   train_a_model MUSIC RUN      MUSIC: a folder of genre folders; RUN: an empty folder for the checkpoints
#include <melgrad/framework/dataset/clip_batches.h>
#include <melgrad/framework/dataset/split.h>
#include <melgrad/framework/dataset/track_validation.h>
#include <melgrad/framework/dataset/training_data.h>
#include <melgrad/framework/layers.h>

#include <cstdio>

using namespace melgrad;

// x [N, n_mels, frames, 1] -> logits [N, classes]
class TinyNet : public Module {
 public:
  explicit TinyNet(int64_t classes) : features_(child<Sequential>("features")), fc_(child<Linear>("fc", 32, classes)) {
    features_.add<Conv2d>(1, 16, Conv2d::Options{.stride = 2, .padding = 1}).add<BatchNorm2d>(16).add<ReLU>();
    features_.add<Conv2d>(16, 32, Conv2d::Options{.stride = 2, .padding = 1}).add<ReLU>().add<GlobalAvgPool2d>();
  }
  std::string description() const override { return "TinyNet"; }

 protected:
  Tensor forward(const Tensor& x) override { return fc_(flatten(features_(x))); }

 private:
  Sequential& features_;
  Linear& fc_;
};

constexpr int64_t crop_frames = 64;

int main(int argc, char** argv) try {
  if (argc != 3) fail("usage: train_a_model MUSIC RUN");
  const Dataset dataset = load_dataset(argv[1]);
  const Split split = make_split(dataset, {.validation_fraction = 0.25});
  const TrainingData data = prepare_training_data(dataset, split, "tiny_net", crop_frames, {.strict = true}, {});

  std::filesystem::create_directories(argv[2]);
  TinyNet model(static_cast<int64_t>(dataset.labels.size()));
  const ClipBatches batches(*data.training, data.names, {.crop_frames = crop_frames});
  Trainer trainer(model, batches, cross_entropy_loss(0.1f),
                  track_validation(*data.validation, {.crop_frames = crop_frames}), {.epochs = 4, .batch_size = 8},
                  constant_schedule(0.003f), {.path = argv[2], .metadata = to_metadata(data.card)});
  trainer.run(ProgressMode::quiet, [](const EpochReport& report) {
    std::printf("epoch %d: training loss %.3f, validation track accuracy %.3f\n", static_cast<int>(report.epoch),
                report.train_loss, *report.validation.accuracy);
  });
} catch (const std::exception& error) {
  std::fprintf(stderr, "train_a_model: %s\n", error.what());
  return 1;
}
