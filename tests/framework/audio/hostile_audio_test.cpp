// Audio files with false headers, truncated files and files that are not audio: the error is one line that names the
// file, and memory use is proportional to the file.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "framework/audio/decoder.h"
#include "framework/dataset/feature_cache.h"
#include "framework/io/atomic_file.h"
#include "framework/terminal/text.h"
#include "tests/support/audio_files.h"
#include "tests/support/errors.h"
#include "tests/support/wav_bytes.h"

namespace melgrad::test {
namespace {

int64_t decoded_frames(const fs::path& path) {
  Decoder decoder(path);
  std::vector<float> buffer(1 << 15);
  while (decoder.read(buffer) > 0) continue;
  return decoder.samples();
}

// The error or, if the file can be decoded, the warning.
std::string complaint(const fs::path& path) {
  std::string warning;
  const std::string error = error_of([&] {
    Decoder decoder(path);
    std::vector<float> buffer(1 << 15);
    while (decoder.read(buffer) > 0) continue;
    warning = decoder.warning();
  });
  return error.empty() ? warning : error;
}

struct HostileWav {
  const char* what;
  std::string bytes;
  const char* says;  // empty if the file is read
};

TEST(HostileAudio, HeadersAreChecked) {
  const std::string tone(2000, '\x11');
  const std::vector<HostileWav> table = {
      {"claims 0 bytes", wav_bytes({.claimed = 0}, tone), ""},
      {"claims 4 GiB", wav_bytes({.claimed = 0xFFFFFFFF}, tone), ""},
      {"claims nearly 2 GiB", wav_bytes({.claimed = 0x70000000}, tone), "is truncated: it holds 0 %"},
      {"claims 3 GiB", wav_bytes({.claimed = 0xC0000000}, tone), "is truncated: it holds 0 %"},
      {"from arecord", wav_bytes({.claimed = 0x80000000}, tone), ""},
      {"no channels", wav_bytes({.channels = 0}, tone), "holds no audio that can be read"},
      {"65535 channels", wav_bytes({.channels = 65535}, tone), "holds no audio that can be read"},
      {"0 Hz", wav_bytes({.rate = 0}, tone), "its header is broken"},
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
    SCOPED_TRACE(wav.what);
    const fs::path path = write_text(folder / "a.wav", wav.bytes);
    const std::string message = error_of([&] { decoded_frames(path); });
    if (*wav.says == '\0') {
      EXPECT_EQ(message, "");
      continue;
    }
    expect_contains(message, wav.says);
    expect_contains(message, path.string());
    EXPECT_EQ(one_line(message), message);
  }
}

// An error or a warning names the file, unless less than a hundredth is missing.
TEST(HostileAudio, AFileTruncatedAnywhereIsNamed) {
  const TemporaryFolder folder;
  constexpr int rate = 24000;  // one that Opus knows
  const std::vector<float> signal = synthetic_signal("noise", rate, 2);
  const std::pair<const char*, int> formats[] = {
      {"a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16},
      {"rf64.wav", SF_FORMAT_RF64 | SF_FORMAT_PCM_16},
      {"rifx.wav", SF_FORMAT_WAV | SF_ENDIAN_BIG | SF_FORMAT_PCM_16},
      {"w64.wav", SF_FORMAT_W64 | SF_FORMAT_PCM_16},
      {"a.aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_16},
      {"a.aifc", SF_FORMAT_AIFF | SF_FORMAT_FLOAT},
      {"adpcm.aifc", SF_FORMAT_AIFF | SF_FORMAT_IMA_ADPCM},
      {"a.au", SF_FORMAT_AU | SF_FORMAT_PCM_16},
      {"little_endian.au", SF_FORMAT_AU | SF_ENDIAN_LITTLE | SF_FORMAT_PCM_16},
      {"a.caf", SF_FORMAT_CAF | SF_FORMAT_PCM_16},
      {"alac.caf", SF_FORMAT_CAF | SF_FORMAT_ALAC_16},
      {"a.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16},
      {"a.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS},
      {"a.opus", SF_FORMAT_OGG | SF_FORMAT_OPUS},
      {"a.mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III}};
  for (const auto& [name, format] : formats) {
    write_sound(folder / name, {signal, rate}, format);
    const std::string whole = read_file(folder / name);
    EXPECT_EQ(complaint(folder / name), "") << name;
    for (size_t percent = 0; percent <= 99; ++percent) {
      const fs::path path =
          write_text(folder / ("cut_" + std::string(name)), whole.substr(0, whole.size() * percent / 100));
      const std::string message = complaint(path);
      EXPECT_NE(message.find(path.string()), std::string::npos) << name << " at " << percent << " %: " << message;
    }
  }
}

struct ChunkedFormat {
  const char* name;
  int format;
  const char* audio;     // the name of the chunk with the samples
  const char* field;     // text in the header, found `offset` bytes before the length of the samples
  size_t offset, width;  // in bytes
  bool big_endian;
  std::string chunk;  // another chunk: 3 bytes and padding

  std::string length(uint64_t value) const {
    std::string bytes = bytes_of(value).substr(0, width);
    return big_endian ? std::string(bytes.rbegin(), bytes.rend()) : bytes;
  }
};

std::vector<ChunkedFormat> chunked_formats() {
  using namespace std::string_literals;
  const std::string riff = "junk\3\0\0\0odd\0"s, big_endian_riff = "junk\0\0\0\3odd\0"s;
  const std::string w64 = "junk\xF3\xAC\xD3\x11\x8C\xD1\0\xC0\x4F\x8E\xDB\x8A\x1B\0\0\0\0\0\0\0odd\0\0\0\0\0"s;
  const std::string aiff = "ANNO\0\0\0\3odd\0"s, caf = "free\0\0\0\0\0\0\0\3odd"s;
  const std::string rf64 = "junk\x8\0\0\0eight..."s;  // libsndfile fails on an odd length here
  return {{"a.wav", SF_FORMAT_WAV, "data", "data", 4, 4, false, riff},
          {"rifx.wav", SF_FORMAT_WAV | SF_ENDIAN_BIG, "data", "data", 4, 4, true, big_endian_riff},
          {"rf64.wav", SF_FORMAT_RF64, "data", "ds64", 16, 8, false, rf64},
          {"w64.wav", SF_FORMAT_W64, "data", "data", 16, 8, false, w64},
          {"a.aiff", SF_FORMAT_AIFF, "SSND", "SSND", 4, 4, true, aiff},
          {"a.caf", SF_FORMAT_CAF, "data", "data", 4, 8, true, caf}};
}

std::string file_of_chunks(const ChunkedFormat& format, const fs::path& path, const std::vector<float>& samples) {
  write_sound(path, {samples}, format.format | SF_FORMAT_PCM_16);
  return read_file(path);
}

// The number of samples in the file, or the error.
std::string outcome(const fs::path& path) {
  std::string result;
  const std::string message = error_of([&] { result = std::to_string(decoded_frames(path)); });
  return message.empty() ? result : message;
}

TEST(HostileAudio, OtherChunksDoNotHideATruncation) {
  const TemporaryFolder folder;
  const std::vector<float> signal = synthetic_signal("noise", 22050, 0.1);
  for (const ChunkedFormat& format : chunked_formats()) {
    SCOPED_TRACE(format.name);
    const fs::path path = folder / format.name;
    std::string whole = file_of_chunks(format, path, signal);
    whole.insert(whole.find(format.audio), format.chunk);
    write_text(path, whole + format.chunk + format.chunk);
    EXPECT_EQ(outcome(path), std::to_string(signal.size()));
    EXPECT_EQ(complaint(path), "");
    write_text(path, whole.substr(0, whole.size() - signal.size()));
    expect_contains(outcome(path), " is truncated: it holds 50 %");
    write_text(path, file_of_chunks(format, path, {}) + format.chunk);
    expect_contains(outcome(path), " holds no samples");
  }
}

TEST(HostileAudio, APlaceholderLengthMeansUntilTheEnd) {
  const TemporaryFolder folder;
  const std::vector<float> signal = synthetic_signal("noise", 22050, 0.1);
  for (const ChunkedFormat& format : chunked_formats()) {
    SCOPED_TRACE(format.name);
    const fs::path path = folder / format.name;
    const std::string whole = file_of_chunks(format, path, signal);
    const auto claim = [&](uint64_t length) {
      const size_t field = whole.find(format.field) + format.offset;
      write_text(path, std::string(whole).replace(field, format.width, format.length(length)));
      return outcome(path);
    };
    const uint64_t greatest = ~uint64_t{0} >> (64 - 8 * format.width);
    for (const uint64_t placeholder : {uint64_t{0}, greatest, greatest / 2}) {
      EXPECT_EQ(claim(placeholder), std::to_string(signal.size())) << placeholder;
    }
    expect_contains(claim(greatest / 4), " is truncated: it holds 0 %");
  }
}

TEST(HostileAudio, AnAiffWrittenToAPipeIsReadToTheEnd) {
  const TemporaryFolder folder;
  const fs::path path = folder / "a.aiff";
  write_sound(path, {std::vector<float>(1000, 0.5f)}, SF_FORMAT_AIFF | SF_FORMAT_PCM_16);
  const std::string whole = read_file(path);
  const size_t frames = whole.find("COMM") + 10, bytes = whole.find("SSND") + 4;
  using namespace std::string_literals;
  const std::pair<std::string, std::string> left[] = {{"\0\0\0\0"s, "\0\0\0\0"s},           // by FFmpeg
                                                      {"\x3F\x80\0\0"s, "\x7F\0\0\x08"s}};  // by SoX
  for (const auto& [claimed_frames, claimed_bytes] : left) {
    write_text(path, std::string(whole).replace(frames, 4, claimed_frames).replace(bytes, 4, claimed_bytes));
    EXPECT_EQ(outcome(path), "1000");
  }
}

TEST(HostileAudio, TruncatedFilesAreUsedWithAWarningEveryTime) {
  const TemporaryFolder folder;
  write_sound(folder / "set/a/cut.ogg", {synthetic_signal("noise", 22050, 2)}, SF_FORMAT_OGG | SF_FORMAT_VORBIS);
  fs::resize_file(folder / "set/a/cut.ogg", fs::file_size(folder / "set/a/cut.ogg") * 3 / 4);
  const Dataset dataset = load_dataset(folder / "set");
  const std::vector<size_t> all{0};
  for (int run = 0; run < 2; ++run) {
    Progress progress("features", 1, "tracks", ProgressMode::quiet);
    const Features features = extract_features(dataset, all, {}, folder / "cache", progress);
    ASSERT_EQ(features.records.size(), 1u);
    EXPECT_GT(features.records[0].log_mel.frames, 0);
    EXPECT_EQ(features.cached, 0u);
    ASSERT_EQ(features.warnings.size(), 1u);
    expect_contains(features.warnings[0], "cut.ogg is cut off");
  }
}

TEST(HostileAudio, MemoryDoesNotGrowWithTheNumberOfChannels) {
  const TemporaryFolder folder;
  write_text(folder / "a.wav", wav_bytes({.channels = 1024, .bits = 8}, std::string(size_t{1024} * 1000, 'x')));
  Decoder decoder(folder / "a.wav");
  std::vector<float> buffer(1 << 15);
  EXPECT_LE(decoder.read(buffer) * 1024, 1u << 18);
  while (decoder.read(buffer) > 0) continue;
  EXPECT_EQ(decoder.samples(), 1000);
}

TEST(HostileAudio, AFewBytesThatDecodeToManyMinutesAreRefused) {
  const TemporaryFolder folder;
  write_sound(folder / "a.flac", {std::vector<float>(size_t{1200} * 8000), 8000}, SF_FORMAT_FLAC | SF_FORMAT_PCM_16);
  expect_error([&] { decoded_frames(folder / "a.flac"); }, "so it cannot be music");
}

TEST(HostileAudio, PipesAndDevicesInAManifestNeitherBlockNorFillTheDisk) {
  const TemporaryFolder folder;
  expect_error([] { Decoder("/dev/zero"); }, "/dev/zero is a device");
  ASSERT_EQ(mkfifo((folder / "pipe.wav").c_str(), 0600), 0);
  write_text(folder / "manifest.csv", "path,label\n/dev/zero,a\npipe.wav,b\n../,c\n");
  const Dataset dataset = load_dataset(folder.path());
  const std::vector<size_t> all{0, 1, 2};
  Progress progress("features", 3, "tracks", ProgressMode::quiet);
  const Features features = extract_features(dataset, all, {}, "", progress);
  ASSERT_EQ(features.failures.size(), 3u);
  for (const Features::Failure& failure : features.failures) {
    expect_contains(failure.message, dataset.tracks[failure.track].path.string());
  }
}

#if !defined(__SANITIZE_ADDRESS__)
int64_t peak_kibibytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

// Reads three hours of 8-bit audio: 86 MB, as float32 346 MB. Returns 0 if the peak memory is that of the features.
int features_of_three_hours() {
  const TemporaryFolder folder;
  constexpr uint32_t samples = 3 * 3600 * 8000;
  write_text(folder / "long.wav", wav_bytes({.rate = 8000, .bits = 8, .claimed = samples}, ""));
  fs::resize_file(folder / "long.wav", fs::file_size(folder / "long.wav") + samples);  // a sparse file
  const int64_t before = peak_kibibytes();
  const LogMel features =
      log_mel(folder / "long.wav", {.sample_rate = 8000, .n_fft = 256, .hop_length = 256, .n_mels = 8});
  const auto feature_kibibytes = static_cast<int64_t>(features.db.size() * sizeof(float) / 1024);
  if (features.seconds != 3 * 3600) return 2;
  return peak_kibibytes() - before < 4 * feature_kibibytes + (int64_t{32} << 10) ? 0 : 1;
}

TEST(HostileAudio, MemoryForThreeHoursIsThatOfTheirFeatures) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(std::_Exit(features_of_three_hours()), testing::ExitedWithCode(0), "");
}
#endif

}  // namespace
}  // namespace melgrad::test
