#include "framework/audio/genre_tag.h"

#include <gtest/gtest.h>
#include <sndfile.h>

#include "framework/io/atomic_file.h"
#include "tests/support/audio_files.h"
#include "tests/support/errors.h"

namespace melgrad::test {
namespace {

struct TaggedFormat {
  const char* name;
  int format;
};

// The samples and the genre that libsndfile reads.
struct Contents {
  std::vector<float> samples;
  std::string genre;
};

Contents contents_of(const fs::path& path) {
  SF_INFO info{};
  SNDFILE* file = sf_open(path.c_str(), SFM_READ, &info);
  EXPECT_NE(file, nullptr) << path << ": " << sf_strerror(nullptr);
  if (!file) return {};
  Contents contents;
  std::vector<float> buffer(static_cast<size_t>(info.channels) * 4096);
  for (sf_count_t got; (got = sf_readf_float(file, buffer.data(), 4096)) > 0;) {
    contents.samples.insert(contents.samples.end(), buffer.begin(), buffer.begin() + got * info.channels);
  }
  const char* genre = sf_get_string(file, SF_STR_GENRE);
  contents.genre = genre ? genre : "";
  sf_close(file);
  return contents;
}

class GenreTag : public testing::TestWithParam<TaggedFormat> {};

TEST_P(GenreTag, IsReadByLibsndfileAndTheAudioStaysTheSame) {
  const TemporaryFolder folder;
  const auto& [name, format] = GetParam();
  const fs::path source = write_sound(folder / name, {synthetic_signal("chord", 22050, 1)}, format);
  const std::string before = read_file(source);
  const Contents original = contents_of(source);
  const fs::path copy = folder / "copies" / name;
  fs::create_directories(copy.parent_path());
  write_genre(source, copy, "Drum & B\xC3\xA4ss");
  EXPECT_TRUE(read_file(source) == before);
  const Contents tagged = contents_of(copy);
  EXPECT_GT(original.samples.size(), 20000u);
  EXPECT_TRUE(tagged.samples == original.samples);
  if (GetParam().format != (SF_FORMAT_AIFF | SF_FORMAT_PCM_16)) {
    EXPECT_EQ(tagged.genre, "Drum & B\xC3\xA4ss");  // libsndfile reads no ID3v2 in AIFF
  }
  write_genre(copy, copy, "jazz");
  EXPECT_TRUE(contents_of(copy).samples == original.samples);
  write_genre(source, source, "jazz");
  EXPECT_TRUE(read_file(source) == read_file(copy));  // the tag before was replaced
}

INSTANTIATE_TEST_SUITE_P(Formats, GenreTag,
                         testing::Values(TaggedFormat{"a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16},
                                         TaggedFormat{"a.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16},
                                         TaggedFormat{"a.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS},
                                         TaggedFormat{"a.mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III},
                                         TaggedFormat{"a.aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_16}),
                         [](const auto& format) { return std::string(format.param.name).substr(2); });

TEST(GenreTag, PrecedesTheUnchangedBytesOfAnMp3) {
  const TemporaryFolder folder;
  const fs::path file = write_sound(folder / "a.mp3", {sine(440, 1, 22050)}, SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III);
  const std::string before = read_file(file);
  const std::string audio = before.substr(before.find("\xFF"));
  write_genre(file, file, "jazz");
  const std::string after = read_file(file);
  EXPECT_TRUE(after.ends_with(audio));
  EXPECT_TRUE(after.starts_with("ID3"));
  expect_contains(after, "TCON");
}

TEST(GenreTag, KeepsTheVersionAndTheOtherEntriesOfATag) {
  const TemporaryFolder folder;
  const fs::path file = write_sound(folder / "a.mp3", {sine(440, 1, 22050)}, SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III);
  const std::string bytes = read_file(file);
  const std::string audio = bytes.substr(bytes.find("\xFF"));
  using namespace std::string_literals;
  write_text(file, "ID3\x03\0\0\0\0\0\x0F"s + "TIT2\0\0\0\x05\0\0\0Song"s + audio);
  write_genre(file, file, "jazz");
  const std::string after = read_file(file);
  EXPECT_EQ(after.substr(0, 4), "ID3\x03");
  expect_contains(after, "Song");
  expect_contains(after, "TCON");
}

TEST(GenreTag, RefusesFormatsWithoutTagsAndBrokenFiles) {
  const TemporaryFolder folder;
  const fs::path au = write_sound(folder / "a.au", {sine(440, 1, 22050)}, SF_FORMAT_AU | SF_FORMAT_PCM_16);
  const std::string before = read_file(au);
  expect_error([&] { write_genre(au, au, "jazz"); }, "a.au cannot be tagged: TagLib writes no tags of its format");
  EXPECT_TRUE(read_file(au) == before);
  const fs::path absent = folder / "absent.wav";
  expect_error([&] { write_genre(absent, absent, "jazz"); }, "absent.wav");
  EXPECT_FALSE(fs::exists(absent));
}

}  // namespace
}  // namespace melgrad::test
