// Audio files that lie, are cut off or are no audio: one line that names the file, and memory in proportion to it.
#include <gtest/gtest.h>
#include <sndfile.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "framework/audio/decoder.h"
#include "framework/audio/truncation.h"
#include "framework/data/feature_cache.h"
#include "framework/io/atomic_file.h"
#include "framework/text.h"
#include "tests/music_folder.h"
#include "tests/synthetic_signal.h"
#include "tests/wav_bytes.h"

namespace melgrad::test {
namespace {

void write_audio(const fs::path& path, int format, int rate, const std::vector<float>& samples) {
  SF_INFO info{};
  info.samplerate = rate;
  info.channels = 1;
  info.format = format;
  SNDFILE* file = sf_open(path.c_str(), SFM_WRITE, &info);
  ASSERT_NE(file, nullptr) << sf_strerror(nullptr);
  sf_writef_float(file, samples.data(), static_cast<sf_count_t>(samples.size()));
  sf_close(file);
}

int64_t decode(const fs::path& path) {
  Decoder decoder(path);
  std::vector<float> buffer(1 << 15);
  while (decoder.read(buffer) > 0) continue;
  return decoder.samples();
}

struct HostileWav {
  const char* what;
  std::string bytes;
  const char* says;  // empty: it is read
};

TEST(HostileAudio, AHeaderIsNeverBelieved) {
  const std::string tone(2000, '\x11');
  const std::vector<HostileWav> table = {
      {"claims 0 bytes", wav_bytes({.claimed = 0}, tone), ""},
      {"claims 4 GiB", wav_bytes({.claimed = 0xFFFFFFFF}, tone), ""},
      {"claims nearly 2 GiB", wav_bytes({.claimed = 0x70000000}, tone), "is truncated: it holds 0 %"},
      {"no channels", wav_bytes({.channels = 0}, tone), "holds no audio that can be read"},
      {"65535 channels", wav_bytes({.channels = 65535}, tone), "holds no audio that can be read"},
      {"0 Hz", wav_bytes({.rate = 0}, tone), "claims 0 Hz"},
      {"2^32 - 1 Hz", wav_bytes({.rate = 0xFFFFFFFF}, tone), "holds no audio that can be read"},
      {"2^31 - 1 Hz", wav_bytes({.rate = 0x7FFFFFFF}, tone), "sample rate of 2147483647 Hz"},
      {"no bits", wav_bytes({.bits = 0}, tone), "holds no audio that can be read"},
      {"unknown format", wav_bytes({.format = 999}, tone), "holds no audio that can be read"},
      {"8 channels at 192 kHz", wav_bytes({.channels = 8, .rate = 192000}, tone), ""},
      {"no data chunk", wav_bytes({.chunk = "junk"}, tone), "holds no audio that can be read"},
      {"NaN", wav_bytes({.format = 3, .bits = 32}, bytes_of(0.1f) + "\xFF\xFF\xFF\x7F"), "not a finite number"},
      {"3e38", wav_bytes({.format = 3, .bits = 32}, bytes_of(0.1f) + bytes_of(3e38f)), "a sample of 3e+38"},
      {"an odd byte", wav_bytes({}, tone + "x"), ""},
  };
  const TemporaryFolder folder;
  for (const HostileWav& wav : table) {
    const fs::path path = write_text(folder / "a.wav", wav.bytes);
    const std::string message = error_of([&] { decode(path); });
    if (*wav.says == '\0') {
      EXPECT_EQ(message, "") << wav.what;
      continue;
    }
    EXPECT_NE(message.find(wav.says), std::string::npos) << wav.what << ": " << message;
    EXPECT_NE(message.find(path.string()), std::string::npos) << message;
    EXPECT_EQ(one_line(message), message);
  }
}

// Either an error or a warning, by name, except where less than a hundredth is missing.
TEST(HostileAudio, AFileCutAnywhereIsNamed) {
  const TemporaryFolder folder;
  const std::vector<float> signal = synthetic_signal("noise", 22050, 2);
  const std::pair<const char*, int> formats[] = {{"a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16},
                                                 {"a.au", SF_FORMAT_AU | SF_FORMAT_PCM_16},
                                                 {"a.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16},
                                                 {"a.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS},
                                                 {"a.mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III}};
  for (const auto& [name, format] : formats) {
    write_audio(folder / name, format, 22050, signal);
    const std::string whole = read_file(folder / name);
    EXPECT_EQ(truncation_warning(folder / name), "") << name;
    for (size_t percent = 0; percent < 99; ++percent) {
      const fs::path path =
          write_text(folder / ("cut_" + std::string(name)), whole.substr(0, whole.size() * percent / 100));
      std::string message = error_of([&] { decode(path); });
      if (message.empty()) message = truncation_warning(path);
      EXPECT_NE(message.find(path.string()), std::string::npos) << name << " at " << percent << " %: " << message;
    }
  }
}

TEST(HostileAudio, CutFilesAreUsedAndWarnedOfFromTheCacheToo) {
  const TemporaryFolder folder;
  fs::create_directories(folder / "set/a");
  write_audio(folder / "set/a/cut.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS, 22050, synthetic_signal("noise", 22050, 2));
  fs::resize_file(folder / "set/a/cut.ogg", fs::file_size(folder / "set/a/cut.ogg") * 3 / 4);
  const Dataset dataset = load_dataset(folder / "set");
  const std::vector<size_t> all{0};
  for (int run = 0; run < 2; ++run) {
    Progress progress("features", 1, "tracks", ProgressMode::quiet);
    const Features features = extract_features(dataset, all, {}, folder / "cache", progress);
    EXPECT_GT(features.clips[0].frames, 0);
    EXPECT_EQ(features.cached, static_cast<size_t>(run));
    ASSERT_EQ(features.warnings.size(), 1u);
    EXPECT_NE(features.warnings[0].find("cut.ogg is cut off"), std::string::npos) << features.warnings[0];
  }
}

TEST(HostileAudio, ManyChannelsTakeNoMoreMemoryThanFew) {
  const TemporaryFolder folder;
  write_text(folder / "a.wav", wav_bytes({.channels = 1024, .bits = 8}, std::string(size_t{1024} * 1000, 'x')));
  Decoder decoder(folder / "a.wav");
  std::vector<float> buffer(1 << 15);
  EXPECT_LE(decoder.read(buffer) * 1024, 1u << 18);
  while (decoder.read(buffer) > 0) continue;
  EXPECT_EQ(decoder.samples(), 1000);
}

TEST(HostileAudio, AFewBytesThatStandForHoursAreRefused) {
  const TemporaryFolder folder;
  write_audio(folder / "a.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 8000, std::vector<float>(size_t{1200} * 8000));
  EXPECT_NE(error_of([&] { decode(folder / "a.flac"); }).find("which is no music"), std::string::npos);
}

TEST(HostileAudio, PipesAndDevicesOfAManifestNeitherBlockNorFillTheDisk) {
  const TemporaryFolder folder;
  EXPECT_NE(error_of([] { Decoder("/dev/zero"); }).find("/dev/zero is a device"), std::string::npos);
  ASSERT_EQ(mkfifo((folder / "pipe.wav").c_str(), 0600), 0);
  write_text(folder / "manifest.csv", "path,label\n/dev/zero,a\npipe.wav,b\n../,c\n");
  const Dataset dataset = load_dataset(folder.path());
  const std::vector<size_t> all{0, 1, 2};
  Progress progress("features", 3, "tracks", ProgressMode::quiet);
  const Features features = extract_features(dataset, all, {}, "", progress);
  ASSERT_EQ(features.failures.size(), 3u);
  for (const Features::Failure& failure : features.failures) {
    EXPECT_NE(failure.message.find(dataset.tracks[failure.track].path.string()), std::string::npos) << failure.message;
  }
}

#if !defined(__SANITIZE_ADDRESS__)
int64_t peak_kibibytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

// The exit code of a process that takes in three hours of 8-bit audio, 86 MB that would be 346 MB as float32.
int features_of_three_hours() {
  const TemporaryFolder folder;
  constexpr uint32_t samples = 3 * 3600 * 8000;
  write_text(folder / "long.wav", wav_bytes({.rate = 8000, .bits = 8, .claimed = samples}, ""));
  fs::resize_file(folder / "long.wav", fs::file_size(folder / "long.wav") + samples);  // a hole: no disk is used
  const int64_t before = peak_kibibytes();
  const LogMel features =
      log_mel(folder / "long.wav", {.sample_rate = 8000, .n_fft = 256, .hop_length = 256, .n_mels = 8});
  const auto feature_kibibytes = static_cast<int64_t>(features.db.size() * sizeof(float) / 1024);
  if (features.seconds != 3 * 3600) return 2;
  return peak_kibibytes() - before < 4 * feature_kibibytes + (int64_t{32} << 10) ? 0 : 1;
}

TEST(HostileAudio, ThreeHoursTakeTheMemoryOfTheirFeatures) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(std::_Exit(features_of_three_hours()), testing::ExitedWithCode(0), "");
}
#endif

}  // namespace
}  // namespace melgrad::test
