#include "framework/audio/decoder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <thread>

#include "framework/audio/audio_file.h"
#include "framework/audio/length_field.h"
#include "framework/io/atomic_file.h"
#include "kernels/device/error.h"
#include "tests/support/audio_files.h"
#include "tests/support/errors.h"
#include "tests/support/wav_bytes.h"

namespace melgrad::test {
namespace {

std::vector<float> decode(const fs::path& path, size_t piece = 5000) {
  Decoder decoder(path);
  std::vector<float> samples, buffer(piece);
  while (const size_t count = decoder.read(buffer))
    samples.insert(samples.end(), buffer.begin(), buffer.begin() + count);
  EXPECT_EQ(decoder.samples(), static_cast<int64_t>(samples.size()));
  return samples;
}

std::string decoding_error(const fs::path& path) {
  return error_of([&] { decode(path); });
}

void replace_bytes(const fs::path& path, size_t position, const std::string& with) {
  std::string bytes = read_file(path);
  write_file_atomically(path, bytes.replace(position, with.size(), with));
}

void cut(const fs::path& path, double share) {
  fs::resize_file(path, static_cast<uintmax_t>(share * static_cast<double>(fs::file_size(path))));
}

// The correlation of two signals. A lossy codec keeps it near 1.
double correlation(const std::vector<float>& a, const std::vector<float>& b) {
  double ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    ab += double{a[i]} * b[i];
    aa += double{a[i]} * a[i];
    bb += double{b[i]} * b[i];
  }
  return ab / std::sqrt(aa * bb);
}

struct Format {
  const char* name;
  int code;
  double step;  // the largest error of a lossless format; 0 for a lossy one
  int rate = 22050;
};
void PrintTo(const Format& format, std::ostream* out) { *out << format.name; }

class Formats : public testing::TestWithParam<Format> {};
TEST_P(Formats, AreDecodedToTheSamplesThatWereWritten) {
  const Format format = GetParam();
  const TemporaryFolder folder;
  const std::vector<float> signal = synthetic_signal("chord", format.rate, 1.5);
  write_sound(folder / "signal", {signal, format.rate}, format.code);
  const std::vector<float> decoded = decode(folder / "signal");
  ASSERT_EQ(decoded.size(), signal.size());
  EXPECT_EQ(Decoder(folder / "signal").sample_rate(), format.rate);
  if (format.step == 0) {
    EXPECT_GT(correlation(decoded, signal), 0.99);
  } else {
    for (size_t i = 0; i < signal.size(); ++i) ASSERT_NEAR(decoded[i], signal[i], format.step) << i;
  }
}
INSTANTIATE_TEST_SUITE_P(Decoder, Formats,
                         testing::Values(Format{"wav_8", SF_FORMAT_WAV | SF_FORMAT_PCM_U8, 0x1p-6},
                                         Format{"wav_16", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 0x1p-15},
                                         Format{"wav_24", SF_FORMAT_WAV | SF_FORMAT_PCM_24, 0x1p-23},
                                         Format{"wav_32", SF_FORMAT_WAV | SF_FORMAT_PCM_32, 0x1p-24},
                                         Format{"wav_float", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 0x1p-30},
                                         Format{"wav_double", SF_FORMAT_WAV | SF_FORMAT_DOUBLE, 0x1p-30},
                                         Format{"wav_extensible", SF_FORMAT_WAVEX | SF_FORMAT_PCM_16, 0x1p-15},
                                         Format{"rf64", SF_FORMAT_RF64 | SF_FORMAT_PCM_16, 0x1p-15},
                                         Format{"aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_16, 0x1p-15},
                                         Format{"au_16", SF_FORMAT_AU | SF_FORMAT_PCM_16, 0x1p-15},
                                         Format{"au_mu_law", SF_FORMAT_AU | SF_FORMAT_ULAW, 0x1p-5},
                                         Format{"flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 0x1p-15},
                                         Format{"vorbis", SF_FORMAT_OGG | SF_FORMAT_VORBIS, 0},
                                         Format{"opus", SF_FORMAT_OGG | SF_FORMAT_OPUS, 0, 48000},
                                         Format{"mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 0}),
                         [](const auto& instance) { return instance.param.name; });

TEST(Decoder, ScalesIntegersByThePowerOfTwo) {
  const TemporaryFolder folder;
  write_sound(folder / "a.wav", {std::vector<float>(3)});
  replace_bytes(folder / "a.wav", 44, std::string("\x00\x80\xff\x7f\x01\x00", 6));
  EXPECT_EQ(decode(folder / "a.wav"), (std::vector<float>{-1, 32767 / 32768.0f, 1 / 32768.0f}));
}

TEST(Decoder, AveragesTheChannels) {
  const TemporaryFolder folder;
  for (const int channels : {2, 3, 6}) {
    std::vector<float> interleaved, expected;
    for (int i = 0; i < 1000; ++i) {
      float sum = 0;
      for (int channel = 0; channel < channels; ++channel) {
        interleaved.push_back(static_cast<float>((i * 7 + channel * 31) % 100) / 128 - 0.3f);
        sum += interleaved.back();
      }
      expected.push_back(sum / static_cast<float>(channels));
    }
    write_sound(folder / "a.wav", {.samples = interleaved, .channels = channels}, SF_FORMAT_WAV | SF_FORMAT_FLOAT);
    EXPECT_EQ(decode(folder / "a.wav", 77), expected) << channels;
  }
}

// ffmpeg, sox and others leave such lengths in a header when they write to a pipe.
TEST(Decoder, ReadsToTheEndIfTheLengthIsAPlaceholder) {
  const TemporaryFolder folder;
  write_sound(folder / "good.wav", {synthetic_signal("noise", 22050, 0.5)});
  write_sound(folder / "good.au", {synthetic_signal("noise", 22050, 0.5)}, SF_FORMAT_AU | SF_FORMAT_PCM_16);
  const std::vector<float> signal = decode(folder / "good.wav");
  for (const std::string& length : {std::string(4, '\xff'), std::string(4, '\0'), std::string("\x00\xf0\xff\x7f", 4)}) {
    fs::copy_file(folder / "good.wav", folder / "pipe.wav", fs::copy_options::overwrite_existing);
    replace_bytes(folder / "pipe.wav", 40, length);
    EXPECT_EQ(decode(folder / "pipe.wav"), signal) << "the length of the data alone";
    replace_bytes(folder / "pipe.wav", 4, length);
    EXPECT_EQ(decode(folder / "pipe.wav"), signal) << "both lengths";
  }
  replace_bytes(folder / "good.au", 8, std::string(4, '\xff'));
  EXPECT_EQ(decode(folder / "good.au"), signal);
}

// The samples are as long as the placeholder of SoX claims, and another chunk follows them.
TEST(Decoder, AcceptsALengthOfNearly2GiBThatIsTrue) {
  const TemporaryFolder folder;
  constexpr uint32_t claimed = 0x7F000008;
  const std::string header = wav_bytes({.claimed = claimed}, "");
  for (const auto& [bytes, placeholder] : {std::pair{claimed + 20, false}, std::pair{claimed - 20, true}}) {
    const fs::path file = write_text(folder / "long.wav", header);
    fs::resize_file(file, header.size() + bytes);  // a sparse file
    const auto length = find_length_field(AudioFile(file));
    ASSERT_TRUE(length.has_value());
    EXPECT_EQ(length->placeholder, placeholder) << bytes;
  }
}

TEST(Decoder, ReadsAnActualPipe) {
  const TemporaryFolder folder;
  const std::vector<float> signal = synthetic_signal("noise", 22050, 3);
  write_sound(folder / "a.wav", {signal});
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  std::thread writer([&] { write_text(folder / "pipe", read_file(folder / "a.wav")); });
  EXPECT_EQ(decode(folder / "pipe"), decode(folder / "a.wav"));
  writer.join();
}

// libsndfile 1.2 ends such a file at a length that it estimates from the bit rate of the first frame.
TEST(Decoder, ReadsAnMp3WithoutAnInfoFrameToItsEnd) {
  const TemporaryFolder folder;
  const std::vector<float> signal = synthetic_signal("noise", 22050, 3);
  write_sound(folder / "a.mp3", {signal}, SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III);
  std::string bytes = read_file(folder / "a.mp3");
  const size_t info = std::min(bytes.find("Xing"), bytes.find("Info"));
  ASSERT_NE(info, std::string::npos);
  write_file_atomically(folder / "a.mp3", bytes.substr(bytes.find(bytes.substr(0, 2), info)));
  const size_t samples = decode(folder / "a.mp3").size();
  EXPECT_GE(samples, signal.size());
  EXPECT_LE(samples, signal.size() + size_t{4} * 1152);
}

TEST(Decoder, ReadsTheMusicAfterALongId3Tag) {
  const TemporaryFolder folder;
  write_sound(folder / "a.mp3", {synthetic_signal("chord", 22050, 1)}, SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III);
  const std::vector<float> plain = decode(folder / "a.mp3");
  // Version 2.3, no flags, then the size in groups of seven bits.
  constexpr int size = 20000;
  const std::string header = {'I', 'D', '3', 3, 0, 0, 0, size >> 14, size >> 7 & 127, size & 127};
  write_file_atomically(folder / "tagged.mp3", header + std::string(size, '\0') + read_file(folder / "a.mp3"));
  EXPECT_EQ(decode(folder / "tagged.mp3"), plain);
}

TEST(Decoder, AcceptsAHeaderThatPromisesSlightlyTooManySamples) {
  const TemporaryFolder folder;
  const std::vector<float> signal = synthetic_signal("noise", 22050, 1);
  write_sound(folder / "a.wav", {signal});
  const std::vector<float> whole = decode(folder / "a.wav");
  cut(folder / "a.wav", 0.995);
  const std::vector<float> decoded = decode(folder / "a.wav");
  EXPECT_GT(decoded.size(), whole.size() * 99 / 100);
  EXPECT_TRUE(std::equal(decoded.begin(), decoded.end(), whole.begin()));
}

struct Fault {
  const char* file;
  std::function<void(const fs::path&)> make;
  const char* says;
};

TEST(Decoder, NamesTheFaultOfAFileInOneLine) {
  const std::vector<float> signal = synthetic_signal("noise", 22050, 2);
  const auto audio = [&](int format) {
    return [&signal, format](const fs::path& path) { write_sound(path, {signal}, format); };
  };
  const auto halved = [&](int format) {
    return [&signal, format](const fs::path& path) {
      write_sound(path, {signal}, format);
      cut(path, 0.5);
    };
  };
  const auto text = [](const std::string& bytes) { return [bytes](const fs::path& path) { write_text(path, bytes); }; };
  const std::string letter(400, 'a');
  const std::string adts_frame = "\xff\xf1\x50\x80\x02\x9f\xfc" + std::string(13, 'a');  // of 20 bytes
  const std::vector<Fault> table = {
      {"absent.wav", [](const fs::path&) {}, "No such file"},
      {"folder.wav", [](const fs::path& path) { fs::create_directory(path); }, "is a folder"},
      {"empty.wav", text(""), "is empty"},
      {"text.wav", text("Dear diary, " + letter), "is a text file, not audio; download it again"},
      {"text.mp3", text("<!DOCTYPE html><html>" + letter), "is an HTML page, not audio; download it again"},
      {"zeros.wav", text(std::string(4000, '\0')), "holds no audio that can be read"},
      {"header.wav",
       [&](const fs::path& path) {
         write_sound(path, {signal});
         fs::resize_file(path, 30);
       },
       "holds no audio that can be read"},
      {"none.wav", [](const fs::path& path) { write_sound(path, {}); }, "holds no samples"},
      {"slow.wav",
       [&](const fs::path& path) {
         write_sound(path, {signal, 1});
       },
       "sample rate of 1 Hz"},
      {"half.wav", halved(SF_FORMAT_WAV | SF_FORMAT_PCM_16), "49 % of the audio that its header claims"},
      {"half.au", halved(SF_FORMAT_AU | SF_FORMAT_PCM_16), "49 % of the audio that its header claims"},
      {"half.flac", halved(SF_FORMAT_FLAC | SF_FORMAT_PCM_16), "damaged or truncated"},
      {"half.opus", halved(SF_FORMAT_OGG | SF_FORMAT_VORBIS), ""},
      {"song.m4a", text(std::string("\0\0\0 ftypM4A \0\0\0\0", 16) + letter),
       "is M4A (AAC or ALAC in MP4), which is not supported; convert it, e.g. ffmpeg -i"},
      {"song.ogg", text(adts_frame + adts_frame + adts_frame), "is AAC (ADTS), which"},
      {"other.m4a", text(letter), "is a text file, not audio"},
      {"song.wma", text("\x30\x26\xb2\x75" + letter), "is WMA (ASF), which"},
      {"renamed.m4a", audio(SF_FORMAT_WAV | SF_FORMAT_PCM_16), ""},
  };
  const TemporaryFolder folder;
  for (const Fault& fault : table) {
    const fs::path path = folder / fault.file;
    fault.make(path);
    const std::string message = decoding_error(path);
    if (*fault.says == '\0') {
      EXPECT_EQ(message, "") << fault.file;
      continue;
    }
    expect_contains(message, path.string());
    expect_contains(message, fault.says);
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  }
}

TEST(Decoder, NamesThePositionOfASampleThatIsNotFinite) {
  const TemporaryFolder folder;
  for (const float value : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    std::vector<float> signal(44100);
    signal[33075] = value;
    write_sound(folder / "a.wav", {signal}, SF_FORMAT_WAV | SF_FORMAT_FLOAT);
    const std::string message = decoding_error(folder / "a.wav");
    expect_contains(message, "not a finite number at 1.500 s");
    expect_contains(message, "a.wav");
  }
}

TEST(Decoder, NamesAFileWithoutReadPermission) {
  const TemporaryFolder folder;
  write_sine(folder / "a.wav", 440);
  fs::permissions(folder / "a.wav", fs::perms::none);
  const bool is_root = geteuid() == 0;
  constexpr uid_t nobody = 65534;
  fs::permissions(folder.path(), fs::perms::all);
  if (is_root && seteuid(nobody) != 0) GTEST_SKIP() << "root cannot become another user here";
  const std::string message = decoding_error(folder / "a.wav");
  ASSERT_EQ(seteuid(is_root ? 0 : geteuid()), 0);
  expect_contains(message, "a.wav: Permission denied");
}

TEST(Decoder, CanBeUsedByManyThreads) {
  const TemporaryFolder folder;
  const std::vector<float> signal = synthetic_signal("noise", 22050, 1);
  write_sound(folder / "a.wav", {signal});
  write_sound(folder / "a.mp3", {signal}, SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III);
  write_text(folder / "text.wav", "no audio");
  const std::vector<float> wav = decode(folder / "a.wav"), mp3 = decode(folder / "a.mp3");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 5; ++round) {
        EXPECT_EQ(decode(folder / "a.wav"), wav);
        EXPECT_EQ(decode(folder / "a.mp3"), mp3);
        expect_contains(decoding_error(folder / "text.wav"), "is a text file");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace melgrad::test
