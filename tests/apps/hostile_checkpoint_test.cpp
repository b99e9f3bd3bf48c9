// Untrusted checkpoints: any fault is reported in one line that names the file, before memory is allocated for it.
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <limits>

#include "framework/dataset/model_card.h"
#include "framework/io/atomic_file.h"
#include "framework/training/state_dict.h"
#include "models/models.h"
#include "tests/support/audio_files.h"
#include "tests/support/call.h"

namespace melgrad::test {
namespace {

SafeTensors valid_checkpoint() {
  ModelCard card{.model = "cnn_bn", .labels = {"low", "high"}, .mel = {}, .standardisation = {}, .crop_frames = 32};
  card.standardisation = {std::vector<float>(128, -40), std::vector<float>(128, 10)};
  return {.metadata = to_metadata(card), .tensors = state_dict(*make_model("cnn_bn", 2))};
}

class HostileCheckpoint : public testing::Test {
 protected:
  HostileCheckpoint() { write_sine(folder_ / "a.wav", 440); }

  std::vector<std::string> predict() const {
    return {"predict", (folder_ / "m.safetensors").string(), (folder_ / "a.wav").string(), "--quiet"};
  }

  void expect_refused_with(const SafeTensors& checkpoint, const std::string& words) const {
    write_safetensors(folder_ / "m.safetensors", checkpoint);
    expect_refused(predict(), words);
    const Result result = call(predict());
    expect_contains(result.err, (folder_ / "m.safetensors").string());
    EXPECT_EQ(result.out, "");
  }

  void expect_refused_metadata(const char* key, const std::string& value, const std::string& words) const {
    SafeTensors checkpoint = valid_checkpoint();
    checkpoint.metadata[key] = value;
    expect_refused_with(checkpoint, words);
  }

  TemporaryFolder folder_;
};

TEST_F(HostileCheckpoint, MetadataIsChecked) {
  const std::string nested(100'000, '['), deep = std::string(2'000'000, '[') + std::string(2'000'000, ']');
  std::string many = "[";
  for (int i = 0; i < 1'001; ++i) many += (i > 0 ? ",\"" : "\"") + std::to_string(i) + "\"";
  many += "]";
  const std::string mel =
      R"("sample_rate":22050,"n_fft":2048,"n_mels":128,"fmin":0,"fmax":0,"htk":false,"top_db":80,"hop_length":)";
  const struct {
    const char *key, *says;
    std::string value;
  } table[] = {
      {"model", "there is no model 'vgg'", "vgg"},
      {"model", "there is no model '\\x1B[2J'", "\x1B[2J"},
      {"labels", "cannot be read", nested},
      {"labels", "cannot be read", nested + std::string(100'000, ']')},
      {"labels", "labels has 7; it must be a list of strings", "[7]"},
      {"labels", "labels is object; it must be a list of strings", "{}"},
      {"labels", "1001 labels, at most 1000 are allowed", many},
      {"labels", "occurs twice", R"(["low","low"])"},
      {"labels", "control character", R"(["low","hi\u001bgh"])"},
      {"labels", "the model needs F32 [3", R"(["low","middle","high"])"},
      {"crop_frames", "a crop of 0 frames", "0"},
      {"crop_frames", "a crop of 9223372036854775807 frames", "9223372036854775807"},
      {"crop_frames", "a crop of 2049 frames of 128 mel bins; it must have at least 1 frame and at most 262144",
       "2049"},
      {"crop_frames", "crop_frames is 9223372036854775808; it must be a whole number", "9223372036854775808"},
      {"crop_frames", "crop_frames is 32.5; it must be a whole number", "32.5"},
      {"crop_frames", "crop_frames is \"many\"; it must be a whole number", "\"many\""},
      {"crop_frames", "crop_frames is not valid JSON at byte 2", "["},
      {"crop_frames", "crop_frames is array; it must be a whole number", deep},
      {"mel", "values per second", "{" + mel + "1}"},
      {"mel", "hop_length is 0", "{" + mel + "0}"},
      {"mel", "cannot be read", "{" + mel + "null}"},
      {"mel", "hop_length is 4294967808; it must be a whole number of at most 2147483647", "{" + mel + "4294967808}"},
      {"mel", "hop_length is -2147483649; it must be a whole number", "{" + mel + "-2147483649}"},
      {"mel", "hop_length is 512.7; it must be a whole number", "{" + mel + "512.7}"},
      {"mel", "hop_length is 1e+300; it must be a whole number", "{" + mel + "1e300}"},
      {"mel", "hop_length is true; it must be a whole number", "{" + mel + "true}"},
      {"mel", "cannot be read", "[]"},
      {"mel", "htk is array; it must be true or false", "{" + mel + R"(512,"htk":)" + deep + "}"},
      {"mel", "mel has 5000000 bytes, at most 4194304 are allowed", std::string(5'000'000, ' ')},
      {"standardisation", "0 means", R"({"mean":[],"deviation":[]})"},
      {"standardisation", "there is no 'mean'", "{}"},
      {"standardisation", "mean has 1e+300, which is outside the range of float32",
       R"({"mean":[1e300],"deviation":[1]})"},
      {"standardisation", "mean is array; it must be a number", R"({"mean":[)" + deep + R"(],"deviation":[1]})"},
      {"standardisation", "mean is null; it must be a number", R"({"mean":[null],"deviation":[1]})"},
      {"melgrad_format", "format 2", "2"},
  };
  for (const auto& [key, says, value] : table) expect_refused_metadata(key, value, says);
}

TEST_F(HostileCheckpoint, TheErrorAboutMetadataNamesARemedy) {
  expect_refused_metadata("crop_frames", "0", "fetch it again or train again");
  expect_refused_metadata("crop_frames", "[", "fetch it again or train again");
  expect_refused_metadata("standardisation", "{}", "fetch it again or train again");
}

// Ten minutes of silence are a few KB of FLAC. Settings that are each allowed would turn them into 2 GB of features.
TEST_F(HostileCheckpoint, SettingsCannotTurnKilobytesIntoGigabytes) {
  write_sound(folder_ / "a.flac", {std::vector<float>(size_t{599} * 8000), 8000}, SF_FORMAT_FLAC | SF_FORMAT_PCM_16);
  SafeTensors checkpoint = valid_checkpoint();
  checkpoint.metadata["mel"] =
      R"({"sample_rate":22050,"n_fft":256,"n_mels":128,"fmin":0,"fmax":0,"htk":false,"top_db":80,"hop_length":3})";
  write_safetensors(folder_ / "m.safetensors", checkpoint);
  const std::string audio = (folder_ / "a.flac").string(), model = (folder_ / "m.safetensors").string();
  expect_refused({"predict", model, audio, "--quiet"}, audio + ": its ");
  expect_refused({"predict", model, audio, "--quiet"},
                 "MiB of features at n_mels 128 and hop_length 3; raise hop_length");
  EXPECT_EQ(call({"predict", model, (folder_ / "a.wav").string()}).exit_code, 0);
}

SharedBytes with_first(float value, const SharedBytes& bytes) {
  std::vector<std::byte> changed(bytes.data(), bytes.data() + bytes.size());
  std::memcpy(changed.data(), &value, sizeof value);
  return SharedBytes(std::move(changed));
}

TEST_F(HostileCheckpoint, TensorsMustFitTheModel) {
  const std::pair<const char*, std::function<void(SafeTensors&)>> table[] = {
      {"is missing", [](SafeTensors& file) { file.tensors.pop_back(); }},
      {"the model has no tensor stray",
       [](SafeTensors& file) {
         file.tensors.push_back({"stray", "F32", {0}, {}});
       }},
      {"the model needs F32", [](SafeTensors& file) { file.tensors[0].dtype = "I32"; }},
      {"the model needs F32", [](SafeTensors& file) { file.tensors[0].shape.push_back(1); }},
      {"not finite",
       [](SafeTensors& file) {
         const float value = std::numeric_limits<float>::quiet_NaN();
         file.tensors[0].bytes = with_first(value, file.tensors[0].bytes);
       }},
      {"has the variance -1, which is negative",
       [](SafeTensors& file) {
         for (SafeTensor& tensor : file.tensors) {
           const float value = -1;
           if (tensor.name.ends_with("running_var")) tensor.bytes = with_first(value, tensor.bytes);
         }
       }},
  };
  for (const auto& [says, spoil] : table) {
    SafeTensors checkpoint = valid_checkpoint();
    spoil(checkpoint);
    expect_refused_with(checkpoint, says);
  }
}

TEST_F(HostileCheckpoint, ATruncatedFileIsNamed) {
  write_safetensors(folder_ / "m.safetensors", valid_checkpoint());
  EXPECT_EQ(call(predict()).exit_code, 0);
  const std::string whole = read_file(folder_ / "m.safetensors");
  for (size_t percent = 0; percent < 100; percent += 3) {
    write_text(folder_ / "m.safetensors", whole.substr(0, whole.size() * percent / 100));
    expect_refused(predict(), "m.safetensors is not a valid safetensors file");
  }
}

TEST_F(HostileCheckpoint, AFileThatIsNotACheckpointIsNamed) {
  expect_refused({"predict", (folder_ / "a.wav").string(), (folder_ / "a.wav").string()},
                 "is not a valid safetensors file");
  expect_refused({"predict", folder_.path().string(), (folder_ / "a.wav").string()}, "does not exist");
  SafeTensors foreign = valid_checkpoint();
  foreign.metadata.clear();
  expect_refused_with(foreign, "is not a melgrad checkpoint");
}

}  // namespace
}  // namespace melgrad::test
