#include "framework/dataset/model_card.h"

#include <gtest/gtest.h>

#include "framework/training/state_dict.h"
#include "models/models.h"
#include "tests/support/banded_music.h"
#include "tests/support/errors.h"

namespace melgrad::test {
namespace {

ModelCard example() {
  ModelCard card{
      .model = "resnet18", .labels = {"jazz", "r\"&\"b", "ska"}, .mel = {}, .standardisation = {}, .crop_frames = 99};
  card.mel = {.sample_rate = 16000,
              .n_fft = 400,
              .hop_length = 160,
              .n_mels = 3,
              .fmin = 20.5,
              .fmax = 7600,
              .htk = true,
              .top_db = 60};
  card.standardisation = {.mean = {-40.1f, -50.2f, 0.3f}, .deviation = {1.1f, 20.5f, 1e-3f}};
  return card;
}

TEST(ModelCard, ReadsWhatItWroteToTheMetadata) {
  const ModelCard card = example(), again = model_card(to_metadata(card), "file");
  EXPECT_EQ(again.model, card.model);
  EXPECT_EQ(again.labels, card.labels);
  EXPECT_EQ(again.mel, card.mel);
  EXPECT_EQ(again.standardisation.mean, card.standardisation.mean);
  EXPECT_EQ(again.standardisation.deviation, card.standardisation.deviation);
  EXPECT_EQ(again.crop_frames, card.crop_frames);
  EXPECT_EQ(again.temperature, std::nullopt);
  EXPECT_FALSE(again.statistics);
}

TEST(ModelCard, SaysThatTheModelHasAStatisticsClassifier) {
  ModelCard card = example();
  card.statistics = true;
  auto metadata = to_metadata(card);
  EXPECT_TRUE(model_card(metadata, "file").statistics);
  EXPECT_THROW(require_same_card(metadata, example(), "file"), Error);
  metadata["statistics"] = "1";
  expect_error([&] { model_card(metadata, "the.file"); }, "statistics is 1; it must be true or false");
}

TEST(ModelCard, HasTheTemperatureIfOneWasFitted) {
  ModelCard card = example();
  card.temperature = 1.0 / 3;
  const auto metadata = to_metadata(card);
  EXPECT_EQ(metadata.at("temperature"), "0.3333333333333333");
  EXPECT_EQ(model_card(metadata, "file").temperature, card.temperature);
  EXPECT_EQ(calibration_note(card, "file"), "");
  expect_contains(calibration_note(example(), "file"), "file has no temperature");
  EXPECT_NO_THROW(require_same_card(metadata, example(), "file"));  // another epoch has another temperature
  for (const char* value : {"0", "-1", "1e9", "\"1\"", "[]", "nan"}) {
    auto wrong = metadata;
    wrong["temperature"] = value;
    expect_error([&] { model_card(wrong, "the.file"); }, "the.file");
  }
}

// Features that another instruction set computes differ by rounding, those of other tracks by more.
TEST(ModelCard, ARunResumesWithFeaturesThatDifferByRounding) {
  ModelCard other = example();
  other.standardisation.mean[0] += 0.001f;
  EXPECT_NO_THROW(require_same_card(to_metadata(example()), other, "file"));
  other.standardisation.mean[0] += 0.02f;
  expect_error([&] { require_same_card(to_metadata(example()), other, "file"); }, "trained with other settings");
  other = example();
  other.standardisation.top_db = 80;
  expect_error([&] { require_same_card(to_metadata(example()), other, "file"); }, "trained with other settings");
}

TEST(ModelCard, RefusesMissingAndInvalidEntries) {
  const auto error_with = [](const std::string& key, const std::string& value) {
    auto metadata = to_metadata(example());
    metadata[key] = value;
    return error_of([&] { model_card(metadata, "the.file"); });
  };
  for (const auto& [key, value] : to_metadata(example())) {
    auto metadata = to_metadata(example());
    metadata.erase(key);
    SCOPED_TRACE(key);
    expect_error([&] { model_card(metadata, "the.file"); }, "the.file");
  }
  expect_contains(error_with("labels", "[1]"), "the.file");
  expect_contains(error_with("labels", "[]"), "its metadata is invalid");
  expect_contains(error_with("crop_frames", "0"), "its metadata is invalid");
  expect_contains(error_with("standardisation", R"({"mean":[0,0,0],"deviation":[1,0,1]})"), "its metadata is invalid");
  expect_contains(error_with("melgrad_format", "99"), "format 99");
}

TEST(StateDict, HasPyTorchsNamesShapesAndOrderOfElements) {
  const auto model = make_model("resnet_small", 10);
  const std::vector<SafeTensor> tensors = state_dict(*model);
  const auto find = [&](const std::string& name) {
    return *std::find_if(tensors.begin(), tensors.end(), [&](const SafeTensor& t) { return t.name == name; });
  };
  EXPECT_EQ(find("layer2.0.downsample.0.weight").shape, (std::vector<int64_t>{32, 16, 1, 1}));
  EXPECT_EQ(find("bn1.num_batches_tracked").dtype, "I64");
  EXPECT_TRUE(find("bn1.num_batches_tracked").shape.empty());
  const SafeTensor weight = find("layer1.0.conv1.weight");
  ASSERT_EQ(weight.shape, (std::vector<int64_t>{16, 16, 3, 3}));
  for (const Named& named : model->parameters()) {
    if (named.name != weight.name) continue;
    const std::vector<float> here = named.tensor.to_vector();  // [out, height, width, in]
    const auto* there = reinterpret_cast<const float*>(weight.bytes.data());
    const auto at = [](size_t k, size_t c, size_t r, size_t s) { return ((k * 16 + c) * 3 + r) * 3 + s; };
    EXPECT_EQ(there[at(5, 7, 1, 2)], here[static_cast<size_t>(((5 * 3 + 1) * 3 + 2) * 16 + 7)]);
  }
}

TEST(StateDict, LoadsWhatItSavedAndRefusesOtherTensors) {
  const auto source = make_model("resnet_small", 10), target = make_model("resnet_small", 10);
  SafeTensors file{.metadata = {}, .tensors = state_dict(*source)};
  load_state_dict(*target, file, "", "file");
  EXPECT_EQ(source->parameters()[0].tensor.to_vector(), target->parameters()[0].tensor.to_vector());

  const auto other = make_model("resnet_small", 9);
  expect_error([&] { load_state_dict(*other, file, "", "a.file"); }, "fc.weight");
  SafeTensors extra = file;
  extra.tensors.push_back(
      {.name = "stray", .dtype = "F32", .shape = {}, .bytes = SharedBytes(std::vector<std::byte>(4))});
  expect_error([&] { load_state_dict(*target, extra, "", "a.file"); }, "stray");
  SafeTensors missing = file;
  missing.tensors.pop_back();
  expect_error([&] { load_state_dict(*target, missing, "", "a.file"); }, "missing");
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

}  // namespace
}  // namespace melgrad::test
