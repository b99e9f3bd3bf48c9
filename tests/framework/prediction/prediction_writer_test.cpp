#include "framework/prediction/prediction_writer.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "framework/io/atomic_file.h"
#include "framework/prediction/label_track_writer.h"
#include "framework/prediction/playlist_writer.h"
#include "framework/prediction/table_writer.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"

namespace melgrad::test {
namespace {

const std::vector<std::string> labels{"jazz", "r&b, \"soul\""};

// Two segments of one recording.
void write_timeline(PredictionWriter& writer, const Input& input = {.path = "music/a song.mp3", .name = "a song.mp3"}) {
  const AnswerRule rule{.labels = labels, .unsure = 0.6};
  writer.add(input, rule.answer(0, 92, {0.81f, 0.19f}));
  writer.add(input, rule.answer(92, 100.5, {0.45f, 0.55f}));
  writer.end(input, 100.5);
  writer.finish();
}

TEST(AnswerRule, AnswersUnsureBelowTheLimit) {
  const AnswerRule rule{.labels = labels, .unsure = 0.5};
  EXPECT_EQ(rule.answer(0, 1, {0.5f, 0.5f}).label, "jazz");
  EXPECT_EQ(rule.answer(0, 1, {0.4f, 0.6f}).label, labels[1]);
  const AnswerRule strict{.labels = labels, .unsure = 0.7};
  const Answer answer = strict.answer(2, 3, {0.4f, 0.6f});
  EXPECT_EQ(answer.label, "unsure");
  EXPECT_EQ(answer.probability, 0.6f);
}

TEST(PredictionWriter, CsvHasFixedColumns) {
  const TemporaryFolder folder;
  write_timeline(*csv_writer(folder / "out.csv", labels));
  EXPECT_EQ(read_file(folder / "out.csv"),
            "path,start_s,end_s,label,probability,probability_jazz,\"probability_r&b, \"\"soul\"\"\"\r\n"
            "music/a song.mp3,0.000,92.000,jazz,0.810000,0.810000,0.190000\r\n"
            "music/a song.mp3,92.000,100.500,unsure,0.550000,0.450000,0.550000\r\n");
}

TEST(PredictionWriter, NdjsonHasOneObjectPerLineAndNamesFailures) {
  const TemporaryFolder folder;
  const auto writer = ndjson_writer(folder / "out.ndjson", labels);
  writer->fail({.path = "b\xFF.wav", .name = "b.wav"}, "b.wav is empty");
  write_timeline(*writer);
  EXPECT_EQ(read_file(folder / "out.ndjson"),
            "{\"path\":\"b\xEF\xBF\xBD.wav\",\"error\":\"b.wav is empty\"}\n"
            "{\"path\":\"music/a song.mp3\",\"start_s\":0.0,\"end_s\":92.0,\"label\":\"jazz\",\"probability\":0.81,"
            "\"probability_jazz\":0.81,\"probability_r&b, \\\"soul\\\"\":0.19}\n"
            "{\"path\":\"music/a song.mp3\",\"start_s\":92.0,\"end_s\":100.5,\"label\":\"unsure\",\"probability\":0.55,"
            "\"probability_jazz\":0.45,\"probability_r&b, \\\"soul\\\"\":0.55}\n");
}

TEST(PredictionWriter, TablesOnTheStandardOutputAreWrittenAtOnce) {
  const auto writer = csv_writer("-", {"jazz"});
  testing::internal::CaptureStdout();
  writer->add({.path = "a.wav", .name = "a.wav"}, AnswerRule{.labels = {"jazz"}}.answer(0, 1, {1}));
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "a.wav,0.000,1.000,jazz,1.000000,1.000000\r\n");
}

TEST(PredictionWriter, AudacityLabelsAreSecondsAndLabels) {
  const TemporaryFolder folder;
  write_timeline(*audacity_writer(folder / "labels.txt"));
  EXPECT_EQ(read_file(folder / "labels.txt"), "0.000000\t92.000000\tjazz\n92.000000\t100.500000\tunsure\n");
}

TEST(PredictionWriter, RavenTableHasItsColumns) {
  const TemporaryFolder folder;
  write_timeline(*raven_writer(folder / "tables", 0, 11025));
  EXPECT_EQ(
      read_file(folder / "tables/a song.mp3.selections.txt"),
      "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tLabel\tProbability\n"
      "1\tSpectrogram 1\t1\t0.000000\t92.000000\t0.0\t11025.0\tjazz\t0.810000\n"
      "2\tSpectrogram 1\t1\t92.000000\t100.500000\t0.0\t11025.0\tunsure\t0.550000\n");
}

TEST(PredictionWriter, JamsHasOneAnnotation) {
  const TemporaryFolder folder;
  write_timeline(*jams_writer(folder / "a.jams", true));
  const auto jams = nlohmann::json::parse(read_file(folder / "a.jams"));
  EXPECT_EQ(jams.at("file_metadata").at("duration"), 100.5);
  ASSERT_EQ(jams.at("annotations").size(), 1u);
  const auto& annotation = jams.at("annotations")[0];
  EXPECT_EQ(annotation.at("namespace"), "segment_open");
  EXPECT_EQ(annotation.at("data")[1].dump(), R"({"confidence":0.55,"duration":8.5,"time":92.0,"value":"unsure"})");
  write_timeline(*jams_writer(folder / "b.jams", false));
  EXPECT_EQ(nlohmann::json::parse(read_file(folder / "b.jams")).at("annotations")[0].at("namespace"), "tag_open");
}

TEST(PredictionWriter, RecordingsOfEqualNamesGetDifferentFiles) {
  const TemporaryFolder folder;
  const auto writer = audacity_writer(folder / "labels");
  write_timeline(*writer, {.path = "a/x.wav", .name = "x.wav"});
  write_timeline(*writer, {.path = "b/x.wav", .name = "x.wav"});
  write_timeline(*writer, {.path = "c/d/x.wav", .name = "d/x.wav"});
  for (const char* name : {"x.wav.txt", "x.wav_2.txt", "d/x.wav.txt"}) {
    EXPECT_TRUE(fs::exists(folder / "labels" / name)) << name;
  }
}

TEST(PredictionWriter, ALabelTrackOfOneNameHoldsOneRecording) {
  expect_error([] { require_single_input("--audacity", "labels.txt", ".txt", 2); },
               "--audacity labels.txt names one file");
  EXPECT_NO_THROW(require_single_input("--audacity", "labels.txt", ".txt", 1));
  EXPECT_NO_THROW(require_single_input("--audacity", "labels", ".txt", 2));
}

// Only the extension of its format makes the name of a file.
TEST(PredictionWriter, TheExtensionOfAnotherFormatNamesAFolder) {
  const TemporaryFolder folder;
  EXPECT_NO_THROW(require_single_input("--jams", folder / "labels.txt", ".jams", 2));
  write_timeline(*jams_writer(folder / "labels.txt", true));
  write_timeline(*audacity_writer(folder / "labels.jams"));
  EXPECT_TRUE(fs::exists(folder / "labels.txt/a song.mp3.jams"));
  EXPECT_TRUE(fs::exists(folder / "labels.jams/a song.mp3.txt"));
}

TEST(PredictionWriter, AFailedRecordingKeepsItsAnswers) {
  const TemporaryFolder folder;
  const auto writer = audacity_writer(folder / "labels");
  const Input damaged{.path = "a.wav", .name = "a.wav"}, unreadable{.path = "b.wav", .name = "b.wav"};
  writer->add(damaged, AnswerRule{.labels = labels}.answer(0, 30, {1, 0}));
  writer->fail(damaged, "damaged");
  writer->fail(unreadable, "unreadable");
  EXPECT_EQ(read_file(folder / "labels/a.wav.txt"), "0.000000\t30.000000\tjazz\n");
  EXPECT_FALSE(fs::exists(folder / "labels/b.wav.txt"));
}

TEST(PredictionWriter, PlaylistsHaveRelativePathsAndAllLabels) {
  const TemporaryFolder folder;
  std::vector<std::string> warnings;
  const std::vector<std::string> names{"jazz", "../rock", "unsure"};
  const auto writer =
      playlist_writer(folder / "lists/new", names, [&](const std::string& w) { warnings.push_back(w); });
  const AnswerRule rule{.labels = {"jazz", "../rock"}};
  const auto add = [&](const fs::path& path, std::vector<float> probabilities) {
    writer->add({.path = path, .name = path.filename()}, rule.answer(0, 30.4, std::move(probabilities)));
  };
  add(folder / "music/\xC3\xA9t\xC3\xA9.mp3", {0.9f, 0.1f});
  add(folder / "lists/new/#1.mp3", {0.9f, 0.1f});
  add(folder / "music/b.mp3", {0.1f, 0.9f});
  add(folder / "music/two\nlines.mp3", {0.9f, 0.1f});
  add(folder / "music/latin\xE9.mp3", {0.9f, 0.1f});
  writer->finish();
  EXPECT_EQ(read_file(folder / "lists/new/jazz.m3u8"),
            "#EXTM3U\n#EXTINF:30,\xC3\xA9t\xC3\xA9\n../../music/\xC3\xA9t\xC3\xA9.mp3\n#EXTINF:30,#1\n./#1.mp3\n");
  EXPECT_EQ(read_file(folder / "lists/new/_._rock.m3u8"), "#EXTM3U\n#EXTINF:30,b\n../../music/b.mp3\n");
  EXPECT_EQ(read_file(folder / "lists/new/unsure.m3u8"), "#EXTM3U\n");
  ASSERT_EQ(warnings.size(), 2u);
  expect_contains(warnings[0], "has a line break");
  expect_contains(warnings[1], "is not UTF-8");
}

}  // namespace
}  // namespace melgrad::test
