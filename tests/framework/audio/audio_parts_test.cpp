// Files that consist of several files, files behind tags, and files of which a part cannot be read.
#include "framework/audio/audio_parts.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "framework/audio/decoder.h"
#include "framework/io/atomic_file.h"
#include "tests/support/audio_files.h"
#include "tests/support/errors.h"
#include "tests/support/wav_bytes.h"

namespace melgrad::test {
namespace {

using namespace std::string_literals;

struct Decoded {
  int64_t samples = 0;
  int rate = 0;
  std::string warning;
};

Decoded decode_to_end(const fs::path& path) {
  Decoder decoder(path);
  std::vector<float> buffer(4096);
  while (decoder.read(buffer) > 0) continue;
  return {decoder.samples(), decoder.sample_rate(), decoder.warning()};
}

struct Encoding {
  const char* name;
  int format;
  int rate = 24000, channels = 1;
};
constexpr Encoding vorbis{"a.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS}, opus{"a.opus", SF_FORMAT_OGG | SF_FORMAT_OPUS},
    flac{"a.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16}, mp3{"a.mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III},
    wav{"a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16}, aiff{"a.aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_16},
    w64{"a.w64", SF_FORMAT_W64 | SF_FORMAT_PCM_16}, caf{"a.caf", SF_FORMAT_CAF | SF_FORMAT_PCM_16};

class AudioParts : public testing::Test {
 protected:
  // The bytes of one second of noise.
  std::string encoded(const Encoding& encoding, double seconds = 1) const {
    const auto frames = static_cast<size_t>(seconds * encoding.rate);
    const std::vector<float> mono = synthetic_signal("noise", encoding.rate, seconds);
    std::vector<float> interleaved;
    for (size_t i = 0; i < frames; ++i)
      interleaved.insert(interleaved.end(), static_cast<size_t>(encoding.channels), mono[i]);
    return read_file(
        write_sound(folder_ / encoding.name, {interleaved, encoding.rate, encoding.channels}, encoding.format));
  }
  fs::path file(const std::string& bytes, const char* name = "joined") const {
    return write_text(folder_ / name, bytes);
  }
  double seconds(const std::string& bytes) const {
    const Decoded decoded = decode_to_end(file(bytes));
    EXPECT_EQ(decoded.warning, "");
    return static_cast<double>(decoded.samples) / decoded.rate;
  }

  TemporaryFolder folder_;
};

// ID3v2.4, section 3.1: ten bytes, the size in groups of seven bits; flag 0x10 announces a footer of ten bytes.
std::string id3v2(int size, bool footer = false, int version = 4) {
  const std::string sizes{static_cast<char>(size >> 21 & 127), static_cast<char>(size >> 14 & 127),
                          static_cast<char>(size >> 7 & 127), static_cast<char>(size & 127)};
  const std::string rest = std::string{static_cast<char>(version), 0, static_cast<char>(footer ? 0x10 : 0)} + sizes;
  return "ID3" + rest + std::string(static_cast<size_t>(size), 'x') + (footer ? "3DI" + rest : "");
}

std::string id3v1() { return "TAG" + std::string(125, 'x'); }

std::string ape(size_t size) {
  const auto block = [size](uint32_t flags) {
    return "APETAGEX" + bytes_of(uint32_t{2000}) + bytes_of(static_cast<uint32_t>(size + 32)) + bytes_of(uint32_t{1}) +
           bytes_of(flags) + std::string(8, '\0');
  };
  return block(0xA0000000) + std::string(size, 'x') + block(0x80000000);
}

std::string thrice(const std::string& bytes) {
  std::string result;
  for (int i = 0; i < 3; ++i) result += bytes;
  return result;
}

TEST_F(AudioParts, FilesThatWereJoinedAreReadToTheEnd) {
  for (const Encoding& encoding : {vorbis, opus, flac, wav, aiff, w64, caf}) {
    SCOPED_TRACE(encoding.name);
    EXPECT_NEAR(seconds(thrice(encoded(encoding))), 3, 0.01);
  }
  // LAME adds a delay and padding; the Info frame of each file tells how much.
  const std::string one = encoded(mp3);
  EXPECT_NEAR(seconds(thrice(one)), 3, 0.02);
  EXPECT_NEAR(seconds(one + id3v1() + id3v2(3000) + one), 2, 0.02);
}

TEST_F(AudioParts, LinksOfOneOggFileMayDifferInCodecRateAndChannels) {
  Encoding stereo = vorbis;
  stereo.channels = 2;
  Encoding slow = vorbis;
  slow.rate = 11025;
  EXPECT_NEAR(seconds(encoded(vorbis) + encoded(opus) + encoded(stereo) + encoded(slow)), 4, 0.01);
  EXPECT_EQ(decode_to_end(file(encoded(slow) + encoded(vorbis))).rate, 11025);
}

TEST_F(AudioParts, JoinedMp3MayDifferInRateAndChannels) {
  Encoding stereo = mp3, fast = mp3;
  stereo.channels = 2;
  fast.rate = 44100;
  EXPECT_NEAR(seconds(encoded(mp3) + encoded(stereo) + encoded(fast)), 3, 0.03);
}

TEST_F(AudioParts, ASecondPartKeepsItsSamples) {
  const std::string one = encoded(wav), two = encoded(flac);
  std::vector<float> expected, buffer(100000), found;
  Decoder first(file(one));
  while (const size_t count = first.read(buffer))
    expected.insert(expected.end(), buffer.begin(), buffer.begin() + count);
  Decoder twice(file(one + one));
  while (const size_t count = twice.read(buffer)) found.insert(found.end(), buffer.begin(), buffer.begin() + count);
  ASSERT_EQ(found.size(), 2 * expected.size());
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), found.begin() + static_cast<ptrdiff_t>(expected.size())));
}

TEST_F(AudioParts, TagsAroundEveryFormatAreNoAudio) {
  for (const Encoding& encoding : {wav, aiff, flac, mp3, vorbis, opus, w64, caf}) {
    SCOPED_TRACE(encoding.name);
    const std::string plain = encoded(encoding);
    const int64_t samples = decode_to_end(file(plain)).samples;
    for (const std::string& bytes :
         {id3v2(30000) + plain, id3v2(100, true) + plain, id3v2(5) + id3v2(200, false, 3) + plain,
          id3v2(700) + std::string(999, '\0') + plain, ape(50) + plain, plain + id3v1(), plain + ape(300) + id3v1(),
          plain + "TAG+" + std::string(223, 'x') + id3v1(), plain + id3v2(80, true),
          plain + "LYRICSBEGINla la la" + "000019" + "LYRICS200" + id3v1()}) {
      const Decoded decoded = decode_to_end(file(bytes));
      EXPECT_EQ(decoded.samples, samples);
      EXPECT_EQ(decoded.warning, "");
    }
  }
  expect_error([&] { decode_to_end(file(id3v2(1000))); }, "holds only tags (1010 bytes) and no audio");
}

TEST_F(AudioParts, ACutBehindTagsIsTold) {
  const std::string whole = encoded(mp3);
  for (const std::string& tags : {""s, id3v2(5000) + id3v2(70), id3v2(10) + std::string(500, '\0')}) {
    expect_contains(decode_to_end(file(tags + whole.substr(0, whole.size() / 2))).warning,
                    "joined is cut off: its MP3 data");
  }
  const std::string ogg = encoded(vorbis, 10);
  expect_contains(decode_to_end(file(id3v2(99) + ogg.substr(0, ogg.size() * 2 / 3))).warning,
                  "is cut off: its Ogg data");
  expect_contains(decode_to_end(file(ogg + ogg.substr(0, ogg.size() * 2 / 3))).warning, "is cut off: its Ogg data");
  expect_error([&] { decode_to_end(file(id3v2(99) + encoded(wav).substr(0, 9000))); }, "is truncated: it holds 18 %");
}

TEST_F(AudioParts, BytesThatAreNotReadAreCounted) {
  const std::string noise(200000, 'z');
  expect_contains(decode_to_end(file(encoded(mp3) + noise)).warning,
                  "1.00 s are used, without 200000 bytes that are not MPEG audio");
  const std::string ogg = encoded(vorbis, 10);
  const std::string both = decode_to_end(file(ogg + noise + ogg.substr(0, ogg.size() / 2))).warning;
  expect_contains(both, "without 200000 bytes between Ogg pages and the part that was cut off its end");
  const Decoded around = decode_to_end(file(encoded(mp3, 3) + noise + encoded(mp3, 3).substr(3000)));
  expect_contains(around.warning, "bytes that are not MPEG audio");
  EXPECT_GT(around.samples, 24000 * 5);
  expect_contains(decode_to_end(file(encoded(vorbis) + noise + encoded(vorbis))).warning,
                  "without 200000 bytes between Ogg pages");
  expect_contains(decode_to_end(file(encoded(wav) + noise)).warning,
                  "without 200000 bytes behind the end of the audio");
  EXPECT_EQ(decode_to_end(file(encoded(wav) + std::string(200000, '\0'))).warning, "");
  expect_contains(decode_to_end(file(encoded(flac) + noise)).warning, "bytes at its end");
}

TEST_F(AudioParts, DamagedAndMissingOggPagesAreCounted) {
  std::string bytes = encoded(vorbis, 10);
  std::vector<size_t> pages;
  for (size_t at = bytes.find("OggS"); at != std::string::npos; at = bytes.find("OggS", at + 1)) pages.push_back(at);
  ASSERT_GT(pages.size(), 6u);
  std::string damaged = bytes;
  damaged[pages[4] + 1000] ^= 1;
  expect_contains(decode_to_end(file(damaged)).warning, "without 1 damaged and 0 missing Ogg pages");
  bytes.erase(pages[3], pages[4] - pages[3]);
  expect_contains(decode_to_end(file(bytes)).warning, "without 0 damaged and 1 missing Ogg pages");
}

// A page of one packet (RFC 3533, section 6).
std::string ogg_page(const std::string& packet, unsigned char flags, uint32_t serial, uint32_t sequence) {
  std::string page = "OggS"s + '\0' + static_cast<char>(flags) + std::string(8, '\0') + bytes_of(serial) +
                     bytes_of(sequence) + std::string(4, '\0') + '\1' + static_cast<char>(packet.size()) + packet;
  uint32_t crc = 0;
  for (const char byte : page) {
    crc ^= static_cast<uint32_t>(static_cast<unsigned char>(byte)) << 24;
    for (int bit = 0; bit < 8; ++bit) crc = crc << 1 ^ ((crc & 0x80000000) != 0 ? 0x04C11DB7 : 0);
  }
  return page.replace(22, 4, bytes_of(crc));
}

// Skeleton describes the other streams; its pages lie among theirs.
TEST_F(AudioParts, AnOggFileWithASkeletonStreamIsRead) {
  const std::string audio = encoded(vorbis);
  const size_t second = audio.find("OggS", 1);
  const std::string skeleton = ogg_page("fishead" + std::string(57, '\0'), 2, 77, 0);
  const std::string bone = ogg_page("fisbone" + std::string(60, '\0'), 0, 77, 1), end = ogg_page("", 4, 77, 2);
  const std::string mixed = skeleton + audio.substr(0, second) + bone + end + audio.substr(second);
  EXPECT_EQ(decode_to_end(file(mixed)).samples, decode_to_end(file(audio)).samples);
  EXPECT_EQ(decode_to_end(file(mixed)).warning, "");
  const std::string video = ogg_page("\x80theora" + std::string(30, 'v'), 2, 5, 0) + ogg_page("vvv", 4, 5, 1);
  expect_error([&] { decode_to_end(file(video)); }, "is Theora in Ogg, which is not supported");
  expect_contains(decode_to_end(file(audio + video)).warning, "bytes of Theora");
}

TEST_F(AudioParts, FlacInOggIsRead) {
  const std::string native = encoded(flac);
  const size_t blocks = 4 + 4 + 34;  // "fLaC" and STREAMINFO
  std::string ogg = ogg_page(
      "\x7F"
      "FLAC\1\0\0\1"s +
          native.substr(0, blocks),
      2, 9, 0);
  uint32_t sequence = 0;
  for (size_t at = blocks; at < native.size(); at += 200) ogg += ogg_page(native.substr(at, 200), 0, 9, ++sequence);
  ogg += ogg_page("", 4, 9, ++sequence);
  EXPECT_EQ(decode_to_end(file(ogg)).samples, 24000);
  EXPECT_EQ(decode_to_end(file(ogg + ogg)).samples, 48000);
}

TEST_F(AudioParts, SeveralChunksOfSamplesAreRead) {
  const std::string one = encoded(wav);
  const std::string chunk = one.substr(one.find("data"));
  EXPECT_EQ(decode_to_end(file(one + chunk)).samples, 48000);
}

TEST_F(AudioParts, OneChanceFrameIsNoMpegAudio) {
  std::string bytes(50000, 'q');
  bytes.replace(0, 4, "\xFF\xFB\x90\x64");
  bytes.replace(20000, 4, "\xFF\xFB\x90\x64");
  expect_error([&] { decode_to_end(file(bytes, "a.mp3")); }, "a.mp3 holds no audio that can be read");
}

}  // namespace
}  // namespace melgrad::test
