// Untrusted manifests, labels and file names.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "framework/dataset/dataset.h"
#include "framework/dataset/split.h"
#include "framework/io/atomic_file.h"
#include "tests/support/audio_files.h"
#include "tests/support/call.h"
#include "tests/support/errors.h"

namespace melgrad::test {
namespace {

using namespace std::string_literals;

TEST(HostileNames, AManifestIsRefusedWithItsLine) {
  const TemporaryFolder root;
  const std::pair<std::string, const char*> table[] = {
      {"path,label\ra.wav,rock\r", "m.csv:1: its lines end in CR alone"},
      {"path,label\n\"a.wav\",rock\n" + (root / "a.wav").string() + ",pop\n", "m.csv:3: a.wav is already listed"},
      {"path,label\nx/../a.wav,rock\na.wav,pop\n", "m.csv:3: a.wav is already listed in line 2"},
      {"path,label\n../" + root.path().filename().string() + "/a.wav,rock\na.wav,pop\n",
       "m.csv:3: a.wav is already listed"},
      {"path,label\na\0b.wav,rock\n"s, "m.csv:2: the path contains a NUL byte"},
      {"path,label\na.wav,\"ro\nck\"\n", "it contains a control character"},
      {"path,label\na.wav," + std::string(1000, 'x') + "\n", "it has 1000 bytes"},
      {"path\na.wav\n", "m.csv:1: no column 'label'"},
      {"path,la\0bel\na.wav,rock\n"s, "'la\\x00bel'; the first line must be path,label"},
      {"path,label,split\na.wav,rock,tr\0ain\n"s, "split is 'tr\\x00ain'; it must be"},
  };
  for (const auto& [text, says] : table) {
    const fs::path manifest = write_text(root / "m.csv", text);
    const std::string message = error_of([&] { load_dataset(manifest); });
    expect_contains(message, says);
    expect_contains(message, root.path().string());
  }
}

TEST(HostileNames, TooFewTracksForASplitAreRefused) {
  const TemporaryFolder root;
  const fs::path manifest = write_text(root / "m.csv", "path,label\na,rock\nb,rock\nc,pop\n");
  const Dataset dataset = load_dataset(manifest);
  expect_error([&] { make_split(dataset, {.fold = 0, .folds = 1'000'000'000}); }, "3 tracks, too few for");
  const Dataset one_class = load_dataset(write_text(root / "m.csv", "path,label\na,rock\nb,rock\n"));
  expect_error([&] { make_split(one_class, {}); }, "the only label is 'rock'");
}

// Training, resuming, evaluating and predicting accept any file name that the system allows.
TEST(HostileNames, FilesOfAnyNameCanBeUsed) {
  const TemporaryFolder folder;
  const auto path = [&](const char* name) { return (folder / name).string(); };
  const std::string names[] = {"with space.wav", "new\nline.wav", "quote\", comma.wav", "latin \xE9.wav", "-dash.wav"};
  for (const std::string& name : names) {
    write_sine(folder / "music/low" / name, 200, 1);
    write_sine(folder / "music/high" / name, 4000, 1);
  }
  const Result trained =
      call({"train", path("music"), "--out", path("run"), "--no-cache", "--model", "cnn", "--crop-frames", "32",
            "--epochs", "1", "--batch-size", "4", "--test-fraction", "0.4", "--quiet"});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_EQ(call({"train", "--out", path("run"), "--resume", "--quiet"}).exit_code, 0);
  write_text(folder / "music/low/broken \xE9\n.wav", "no audio");
  const Result evaluated =
      call({"evaluate", path("run"), path("music"), "--no-cache", "--split", "all", "--json", "--quiet"});
  EXPECT_EQ(evaluated.exit_code, 3) << evaluated.err;
  EXPECT_EQ(nlohmann::json::parse(evaluated.out).at("tracks"), 10);
  expect_contains(evaluated.err, "broken \\xE9\\n.wav");
  const Result predicted = call({"predict", path("run"), (folder / "music/low" / names[1]).string()});
  EXPECT_EQ(predicted.exit_code, 0);
  EXPECT_EQ(lines_of_program(predicted.out), 1) << predicted.out;

  // Names are escaped in the output: a terminal shows them, and a shell does not execute them in a suggested command.
  const std::string commanding = (folder / "music/low/$(x)\x1B[31m.wav").string();
  write_sine(commanding, 200, 1);
  fs::resize_file(commanding, fs::file_size(commanding) / 2);
  for (const auto& arguments : {std::vector{"check"s, path("music"), "--no-cache"s}, {"mel"s, commanding}}) {
    const Result result = call(arguments);
    EXPECT_EQ((result.out + result.err).find('\x1B'), std::string::npos) << result.out << result.err;
    expect_contains(result.out + result.err, "$(x)\\x1B[31m.wav");
  }
  const Result drawn = call({"mel", (folder / "music/low" / names[3]).string(), "--png", path("latin.png"), "--quiet"});
  EXPECT_EQ(drawn.exit_code, 0) << drawn.err;
  expect_contains(call({"predict", path("run"), commanding}).err, "ffmpeg -i '");

  write_sine(folder / "latin \xE9/low/a.wav", 200);
  expect_refused({"train", path("latin \xE9"), "--out", path("other")},
                 "is not UTF-8 and cannot be written to config.toml");

  // A label that the model does not know.
  write_sine(folder / "others/polka/a.wav", 200);
  expect_refused(
      {"evaluate", path("run"), path("others"), "--split", "all", "--quiet"},
      "polka/a.wav has the label 'polka', which the model " + path("run/last.safetensors") + " does not have");
}

}  // namespace
}  // namespace melgrad::test
