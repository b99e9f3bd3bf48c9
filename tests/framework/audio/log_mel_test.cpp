#include "framework/audio/log_mel.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "framework/io/atomic_file.h"
#include "framework/io/npy.h"
#include "kernels/device/error.h"
#include "tests/support/audio_files.h"
#include "tests/support/kernel_test.h"
#include "tests/support/paths.h"

namespace melgrad::test {
namespace {

struct LogMelCase {
  std::string name;
  nlohmann::json json;
};
void PrintTo(const LogMelCase& test, std::ostream* out) { *out << test.name; }

std::vector<LogMelCase> cases_with(const char* key) {
  std::ifstream file(fixtures() / "log_mel.json");
  std::vector<LogMelCase> cases;
  const auto fixtures = nlohmann::json::parse(file);
  for (const auto& json : fixtures.at("log_mel")) {
    if (json.contains(key)) cases.push_back({json.at("name"), json});
  }
  return cases;
}

MelSettings settings_of(const nlohmann::json& json) {
  return {.sample_rate = json.at("sample_rate"),
          .n_fft = json.at("n_fft"),
          .hop_length = json.at("hop_length"),
          .n_mels = json.at("n_mels"),
          .fmin = json.at("fmin"),
          .fmax = json.at("fmax"),
          .htk = json.at("htk"),
          .top_db = json.at("top_db")};
}

// Compares with librosa at the points in a fixture, which are rows of (band, frame, dB).
void expect_equals_librosa(const LogMel& mel, const nlohmann::json& json) {
  const MelSettings settings = settings_of(json.at("settings"));
  const NpyArray points =
      read_npy(fmt::format("{}/log_mel_{}.npy", fixtures().string(), json.at("name").get<std::string>()));
  ASSERT_EQ(mel.frames, json.at("frames").get<int64_t>());
  ASSERT_EQ(mel.n_mels, settings.n_mels);
  ASSERT_EQ(static_cast<int64_t>(mel.db.size()), mel.n_mels * mel.frames);
  ASSERT_GT(points.shape.at(0), 0);
  for (int64_t i = 0; i < points.shape[0]; ++i) {
    const float* point = points.values.data() + 3 * i;
    const auto band = static_cast<int64_t>(point[0]), frame = static_cast<int64_t>(point[1]);
    ASSERT_NEAR(mel.db[static_cast<size_t>(band * mel.frames + frame)], point[2], 1e-3)
        << "band " << band << " frame " << frame;
  }
}

class SyntheticLogMel : public testing::TestWithParam<LogMelCase> {};
TEST_P(SyntheticLogMel, EqualsLibrosa) {
  const nlohmann::json& json = GetParam().json;
  const MelSettings settings = settings_of(json.at("settings"));
  const double seconds = json.at("seconds");
  for (const Device device : available_devices()) {
    SCOPED_TRACE(name_of(device));
    const LogMel mel = log_mel(synthetic_signal(json.at("signal"), settings.sample_rate, seconds), settings, device);
    expect_equals_librosa(mel, json);
    EXPECT_NEAR(mel.seconds, seconds, 1.0 / settings.sample_rate);
  }
}
INSTANTIATE_TEST_SUITE_P(Fixtures, SyntheticLogMel, testing::ValuesIn(cases_with("signal")),
                         [](const auto& instance) { return instance.param.name; });

class RecordedLogMel : public testing::TestWithParam<LogMelCase> {};
TEST_P(RecordedLogMel, EqualsLibrosa) {
  const auto file = real_music() / "audio" / GetParam().name;
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "no " << file << "; set MELGRAD_DATA to the folder of audio/";
  const nlohmann::json& json = GetParam().json;
  for (const Device device : available_devices()) {
    SCOPED_TRACE(name_of(device));
    expect_equals_librosa(log_mel(file, settings_of(json.at("settings")), device), json);
  }
}
INSTANTIATE_TEST_SUITE_P(Fixtures, RecordedLogMel, testing::ValuesIn(cases_with("recording")),
                         [](const auto& instance) {
                           std::string name = instance.param.name;
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

TEST(LogMelSpectrogram, HasTheFrameCountOfAGtzanClip) {
  const std::vector<float> clip(661794, 0.5f);
  EXPECT_EQ(log_mel(clip, {}).frames, 1293);
}

TEST(LogMelSpectrogram, IsLimitedToTopDbBelowTheMaximumOfTheClip) {
  std::vector<float> clip(44100);
  clip[20000] = 1;
  for (const double top_db : {80.0, 30.0}) {
    const LogMel mel = log_mel(clip, {.top_db = top_db});
    const auto [low, high] = std::minmax_element(mel.db.begin(), mel.db.end());
    EXPECT_NEAR(*high - *low, top_db, 1e-4);
  }
}

TEST(LogMelSpectrogram, OfAFileEqualsThatOfItsSamplesAtAnyThreadCount) {
  const TemporaryFolder folder;
  const std::vector<float> signal = synthetic_signal("noise", 22050, 20);
  write_sound(folder / "noise.wav", {signal}, SF_FORMAT_WAV | SF_FORMAT_FLOAT);
  const LogMel expected = log_mel(signal, {});
  with_threads({1, 2, 4}, [&] {
    const LogMel mel = log_mel(folder / "noise.wav", {});
    EXPECT_EQ(mel.db, expected.db);
    EXPECT_DOUBLE_EQ(mel.seconds, 20);
  });
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  const std::jthread writer([&] { write_text(folder / "pipe", read_file(folder / "noise.wav")); });
  EXPECT_EQ(log_mel(folder / "pipe", {}).db, expected.db);
}

TEST(LogMelSpectrogram, OnCudaIsTheSameInSeveralThreads) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  const std::vector<float> signal = synthetic_signal("sweep", 22050, 0.3);
  const LogMel expected = log_mel(signal, {}, Device::cuda);
  std::vector<LogMel> results(3);
  std::vector<std::thread> threads;
  for (LogMel& result : results) threads.emplace_back([&] { result = log_mel(signal, {}, Device::cuda); });
  for (std::thread& thread : threads) thread.join();
  for (const LogMel& result : results) EXPECT_EQ(result.db, expected.db);
}

// CUDA computes in float64. The CPU may use float32 at the first value, where that errs by up to 0.001 dB.
TEST(LogMelSpectrogram, OnCudaAgreesWithTheCpuAtAnyTopDb) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  for (const double top_db : {80.0, 90.0, 120.0}) {
    for (const char* name : {"sweep", "chord", "noise", "clicks"}) {
      SCOPED_TRACE(testing::Message() << name << " " << top_db);
      const std::vector<float> signal = synthetic_signal(name, 22050, 1);
      const LogMel cpu = log_mel(signal, {.top_db = top_db}), cuda = log_mel(signal, {.top_db = top_db}, Device::cuda);
      expect_close(cuda.db, cpu.db, 0, top_db <= 80 ? 1e-3 : 1e-4);
    }
  }
}

// The CPU uses float64 for this n_fft, so both devices do.
TEST(LogMelSpectrogram, OnCudaAgreesWithTheCpuInFloat64) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  for (const char* name : {"sweep", "chord", "noise", "clicks"}) {
    const std::vector<float> signal = synthetic_signal(name, 22050, 1);
    const MelSettings settings{.n_fft = 1024};
    expect_close(log_mel(signal, settings, Device::cuda).db, log_mel(signal, settings).db, 0, 1e-4);
  }
}

TEST(LogMelSpectrogram, RefusesNaNAndAnEmptySignal) {
  std::vector<float> signal(4000);
  signal[3000] = std::nanf("");
  EXPECT_THROW(log_mel(signal, {}), Error);
  EXPECT_THROW(log_mel(std::vector<float>{}, {}), Error);
}

// 20 minutes are 38 MB of samples at 8 kHz and 106 MB at 22,050 Hz, but 4 MB of features with these settings.
TEST(LogMelSpectrogram, NeedsMemoryForItsFeaturesOnly) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "AddressSanitizer keeps freed memory";
#endif
  const TemporaryFolder folder;
  const auto path = folder / "long.wav";
  write_sound(path, {.samples = {}, .rate = 8000}, SF_FORMAT_WAV | SF_FORMAT_PCM_U8);
  constexpr int64_t samples = int64_t{20} * 60 * 8000;
  {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    const auto write_length = [&](int64_t position, uint32_t length) {
      file.seekp(position);
      file.write(reinterpret_cast<const char*>(&length), sizeof length);
    };
    write_length(4, samples + 36);
    write_length(40, samples);
  }
  std::filesystem::resize_file(path, 44 + samples);

  const MelSettings settings = {.hop_length = 1024, .n_mels = 40};
  log_mel(synthetic_signal("noise", 22050, 5), settings);
  const auto peak_kib = [] {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("VmHWM:")) return std::stol(line.substr(6));
    }
    return 0L;
  };
  std::ofstream("/proc/self/clear_refs") << 5;  // resets the peak
  const long before = peak_kib();
  const LogMel mel = log_mel(path, settings);
  EXPECT_EQ(mel.frames, 1 + samples * 22050 / 8000 / 1024);
  EXPECT_GT(before, 0);
  EXPECT_LT(peak_kib() - before, 20 * 1024);
}

struct WrongSettings {
  MelSettings settings;
  std::string says;
};

TEST(MelSettings, RefuseWrongValues) {
  const std::vector<WrongSettings> table = {
      {{.sample_rate = 0}, "sample_rate is 0"},
      {{.n_fft = 1}, "n_fft is 1"},
      {{.n_fft = 65537}, "n_fft is 65537; it must be 2 to 65536"},
      {{.hop_length = 0}, "hop_length is 0"},
      {{.n_mels = 0}, "n_mels is 0"},
      {{.fmin = -1}, "fmin is -1"},
      {{.fmin = 4000, .fmax = 4000}, "fmin is 4000"},
      {{.fmax = 11026}, "fmax is 11026 Hz; it must be positive and at most half the sample rate, 11025 Hz"},
      {{.fmax = -5}, "fmax is -5"},
      {{.fmax = std::nan("")}, "fmax is nan"},
      {{.top_db = -1}, "top_db is -1"},
  };
  for (const auto& [settings, says] : table) {
    const std::string message = error_of([&rejected = settings] { validate(rejected); });
    expect_contains(message, says);
  }
  EXPECT_NO_THROW(validate({}));
}

TEST(MelSettings, TellWhatTheyLose) {
  EXPECT_TRUE(setting_notes({}).empty());
  const std::vector<std::string> notes = setting_notes({.sample_rate = 48000, .n_fft = 512, .hop_length = 600});
  ASSERT_EQ(notes.size(), 2u);
  EXPECT_EQ(notes[0].substr(0, notes[0].find(" and")), "13 of 128 mel filters are empty");
  EXPECT_EQ(notes[1], "hop_length 600 is longer than n_fft 512: 88 of 600 samples are not used; lower --hop-length");
  expect_error([] { validate({.n_mels = 64, .fmin = 100, .fmax = 100.5}); }, "all mel filters are empty");
  expect_error([] { validate({.top_db = 0}); }, "top_db is 0; it must be above 0");
}

TEST(MelSettings, HaveTheSameDescriptionIfTheyComputeTheSame) {
  EXPECT_EQ(description({}), description({.fmax = 11025}));
  const std::vector<MelSettings> different = {
      {},          {.sample_rate = 16000}, {.n_fft = 1024}, {.hop_length = 256}, {.n_mels = 64},
      {.fmin = 1}, {.fmax = 8000},         {.htk = true},   {.top_db = 60}};
  for (size_t i = 0; i < different.size(); ++i) {
    for (size_t j = 0; j < i; ++j) EXPECT_NE(description(different[i]), description(different[j]));
  }
}

}  // namespace
}  // namespace melgrad::test
