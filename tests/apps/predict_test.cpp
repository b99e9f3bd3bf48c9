// melgrad predict: calibration, output files, timelines, tags.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "framework/io/atomic_file.h"
#include "framework/io/csv.h"
#include "framework/io/safetensors.h"
#include "tests/support/audio_files.h"
#include "tests/support/call.h"
#include "tests/support/program.h"
#include "tests/support/wav_bytes.h"

namespace melgrad::test {
namespace {

using nlohmann::json;

// All tests of the suite use one run, which is trained once. A crop has 32 frames, 0.72 s.
class Predict : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder;
    write_music_set(*folder_ / "music");
    const Result result = call({"train",
                                path("music"),
                                "--out",
                                path("run"),
                                "--cache",
                                path("cache"),
                                "--model",
                                "cnn_bn",
                                "--crop-frames",
                                "32",
                                "--epochs",
                                "12",
                                "--batch-size",
                                "4",
                                "--mixup",
                                "0",
                                "--test-fraction",
                                "0.34",
                                "--learning-rate",
                                "0.005",
                                "--quiet",
                                "--pitch-shift",
                                "0",
                                "--equalizer",
                                "0",
                                "--level",
                                "0"});
    ASSERT_EQ(result.exit_code, 0) << result.err;
  }
  static void TearDownTestSuite() { delete folder_; }
  static std::string path(const std::string& name) { return (*folder_ / name).string(); }
  static std::string song(const std::string& genre, int i = 0) {
    return path("music") + "/" + genre + "/" + genre + ".0000" + std::to_string(i) + ".wav";
  }
  static json json_of(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"predict", path("run")});
    arguments.insert(arguments.end(), {"--json", "--quiet"});
    const Result result = call(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return json::parse(result.out);
  }
  static std::map<std::string, double> probabilities(const std::string& run, const std::string& file) {
    const Result result = call({"predict", run, file, "--json", "--quiet"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    std::map<std::string, double> by_label;
    const json files = json::parse(result.out);
    for (const json& p : files[0].at("predictions")) by_label[p.at("label")] = p.at("probability");
    return by_label;
  }
  // Low, then high, then low sines: 20 s of each, as 16-bit stereo at 44.1 kHz.
  static std::string concert() {
    Sound sound{.rate = 44100, .channels = 2};
    for (const double hertz : {210.0, 4100.0, 210.0}) {
      for (const float sample : sine(hertz, 20, 44100))
        sound.samples.insert(sound.samples.end(), {sample, 0.5f * sample});
    }
    const std::string file = path("concert.wav");
    if (!fs::exists(file)) write_sound(file, sound);
    return file;
  }

  static inline TemporaryFolder* folder_ = nullptr;
};

// ---- Calibration.

TEST_F(Predict, CheckpointsHaveATemperatureAndTheRunItsCalibration) {
  const json validation = json::parse(read_file(path("run") + "/validation.json"));
  const json& calibration = validation.at("calibration");
  EXPECT_EQ(validation.at("epoch"), 12);
  EXPECT_EQ(calibration.at("bins").size(), 15u);
  EXPECT_GE(calibration.at("ece_before"), 0.0);
  EXPECT_LE(calibration.at("ece_after"), 1.0);
  int64_t count = 0;
  for (const json& bin : calibration.at("bins")) count += bin.at("count").get<int64_t>();
  EXPECT_EQ(count, validation.at("tracks"));
  const auto last = read_safetensors(path("run") + "/last.safetensors");
  EXPECT_EQ(json::parse(last.metadata.at("temperature")), calibration.at("temperature"));
  EXPECT_TRUE(read_safetensors(path("run") + "/best.safetensors").metadata.contains("temperature"));
}

TEST_F(Predict, TheTemperatureDividesTheLogits) {
  const auto with_temperature = [&](const std::string& value) {
    SafeTensors model = read_safetensors(path("run") + "/last.safetensors");
    model.metadata["temperature"] = value;
    const std::string file = path("t" + value + ".safetensors");
    write_safetensors(file, model);
    return probabilities(file, song("middle"));
  };
  auto at_1 = with_temperature("1"), at_3 = with_temperature("3.0");
  EXPECT_NEAR(std::log(at_3["low"] / at_3["high"]), std::log(at_1["low"] / at_1["high"]) / 3, 1e-3);
  EXPECT_NEAR(std::log(at_3["low"] / at_3["middle"]), std::log(at_1["low"] / at_1["middle"]) / 3, 1e-3);
}

TEST_F(Predict, AModelWithoutTemperatureIsSaidToBeUncalibrated) {
  SafeTensors model = read_safetensors(path("run") + "/last.safetensors");
  model.metadata.erase("temperature");
  write_safetensors(path("old.safetensors"), model);
  const Result predicted = call({"predict", path("old.safetensors"), song("low")});
  EXPECT_EQ(predicted.exit_code, 0);
  expect_contains(predicted.err, "old.safetensors has no temperature, so its probabilities are not calibrated");
  EXPECT_EQ(call({"predict", path("run"), song("low")}).err.find("temperature"), std::string::npos);
  const Result evaluated = call({"evaluate", path("old.safetensors"), path("music"), "--split", "all", "--out",
                                 path("tables"), "--cache", path("cache")});
  expect_contains(evaluated.err, "has no temperature");
  expect_contains(evaluated.out, "calibration error ");
  EXPECT_EQ(json::parse(read_file(path("tables") + "/report.json")).at("calibration").at("temperature"), 1.0);
}

TEST_F(Predict, EvaluatesCalibrationAtTheTemperatureOfTheModel) {
  const Result result = call({"evaluate", path("run"), path("music"), "--cache", path("cache"), "--json", "--quiet"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json calibration = json::parse(result.out).at("calibration");
  const auto last = read_safetensors(path("run") + "/last.safetensors");
  EXPECT_EQ(calibration.at("temperature"), json::parse(last.metadata.at("temperature")));
  // The error, computed from the table of predictions.
  double error = 0;
  const auto rows = parse_csv(read_file(path("run") + "/evaluation/predictions.csv"), "predictions.csv");
  for (int bin = 0; bin < 15; ++bin) {
    double difference = 0;
    for (size_t i = 1; i < rows.size(); ++i) {
      double most = 0;
      for (size_t c = 3; c < rows[i].fields.size(); ++c) most = std::max(most, std::stod(rows[i].fields[c]));
      if (most <= bin / 15.0 || most > (bin + 1) / 15.0) continue;
      difference += (rows[i].fields[1] == rows[i].fields[2] ? 1 : 0) - most;
    }
    error += std::abs(difference) / static_cast<double>(rows.size() - 1);
  }
  EXPECT_NEAR(calibration.at("ece_after").get<double>(), error, 1e-5);
}

TEST_F(Predict, AnswersUnsureBelowTheGivenProbability) {
  EXPECT_EQ(json_of({song("low"), "--unsure", "1"})[0].at("label"), "unsure");
  EXPECT_EQ(json_of({song("low"), "--unsure", "0.1"})[0].at("label"), "low");
  const Result text = call({"predict", path("run"), song("low"), "--unsure", "1", "--top", "1", "--quiet"});
  expect_contains(text.out, "low.00000.wav:  unsure  low 0.");
  expect_refused({"predict", path("run"), song("low"), "--unsure", "1.5"}, "--unsure", 2);
}

// ---- Output files.

TEST_F(Predict, WritesSeveralOutputsAtOnceAndNamesUnreadFiles) {
  write_text(path("broken.wav"), "this is not audio");
  const Result result = call({"predict", path("run"), path("music"), path("broken.wav"), "--csv", path("all.csv"),
                              "--ndjson", path("all.ndjson"), "--audacity", path("labels"), "--raven", path("raven"),
                              "--jams", path("jams"), "--m3u", path("lists")});
  EXPECT_EQ(result.exit_code, 3);
  expect_contains(result.err, "broken.wav is a text file, not audio");
  expect_contains(result.err, "1 of 19 files could not be read");
  const auto rows = parse_csv(read_file(path("all.csv")), "all.csv");
  ASSERT_EQ(rows.size(), 19u);
  EXPECT_EQ(rows[0].fields[5], "probability_high");
  std::istringstream lines(read_file(path("all.ndjson")));
  std::vector<json> objects;
  for (std::string line; std::getline(lines, line);) objects.push_back(json::parse(line));
  ASSERT_EQ(objects.size(), 19u);
  EXPECT_EQ(objects[18].at("path"), path("broken.wav"));
  EXPECT_TRUE(objects[18].contains("error"));
  for (size_t i = 0; i < 18; ++i) {
    EXPECT_EQ(objects[i].at("path"), rows[i + 1].fields[0]);
    EXPECT_EQ(objects[i].at("label"), rows[i + 1].fields[3]);
    EXPECT_EQ(objects[i].at("end_s"), 1.0);
    expect_contains(result.out, rows[i + 1].fields[0] + ":  " + rows[i + 1].fields[3]);
  }
  EXPECT_EQ(read_file(path("labels") + "/low/low.00000.wav.txt"), "0.000000\t1.000000\tlow\n");
  EXPECT_TRUE(fs::exists(path("raven") + "/high/high.00005.wav.selections.txt"));
  EXPECT_TRUE(fs::exists(path("jams") + "/high/high.00005.wav.jams"));
  std::string playlists;
  for (const char* genre : {"low", "middle", "high"}) {
    playlists += read_file(path("lists") + "/" + genre + ".m3u8");
  }
  EXPECT_EQ(std::ranges::count(playlists, '\n'), 3 + 2 * 18);
  expect_contains(playlists, "#EXTINF:1,low.00000\n../music/low/low.00000.wav\n");
}

TEST_F(Predict, ATableMayTakeThePlaceOfTheText) {
  const Result result = call({"predict", path("run"), song("low"), song("high"), "--csv", "-", "--quiet"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(parse_csv(result.out, "stdout").size(), 3u);
}

TEST_F(Predict, RefusesOptionsThatExcludeEachOther) {
  const std::string file = song("low");
  const auto refused = [&](std::vector<std::string> options, const std::string& words) {
    options.insert(options.begin(), {"predict", path("run"), file});
    expect_refused(options, words, 2);
  };
  refused({"--csv", "-", "--ndjson", "-"}, "both write to the standard output");
  refused({"--csv", "-", "--json"}, "exclude each other");
  refused({"--timeline", "--m3u", path("x")}, "--m3u needs one genre per file");
  refused({"--timeline", "--write-tags", path("x")}, "tags need one genre per file");
  refused({"--write-tags-in-place"}, "add --yes");
  refused({"--write-tags-in-place", "--yes", "--write-tags", path("x")}, "exclude each other");
  refused({"--raw", "s16le"}, "--raw describes the standard input");
  refused({"--timeline", "--raw", "s17le"}, "--raw");
  refused({"--timeline", "--step", "5"}, "--step is 5 s; it must be at most a crop of the model");
  expect_refused({"predict", path("run"), file, song("high"), "--audacity", path("one.txt")}, "give a folder");
}

TEST_F(Predict, AFailedOutputDoesNotLoseTheOthers) {
  write_text(path("a_file"));
  const Result result =
      call({"predict", path("run"), song("low"), "--ndjson", path("a_file/x"), "--csv", path("kept.csv"), "--quiet"});
  EXPECT_EQ(result.exit_code, 1);
  expect_contains(result.err, "a_file/x");
  EXPECT_EQ(parse_csv(read_file(path("kept.csv")), "kept.csv").size(), 2u);
}

// ---- Timelines.

TEST_F(Predict, TimelinePrintsSegments) {
  const Result result = call({"predict", path("run"), concert(), "--timeline", "--quiet"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  std::istringstream lines(result.out);
  std::vector<std::string> segments;
  for (std::string line; std::getline(lines, line);) segments.push_back(line.substr(0, line.rfind(' ')));
  ASSERT_EQ(segments.size(), 3u) << result.out;
  EXPECT_TRUE(segments[0].starts_with("0:00-0:")) << result.out;
  EXPECT_TRUE(segments[0].ends_with(" low")) << result.out;
  EXPECT_TRUE(segments[1].ends_with(" high")) << result.out;
  EXPECT_TRUE(segments[2].ends_with("-1:00 low")) << result.out;
  const json timeline = json_of({concert(), "--timeline"})[0];
  EXPECT_EQ(timeline.at("seconds"), 60.0);
  ASSERT_EQ(timeline.at("segments").size(), 3u);
  EXPECT_NEAR(timeline.at("segments")[1].at("start_s"), 20, 0.73);
  EXPECT_NEAR(timeline.at("segments")[1].at("end_s"), 40, 0.73);
  EXPECT_EQ(timeline.at("segments")[0].at("end_s"), timeline.at("segments")[1].at("start_s"));
}

TEST_F(Predict, AFileAndItsBytesFromAPipeGiveTheSameTimeline) {
  const std::string file = concert();
  const auto table_of = [&](const std::string& input, const std::string& script, std::vector<std::string> options) {
    options.insert(options.begin(), {"predict", path("run"), input, "--timeline", "--quiet", "--csv", "-"});
    Program program(options, path("output"), script);
    EXPECT_EQ(program.wait(), 0) << read_file(path("output"));
    std::string rows = read_file(path("output"));
    for (size_t at; (at = rows.find("\n" + input + ",")) != std::string::npos;) rows.erase(at + 1, input.size());
    return rows;
  };
  const std::string expected = table_of(file, "", {});
  EXPECT_EQ(std::ranges::count(expected, '\n'), 4) << expected;
  EXPECT_EQ(table_of("-", "cat " + file + " | \"$@\"", {}), expected);
  EXPECT_EQ(table_of("-", "\"$@\" < " + file, {}), expected);
  const std::string bytes = read_file(file);
  const std::string samples = bytes.substr(bytes.find("data") + 8);
  write_text(path("concert.raw"), samples);
  EXPECT_EQ(table_of("-", "cat " + path("concert.raw") + " | \"$@\"",
                     {"--raw", "s16le", "--raw-rate", "44100", "--raw-channels", "2"}),
            expected);
  // The header of a program that cannot seek back (arecord, ffmpeg).
  write_text(path("endless.wav"), wav_bytes({.channels = 2, .rate = 44100, .claimed = 0xFFFFFFFF}, samples));
  EXPECT_EQ(table_of("-", "cat " + path("endless.wav") + " | \"$@\"", {}), expected);
}

TEST_F(Predict, RowsOfALiveInputAppearBeforeItsEnd) {
  const std::string fifo = path("fifo");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  Program program({"predict", path("run"), "-", "--timeline"}, path("live"), "exec \"$@\" < " + fifo);
  const int writer = open(fifo.c_str(), O_WRONLY | O_CLOEXEC);
  ASSERT_GE(writer, 0);
  const std::string bytes = read_file(concert());
  const auto send = [&](size_t begin, size_t end) {
    for (size_t at = begin; at < end;) {
      const ssize_t written = write(writer, bytes.data() + at, end - at);
      ASSERT_GT(written, 0);
      at += static_cast<size_t>(written);
    }
  };
  constexpr size_t bytes_of_30_s = size_t{30} * 44100 * 4;
  send(0, bytes_of_30_s);
  EXPECT_TRUE(program.run_until([&] { return read_file(path("live")).find("0:00-0:") != std::string::npos; }));
  const std::string early = read_file(path("live"));
  expect_contains(early, "a segment is printed when another label has lasted 4.0 s");
  send(bytes_of_30_s, bytes.size());
  close(writer);
  EXPECT_EQ(program.wait(), 0);
  EXPECT_TRUE(read_file(path("live")).starts_with(early));  // nothing is revised
  expect_contains(read_file(path("live")), "-1:00 low ");
}

TEST_F(Predict, InterruptingALiveInputPrintsItsLastSegment) {
  const std::string fifo = path("fifo_2");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  Program program({"predict", path("run"), "-", "--timeline", "--csv", path("live.csv")}, path("live_2"),
                  "exec \"$@\" < " + fifo);
  const int writer = open(fifo.c_str(), O_WRONLY | O_CLOEXEC);
  const std::string bytes = read_file(concert()).substr(0, size_t{30} * 44100 * 4);
  ASSERT_EQ(write(writer, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  EXPECT_TRUE(program.run_until([&] { return read_file(path("live_2")).find("0:00-0:") != std::string::npos; }));
  program.send(SIGINT);
  EXPECT_EQ(program.wait(), 130);
  close(writer);
  expect_contains(read_file(path("live_2")), "interrupted; what was classified so far is written");
  EXPECT_EQ(parse_csv(read_file(path("live.csv")), "live.csv").size(), 3u);
}

TEST_F(Predict, AnInputThatIsNoWavIsRefusedWithARemedy) {
  const auto output_of = [&](const std::string& script) {
    Program program({"predict", path("run"), "-", "--timeline", "--quiet"}, path("refused"), script);
    EXPECT_EQ(program.wait(), 1);
    return read_file(path("refused"));
  };
  expect_contains(output_of("echo this is not audio at all | \"$@\""), "standard input is not WAV; give the format");
  expect_contains(output_of("printf '' | \"$@\""), "standard input is not WAV");
  write_text(path("empty.wav"), wav_bytes({}, ""));
  expect_contains(output_of("cat " + path("empty.wav") + " | \"$@\""), "standard input holds no samples");
  write_text(path("wide.wav"), wav_bytes({.channels = 65535}, std::string(1000, 'x')));
#if defined(__SANITIZE_ADDRESS__)
  const std::string limit;  // AddressSanitizer needs terabytes of addresses
#else
  const std::string limit = "ulimit -v 4000000; ";
#endif
  expect_contains(output_of("cat " + path("wide.wav") + " | (" + limit + "\"$@\")"), "standard input holds no samples");
  write_text(path("mulaw.wav"), wav_bytes({.format = 7, .bits = 8}, "abc"));
  expect_contains(output_of("cat " + path("mulaw.wav") + " | \"$@\""), "WAV with format 7 and 8 bits");
  write_text(path("nan.wav"), wav_bytes({.format = 3, .bits = 32}, std::string(8, '\xFF')));
  expect_contains(output_of("cat " + path("nan.wav") + " | \"$@\""), "standard input has a sample of");
}

// A length of 3 GiB is no placeholder, so an end after 3 s is an early one.
TEST_F(Predict, ALiveInputMayClaimMoreThan2GiB) {
  const auto output_of = [&](uint32_t claimed) {
    write_text(path("claim.wav"), wav_bytes({.rate = 22050, .claimed = claimed}, std::string(3 * 44100, '\1')));
    Program program({"predict", path("run"), "-", "--timeline"}, path("claim"),
                    "cat " + path("claim.wav") + " | \"$@\"");
    program.wait();
    return read_file(path("claim"));
  };
  expect_contains(output_of(0xC0000000), "standard input ended after 3.00 s, 0 % of the audio that its header claims");
  EXPECT_EQ(output_of(0x7FFFF000).find("its header claims"), std::string::npos);
}

// Every format that is read while it arrives gives the samples that libsndfile reads from a file.
TEST_F(Predict, FormatsOfALiveInputEqualThoseOfFiles) {
  Sound sound{.samples = synthetic_signal("sweep", 8000, 3), .rate = 8000, .channels = 1};
  for (const int subtype : {SF_FORMAT_PCM_U8, SF_FORMAT_PCM_24, SF_FORMAT_PCM_32, SF_FORMAT_FLOAT, SF_FORMAT_DOUBLE}) {
    const fs::path file = write_sound(path("format.wav"), sound, SF_FORMAT_WAV | subtype);
    const json from_file = json_of({file.string(), "--timeline"});
    Program program({"predict", path("run"), "-", "--timeline", "--json", "--quiet"}, path("piped"),
                    "cat " + file.string() + " | \"$@\"");
    EXPECT_EQ(program.wait(), 0);
    EXPECT_EQ(json::parse(read_file(path("piped")))[0].at("segments"), from_file[0].at("segments")) << subtype;
  }
}

// ---- Tags.

TEST_F(Predict, WritesTheGenreIntoCopies) {
  const std::string before = read_file(song("low"));
  const Result result =
      call({"predict", path("run"), path("music") + "/low", "--write-tags", path("tagged"), "--quiet"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(read_file(song("low")) == before);
  const std::string copy = read_file(path("tagged") + "/low.00000.wav");
  EXPECT_NE(copy, before);
  expect_contains(copy, "IGNR");
  const Result unsure = call({"predict", path("run"), song("low"), "--unsure", "1", "--write-tags", path("none")});
  EXPECT_EQ(unsure.exit_code, 0);
  EXPECT_FALSE(fs::exists(path("none") + "/low.00000.wav"));
  // Copies into the folder of the files would be the files themselves.
  expect_refused({"predict", path("run"), path("music") + "/low", "--write-tags", path("music") + "/low"},
                 "--write-tags would overwrite", 2);
  EXPECT_TRUE(read_file(song("low")) == before);
}

TEST_F(Predict, WritesTheGenreIntoFilesAndCountsThoseWithoutTags) {
  const fs::path wav = write_sine(path("own/a.wav"), 210, 1);
  write_sound(path("own/b.au"), {sine(210, 1, 22050)}, SF_FORMAT_AU | SF_FORMAT_PCM_16);
  const Result result = call({"predict", path("run"), path("own"), "--write-tags-in-place", "--yes", "--quiet"});
  EXPECT_EQ(result.exit_code, 3);
  expect_contains(result.err, "b.au cannot be tagged");
  expect_contains(read_file(wav), "IGNR");
}

}  // namespace
}  // namespace melgrad::test
