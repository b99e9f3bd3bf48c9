// melgrad export RUN FILE, on the run of version 0.1.0 (tests/fixtures/run_0.1.0).
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "framework/io/atomic_file.h"
#include "tests/support/call.h"
#include "tests/support/onnx_model.h"
#include "tests/support/paths.h"
#include "tests/support/temporary_folder.h"

namespace melgrad::test {
namespace {

class Export : public testing::Test {
 protected:
  Export() { fs::copy(fixtures() / "run_0.1.0", folder_ / "run"); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  TemporaryFolder folder_;
};

TEST_F(Export, WritesTheLastModelOfARunWithTheFingerprintOfItsSplit) {
  const Result result = call({"export", path("run"), path("model.onnx")});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  expect_contains(result.out, "cnn_bn");
  expect_contains(result.out, "\ninput   log_mel: float32 [batch, 32, frames]: log-mel spectrogram in dB");
  expect_contains(result.out, "\noutput  logits: float32 [batch, 3]: mean of the logits");
  const ReadOnnx onnx(folder_ / "model.onnx");
  // As printed by xxh128sum tests/fixtures/run_0.1.0/split.csv.
  EXPECT_EQ(onnx.metadata.at("split_fingerprint"), "3c88c4ac89b586b294522d7be2252f23");
  EXPECT_EQ(onnx.metadata.at("melgrad_version"), onnx.model.producer_version());
}

TEST_F(Export, PrintsInputsOutputsAndMetadataAsJson) {
  const Result result =
      call({"export", path("run"), path("model.onnx"), "--with-frontend", "--crops", "3", "--json", "--quiet"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto printed = nlohmann::json::parse(result.out);
  EXPECT_EQ(printed.at("bytes"), fs::file_size(folder_ / "model.onnx"));
  EXPECT_EQ(printed.at("opset"), 17);
  EXPECT_EQ(printed.at("inputs").at(0).at("name"), "waveform");
  EXPECT_EQ(printed.at("inputs").at(0).at("shape"), (nlohmann::json{"batch", "samples"}));
  EXPECT_EQ(printed.at("outputs").at(1).at("name"), "probabilities");
  EXPECT_EQ(printed.at("metadata").at("crops"), "3");
}

TEST_F(Export, NotesThatTheSplitIsUnknownBesideALoneCheckpoint) {
  fs::copy(folder_ / "run" / "best.safetensors", folder_ / "best.safetensors");
  const Result result = call({"export", path("best.safetensors"), path("model.onnx")});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  expect_contains(result.err, "split.csv does not exist");
  EXPECT_FALSE(ReadOnnx(folder_ / "model.onnx").metadata.contains("split_fingerprint"));
}

TEST_F(Export, NamesAFileThatCannotBeWrittenAndARunThatIsNone) {
  expect_refused({"export", path("run"), path("missing/model.onnx"), "--quiet"}, "missing/model.onnx");
  expect_refused({"export", path("none"), path("model.onnx")}, "none does not exist");
  EXPECT_FALSE(fs::exists(folder_ / "model.onnx"));
}

TEST_F(Export, KeepsTheCheckpoint) {
  fs::create_symlink(folder_ / "run" / "last.safetensors", folder_ / "link.onnx");
  for (const char* file : {"run/last.safetensors", "link.onnx", "run/split.csv"}) {
    expect_refused({"export", path("run"), path(file), "--quiet"}, "which the command reads", 2);
  }
  EXPECT_TRUE(read_file(folder_ / "run/last.safetensors") == read_file(fixtures() / "run_0.1.0/last.safetensors"));
}

}  // namespace
}  // namespace melgrad::test
