// Exported graphs, read and checked by the code of the ONNX project. bench/check_onnx.py compares their probabilities
// with those of melgrad predict.
#include "models/onnx_export.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "framework/training/state_dict.h"
#include "models/architecture.h"
#include "models/models.h"
#include "tests/support/errors.h"
#include "tests/support/onnx_model.h"
#include "tests/support/temporary_folder.h"

namespace melgrad::test {
namespace {

TrainedModel untrained(const std::string& name, bool statistics = false) {
  TrainedModel trained{.file = "test", .card = {}, .model = make_model(name, 3, 0, statistics)};
  trained.card = {.model = name,
                  .labels = {"blues", "jazz", "rock"},
                  .mel = {.sample_rate = 8000, .n_fft = 512, .hop_length = 200, .n_mels = 32, .fmin = 50, .fmax = 2990},
                  .standardisation = {.mean = std::vector<float>(32, -40), .deviation = std::vector<float>(32, 10)},
                  .crop_frames = 48,
                  .temperature = 1.5,
                  .statistics = statistics};
  trained.model->train(false);
  return trained;
}

ReadOnnx exported(const TrainedModel& trained, const OnnxExportOptions& options) {
  const TemporaryFolder folder;
  write_onnx(folder / "model.onnx", to_onnx(trained, options));
  return ReadOnnx(folder / "model.onnx");
}

void expect_values(const ReadOnnx& onnx, const SafeTensor& expected) {
  const onnx::TensorProto* const tensor = onnx.tensor(expected.name);
  ASSERT_TRUE(tensor) << expected.name;
  EXPECT_EQ(std::vector<int64_t>(tensor->dims().begin(), tensor->dims().end()), expected.shape) << expected.name;
  ASSERT_EQ(tensor->data_type(), onnx::TensorProto::FLOAT) << expected.name;
  const auto* const bytes = reinterpret_cast<const char*>(expected.bytes.data());
  EXPECT_EQ(tensor->raw_data(), std::string(bytes, bytes + expected.bytes.size())) << expected.name;
}

class OnnxExport : public testing::TestWithParam<std::string> {};

TEST_P(OnnxExport, HasTheWeightsOfTheModel) {
  const TrainedModel trained = untrained(GetParam());
  const ReadOnnx onnx = exported(trained, {});
  for (const SafeTensor& tensor : state_dict(*trained.model)) {
    if (!tensor.name.ends_with("num_batches_tracked")) expect_values(onnx, tensor);
  }
}

// Compares the shapes that the ONNX project infers from kernel sizes, strides and paddings with those of the model.
void expect_shapes(const ReadOnnx& onnx, const ArchitectureNode& node) {
  for (const ArchitectureNode& part : node.parts) expect_shapes(onnx, part);
  if (!node.parts.empty() || node.output.rank() != 4) return;
  const auto found = onnx.shapes.find(node.name);
  if (found == onnx.shapes.end()) {
    EXPECT_TRUE(node.description.starts_with("Dropout")) << node.name << " " << node.description;
    return;
  }
  const OnnxShape& shape = found->second;
  ASSERT_EQ(shape.size(), 4u) << node.name;
  EXPECT_EQ(OnnxShape(shape.begin() + 1, shape.end()), (OnnxShape{node.output[3], node.output[1], node.output[2]}))
      << node.name << " [C, H, W]";
}

TEST_P(OnnxExport, HasTheLayersOfTheModel) {
  const TrainedModel trained = untrained(GetParam());
  const ReadOnnx onnx = exported(trained, {});
  expect_shapes(onnx, architecture_of(*trained.model, 32, 48));
}

TEST_P(OnnxExport, GivesLogitsAndProbabilitiesOfAnyRecording) {
  for (const bool front_end : {false, true}) {
    const ReadOnnx onnx = exported(untrained(GetParam()), {.front_end = front_end});
    const auto& graph = onnx.model.graph();
    EXPECT_EQ(onnx.model.opset_import(0).version(), 17);
    ASSERT_EQ(graph.input_size(), 1);
    EXPECT_EQ(graph.input(0).name(), front_end ? "waveform" : "log_mel");
    EXPECT_EQ(shape_of(graph.input(0)), front_end ? (OnnxShape{-1, -1}) : (OnnxShape{-1, 32, -1}));
    ASSERT_EQ(graph.output_size(), 2);
    EXPECT_EQ(graph.output(0).name(), "logits");
    EXPECT_EQ(graph.output(1).name(), "probabilities");
    EXPECT_EQ(shape_of(graph.output(1)), (OnnxShape{-1, 3}));
  }
}

INSTANTIATE_TEST_SUITE_P(Models, OnnxExport, testing::ValuesIn(model_names()),
                         [](const auto& instance) { return instance.param; });

TEST(OnnxExportOfResNet, AddsTheInputOfEachBlockToItsOutput) {
  const ReadOnnx onnx = exported(untrained("resnet_small"), {});
  const auto operands = [&](const std::string& block) {
    const onnx::NodeProto& relu = onnx.node_of(block);
    EXPECT_EQ(relu.op_type(), "Relu") << block;
    const onnx::NodeProto& sum = onnx.node_of(relu.input(0));
    EXPECT_EQ(sum.op_type(), "Add") << block;
    return std::vector<std::string>(sum.input().begin(), sum.input().end());
  };
  EXPECT_EQ(operands("layer1.0"), (std::vector<std::string>{"layer1.0.bn2", "maxpool"}));
  EXPECT_EQ(operands("layer1.1"), (std::vector<std::string>{"layer1.1.bn2", "layer1.0"}));
  EXPECT_EQ(operands("layer2.0"), (std::vector<std::string>{"layer2.0.bn2", "layer2.0.downsample.1"}));
  EXPECT_EQ(onnx.node_of("layer2.0.downsample.0").input(0), "layer1.1");
}

// 48 frames are one group of 32 and half of another.
TEST(OnnxExportOfStatistics, AveragesBothLogits) {
  const ReadOnnx onnx = exported(untrained("cnn", true), {});
  EXPECT_EQ(shape_of(onnx.model.graph().output(1)), (OnnxShape{-1, 3}));
  const onnx::NodeProto& linear = onnx.node_of("statistics");
  EXPECT_EQ(linear.op_type(), "Gemm");
  EXPECT_EQ(onnx.shapes.at(linear.input(0)), (OnnxShape{-1, 160}));
  const onnx::TensorProto* const frames = onnx.tensor("statistics.groups_of_32.frames");
  ASSERT_TRUE(frames);
  const auto* const values = reinterpret_cast<const float*>(frames->raw_data().data());
  EXPECT_EQ(std::vector<float>(values, values + 2), (std::vector<float>{32, 16}));
}

TEST(OnnxExportMetadata, DescribesTheModelAndItsOrigin) {
  const TrainedModel trained = untrained("cnn");
  const ReadOnnx onnx =
      exported(trained, {.front_end = true, .crops = 7, .version = "1.2.3", .split_fingerprint = "abc"});
  EXPECT_EQ(onnx.metadata.at("labels"), R"(["blues","jazz","rock"])");
  for (const auto& [key, value] : to_metadata(trained.card)) EXPECT_EQ(onnx.metadata.at(key), value);
  EXPECT_EQ(onnx.metadata.at("crops"), "7");
  EXPECT_EQ(onnx.metadata.at("melgrad_version"), "1.2.3");
  EXPECT_EQ(onnx.metadata.at("split_fingerprint"), "abc");
  expect_contains(onnx.metadata.at("input"), "8000 Hz");
  EXPECT_EQ(onnx.model.producer_name(), "melgrad");
}

// A cosine at the middle of a bin with amplitude 1: the windowed sum is n_fft / 4, the sine part 0.
TEST(OnnxExportFrontEnd, HoldsTheWindowedFourierBasisOfTheBinsInUse) {
  const ReadOnnx onnx = exported(untrained("cnn"), {.front_end = true});
  const onnx::TensorProto* const basis = onnx.tensor("front_end.fourier_basis");
  ASSERT_TRUE(basis);
  // Bins of 15.625 Hz: those between 50 and 2990 Hz are 4 to 191.
  constexpr int64_t n_fft = 512, first = 4, bins = 188;
  ASSERT_EQ(OnnxShape(basis->dims().begin(), basis->dims().end()), (OnnxShape{2 * bins, 1, n_fft}));
  const auto* const values = reinterpret_cast<const float*>(basis->raw_data().data());
  for (const int64_t bin : {int64_t{0}, int64_t{100}, bins - 1}) {
    double cosine = 0, sine = 0;
    for (int64_t i = 0; i < n_fft; ++i) {
      const double x = std::cos(2 * std::numbers::pi * static_cast<double>((first + bin) * i) / n_fft);
      cosine += x * static_cast<double>(values[bin * n_fft + i]);
      sine += x * static_cast<double>(values[(bins + bin) * n_fft + i]);
    }
    EXPECT_NEAR(cosine, n_fft / 4.0, 1e-4) << bin;
    EXPECT_NEAR(sine, 0, 1e-4) << bin;
  }
}

TEST(OnnxExportFrontEnd, LimitsTheRangeOfCropsIfTheModelWasTrainedSo) {
  TrainedModel trained = untrained("cnn");
  const auto count = [&] {
    return std::ranges::count(exported(trained, {.front_end = true}).operators(), "ReduceMax");
  };
  EXPECT_EQ(count(), 1);
  trained.card.standardisation.top_db = 80;
  EXPECT_EQ(count(), 2);
}

TEST(OnnxExportFrontEnd, RefusesABasisThatDoesNotFit) {
  TrainedModel trained = untrained("cnn");
  trained.card.mel.n_fft = most_n_fft;
  expect_error([&] { to_onnx(trained, {.front_end = true}); }, "n_fft 65536");
}

}  // namespace
}  // namespace melgrad::test
