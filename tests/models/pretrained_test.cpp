// Initial weights from files with torchvision's names, which the tests write, and from checkpoints.
#include "models/pretrained.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "framework/training/state_dict.h"
#include "models/models.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"

namespace melgrad::test {
namespace {

using Values = std::vector<float>;

SafeTensor tensor_of(const std::string& name, std::vector<int64_t> shape, const Values& values) {
  SafeTensor tensor{.name = name, .dtype = "F32", .shape = std::move(shape), .bytes = {}};
  const std::span<const std::byte> bytes = std::as_bytes(std::span(values));
  tensor.bytes = SharedBytes(std::vector(bytes.begin(), bytes.end()));
  return tensor;
}

// Values that no two tensors share.
SafeTensor numbered(const std::string& name, const std::vector<int64_t>& shape, size_t number) {
  int64_t count = 1;
  for (const int64_t size : shape) count *= size;
  Values values(static_cast<size_t>(count));
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = 0.001f * static_cast<float>(1 + number) + 1e-6f * static_cast<float>(i % 1000);
  }
  return tensor_of(name, shape, values);
}

// The state dict of torchvision.models.resnet18() for 1000 classes and pictures of 3 channels.
SafeTensors torchvision_resnet18() {
  SafeTensors file;
  const auto add = [&](const std::string& name, const std::vector<int64_t>& shape) {
    file.tensors.push_back(numbered(name, shape, file.tensors.size()));
  };
  const auto add_batch_norm = [&](const std::string& name, int64_t channels) {
    for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"}) add(name + part, {channels});
    file.tensors.push_back({.name = name + ".num_batches_tracked",
                            .dtype = "I64",
                            .shape = {},
                            .bytes = SharedBytes(std::vector<std::byte>(8))});
  };
  add("conv1.weight", {64, 3, 7, 7});
  add_batch_norm("bn1", 64);
  int64_t in_channels = 64;
  for (int64_t stage = 1; stage <= 4; ++stage) {
    const int64_t channels = int64_t{32} << stage;
    for (int64_t block = 0; block < 2; ++block) {
      const std::string prefix = fmt::format("layer{}.{}.", stage, block);
      add(prefix + "conv1.weight", {channels, in_channels, 3, 3});
      add_batch_norm(prefix + "bn1", channels);
      add(prefix + "conv2.weight", {channels, channels, 3, 3});
      add_batch_norm(prefix + "bn2", channels);
      if (in_channels != channels) {
        add(prefix + "downsample.0.weight", {channels, in_channels, 1, 1});
        add_batch_norm(prefix + "downsample.1", channels);
      }
      in_channels = channels;
    }
  }
  add("fc.weight", {1000, 512});
  add("fc.bias", {1000});
  return file;
}

std::map<std::string, SafeTensor> tensors_of(const std::vector<SafeTensor>& tensors) {
  std::map<std::string, SafeTensor> result;
  for (const SafeTensor& tensor : tensors) result[tensor.name] = tensor;
  return result;
}

class PretrainedTest : public testing::Test {
 protected:
  fs::path written(const SafeTensors& content) const {
    write_safetensors(folder_ / "weights.safetensors", content);
    return folder_ / "weights.safetensors";
  }
  // A checkpoint of a small network for these labels.
  fs::path checkpoint(const Module& model, const std::vector<std::string>& labels) const {
    const ModelCard card{.model = "cnn_bn",
                         .labels = labels,
                         .mel = {.n_mels = 16},
                         .standardisation = {.mean = Values(16), .deviation = Values(16, 1)}};
    return written({.metadata = to_metadata(card), .tensors = state_dict(model)});
  }

  TemporaryFolder folder_;
};

TEST_F(PretrainedTest, TakesTheWeightsOfTorchvisionsNetworkExceptTheHead) {
  const SafeTensors source = torchvision_resnet18();
  const auto model = make_model("resnet18", 3);
  const auto before = tensors_of(state_dict(*model));
  const std::string line = Pretrained(written(source), "resnet18").load_into(*model, {"a", "b", "c"});
  const auto wanted = tensors_of(source.tensors);
  for (const auto& [name, tensor] : tensors_of(state_dict(*model))) {
    if (name == "conv1.weight") continue;
    const SafeTensor& expected = name.starts_with("fc.") ? before.at(name) : wanted.at(name);
    EXPECT_EQ(tensor.shape, expected.shape) << name;
    EXPECT_EQ(tensor.bytes, expected.bytes) << name;
  }
  expect_contains(line, "120 of 122 tensors");
  expect_contains(line, "new, because the file names no labels: fc.weight, fc.bias");
  expect_contains(line, "summed over the input channels: conv1.weight");
}

TEST_F(PretrainedTest, SumsTheFirstConvolutionOverTheColours) {
  const SafeTensors source = torchvision_resnet18();
  const auto model = make_model("resnet18", 3);
  Pretrained(written(source), "resnet18").load_into(*model, {"a", "b", "c"});
  const SafeTensor sum = tensors_of(state_dict(*model)).at("conv1.weight");
  EXPECT_EQ(sum.shape, (std::vector<int64_t>{64, 1, 7, 7}));
  const Values colours = float_values(source.tensors[0]), sums = float_values(sum);
  for (size_t out = 0; out < 64; ++out) {
    for (size_t tap = 0; tap < 49; ++tap) {
      const size_t first = out * 3 * 49 + tap;
      EXPECT_FLOAT_EQ(sums[out * 49 + tap], colours[first] + colours[first + 49] + colours[first + 98]);
    }
  }
}

TEST_F(PretrainedTest, NamesWhatTheFileLacksAndWhatIsNotUsed) {
  SafeTensors source = torchvision_resnet18();
  std::erase_if(source.tensors, [](const SafeTensor& t) { return t.name == "bn1.num_batches_tracked"; });
  source.tensors.push_back(numbered("aux.weight", {4}, 0));
  source.tensors.push_back(numbered("optimizer.exp_avg.fc.bias", {4}, 0));
  const std::string line =
      Pretrained(written(source), "resnet18").load_into(*make_model("resnet18", 3), {"a", "b", "c"});
  expect_contains(line, "not in the file, so 0: bn1.num_batches_tracked");
  expect_contains(line, "not used: aux.weight");
  expect_contains(line, "not used: the state of the optimizer (1 tensors)");
  EXPECT_EQ(line.find('\n'), std::string::npos);
}

TEST_F(PretrainedTest, KeepsTheHeadOfACheckpointWithTheSameLabels) {
  const auto trained = make_model("cnn_bn", 3);
  const Pretrained pretrained(checkpoint(*trained, {"a", "b", "c"}), "cnn_bn");
  const auto same = make_model("cnn_bn", 3), other = make_model("cnn_bn", 3);
  const std::string own_head = fmt::format("{}", fmt::join(other->parameters().back().tensor.to_vector(), " "));
  EXPECT_EQ(pretrained.load_into(*same, {"a", "b", "c"}).find("new"), std::string::npos);
  expect_contains(pretrained.load_into(*other, {"a", "b", "d"}),
                  "new, because the labels differ: classifier.3.weight, classifier.3.bias");
  const auto wanted = tensors_of(state_dict(*trained));
  for (const SafeTensor& tensor : state_dict(*same)) EXPECT_EQ(tensor.bytes, wanted.at(tensor.name).bytes);
  EXPECT_EQ(fmt::format("{}", fmt::join(other->parameters().back().tensor.to_vector(), " ")), own_head);
}

TEST_F(PretrainedTest, NotesOtherFeatures) {
  const Pretrained pretrained(checkpoint(*make_model("cnn_bn", 2), {"a", "b"}), "cnn_bn");
  EXPECT_TRUE(pretrained.notes_on_features({.n_mels = 16}).empty());
  ASSERT_EQ(pretrained.notes_on_features({.n_mels = 32}).size(), 1u);
  expect_contains(pretrained.notes_on_features({.n_mels = 32})[0], "n_mels=16");
}

TEST_F(PretrainedTest, RefusesFilesThatDoNotFit) {
  const fs::path of_cnn = checkpoint(*make_model("cnn_bn", 2), {"a", "b"});
  expect_error([&] { Pretrained(of_cnn, "resnet18"); }, "give --model cnn_bn");
  expect_error([&] { Pretrained(folder_ / "none", "resnet18"); }, "none does not exist");
  const auto load = [&](const SafeTensors& source) {
    Pretrained(written(source), "resnet18").load_into(*make_model("resnet18", 3), {"a", "b", "c"});
  };
  SafeTensors source = torchvision_resnet18();
  std::erase_if(source.tensors, [](const SafeTensor& t) { return t.name == "layer3.1.conv2.weight"; });
  expect_error([&] { load(source); }, "no tensor layer3.1.conv2.weight");
  source = torchvision_resnet18();
  source.tensors[1] = tensor_of("bn1.weight", {32}, Values(32, 1));
  expect_error([&] { load(source); }, "bn1.weight is F32 [32], the model needs F32 [64]");
  source.tensors[1] = tensor_of("bn1.weight", {64}, Values(64, std::numeric_limits<float>::quiet_NaN()));
  expect_error([&] { load(source); }, "bn1.weight has values that are not finite");
}

}  // namespace
}  // namespace melgrad::test
