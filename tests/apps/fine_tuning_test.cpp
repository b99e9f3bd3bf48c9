// melgrad train with --init, --freeze and --layer-decay.
#include <gtest/gtest.h>

#include "framework/io/atomic_file.h"
#include "framework/io/safetensors.h"
#include "tests/support/audio_files.h"
#include "tests/support/call.h"

namespace melgrad::test {
namespace {

class FineTuning : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder;
    write_music_set(*folder_ / "music");
    fs::copy(*folder_ / "music", *folder_ / "other", fs::copy_options::recursive);
    fs::rename(*folder_ / "other/low", *folder_ / "other/bass");
    const Result result = call(training("music", "base"));
    ASSERT_EQ(result.exit_code, 0) << result.err;
  }
  static void TearDownTestSuite() { delete folder_; }

  static std::string path(const std::string& name) { return (*folder_ / name).string(); }
  static std::vector<std::string> training(const std::string& data, const std::string& run,
                                           const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments{"train",        path(data),   "--out",         path(run),  "--model",   "cnn_bn",
                                       "--n-mels",     "32",         "--crop-frames", "32",       "--epochs",  "2",
                                       "--batch-size", "4",          "--schedule",    "constant", "--threads", "1",
                                       "--cache",      path("cache")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  static std::map<std::string, SharedBytes> tensors_of(const std::string& run) {
    std::map<std::string, SharedBytes> result;
    for (const SafeTensor& tensor : read_safetensors(*folder_ / run / "last.safetensors").tensors) {
      result[tensor.name] = tensor.bytes;
    }
    return result;
  }

  static inline TemporaryFolder* folder_ = nullptr;
};

TEST_F(FineTuning, KeepsFrozenStagesAndTrainsTheOthers) {
  const Result result =
      call(training("other", "frozen", {"--init", path("base"), "--freeze", "block2", "--layer-decay", "0.5"}));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  expect_contains(result.err, "new, because the labels differ: classifier.3.weight, classifier.3.bias");
  expect_contains(result.err, "frozen up to block2: ");
  const auto before = tensors_of("base"), after = tensors_of("frozen");
  for (const auto& [name, bytes] : after) {
    const bool frozen = name.starts_with("features.") && std::stoi(name.substr(9)) < 8;
    EXPECT_EQ(bytes == before.at(name), frozen) << name;
  }
}

TEST_F(FineTuning, DecaysTheLearningRateFromTheHeadOn) {
  // With a factor near 0, only the head moves by more than rounding.
  ASSERT_EQ(call(training("music", "decayed", {"--init", path("base"), "--layer-decay", "1e-20"})).exit_code, 0);
  const auto before = tensors_of("base"), after = tensors_of("decayed");
  EXPECT_EQ(after.at("features.0.weight"), before.at("features.0.weight"));
  EXPECT_EQ(after.at("features.12.weight"), before.at("features.12.weight"));
  EXPECT_NE(after.at("classifier.3.weight"), before.at("classifier.3.weight"));
}

TEST_F(FineTuning, ResumesBitForBitWithoutTheFileOfInit) {
  fs::copy(*folder_ / "base/best.safetensors", *folder_ / "weights.safetensors", fs::copy_options::overwrite_existing);
  const std::vector<std::string> options{"--init", path("weights.safetensors"), "--freeze", "block1", "--layer-decay",
                                         "0.7"};
  std::vector<std::string> whole = options;
  whole.insert(whole.end(), {"--epochs", "4"});
  ASSERT_EQ(call(training("other", "whole", whole)).exit_code, 0);
  ASSERT_EQ(call(training("other", "resumed", options)).exit_code, 0);
  fs::remove(*folder_ / "weights.safetensors");
  const Result result = call({"train", "--out", path("resumed"), "--resume", "--epochs", "4"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  for (const char* file : {"training.safetensors", "last.safetensors"}) {
    EXPECT_TRUE(read_file(*folder_ / "whole" / file) == read_file(*folder_ / "resumed" / file)) << file;
  }
}

TEST_F(FineTuning, NamesWhatDoesNotFitBeforeItReadsTheMusic) {
  expect_refused(training("music", "new", {"--init", path("none")}), "none does not exist");
  expect_refused(training("music", "new", {"--init", path("base"), "--model", "resnet_small"}), "give --model cnn_bn");
  expect_refused(training("music", "new", {"--init", path("base"), "--freeze", "layer1", "--quiet"}),
                 "its stages are block1, block2, block3, block4");
  expect_refused(training("music", "new", {"--layer-decay", "2"}), "--layer-decay", 2);
  expect_refused(training("music", "new", {"--freeze", "block1"}), "give trained ones with --init", 2);
  write_text(*folder_ / "early" / "training.safetensors", "");
  expect_refused(training("music", "new", {"--init", path("early")}), "early has no trained model yet");
}

}  // namespace
}  // namespace melgrad::test
