#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <sstream>

#include <nlohmann/json.hpp>

#include "framework/io/atomic_file.h"
#include "framework/io/safetensors.h"
#include "tests/support/audio_files.h"
#include "tests/support/call.h"
#include "tests/support/program.h"

namespace melgrad::test {
namespace {

using nlohmann::json;

// All tests of the suite use one run, which is trained once.
class CommandLine : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder;
    write_music_set(*folder_ / "music");
    const Result result =
        call({"train",           path("music"), "--out",         path("run"), "--cache",         path("cache"),
              "--model",         "cnn_bn",      "--crop-frames", "32",        "--epochs",        "12",
              "--batch-size",    "4",           "--mixup",       "0",         "--test-fraction", "0.34",
              "--learning-rate", "0.005",       "--json",        "--quiet",  // the classes differ in pitch
              "--pitch-shift",   "0",           "--equalizer",   "0",         "--level",         "0"});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(result.err, "");
    trained_ = json::parse(result.out);
  }
  static void TearDownTestSuite() { delete folder_; }
  static std::string path(const std::string& name) { return (*folder_ / name).string(); }

  static inline TemporaryFolder* folder_ = nullptr;
  static inline json trained_;
};

TEST_F(CommandLine, TrainPrintsAReportAndWritesARunFolder) {
  EXPECT_EQ(trained_.at("epochs"), 12);
  EXPECT_GE(trained_.at("best_epoch"), 1);
  EXPECT_GT(trained_.at("best_validation_track_accuracy"), 0.5);
  for (const char* file : {"best.safetensors", "last.safetensors", "config.toml", "split.csv", "log.jsonl"}) {
    EXPECT_TRUE(fs::exists(path("run") + "/" + file)) << file;
  }
  std::istringstream log(read_file(path("run") + "/log.jsonl"));
  int epochs = 0;
  json last;
  for (std::string line; std::getline(log, line);) {
    last = json::parse(line);
    EXPECT_EQ(last.at("epoch"), ++epochs);
  }
  EXPECT_EQ(epochs, 12);
  EXPECT_EQ(trained_.at("validation_loss"), last.at("validation_loss"));
  EXPECT_LE(trained_.at("best_validation_loss"), last.at("validation_loss"));
}

TEST_F(CommandLine, TheSavedConfigTrainsTheSameModel) {
  const Result again = call({"train", "--config", path("run") + "/config.toml", "--out", path("again"), "--quiet"});
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_TRUE(read_file(path("again") + "/best.safetensors") == read_file(path("run") + "/best.safetensors"));
  EXPECT_EQ(read_file(path("again") + "/config.toml"), read_file(path("run") + "/config.toml"));
}

TEST_F(CommandLine, FlagsOverrideTheConfig) {
  const Result result = call({"train", "--config", path("run") + "/config.toml", "--out", path("short"), "--epochs",
                              "1", "--json", "--quiet"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(json::parse(result.out).at("epochs"), 1);
  expect_refused({"train", path("absent"), "--config", path("run") + "/config.toml", "--out", path("none")}, "absent");
}

TEST_F(CommandLine, NumbersThatTomlCannotExpressAreSavedInTheConfig) {
  const Result result = call({"train", path("music"), "--out", path("odd"), "--model", "cnn", "--crop-frames", "0032",
                              "--epochs", "1", "--dropout", ".5", "--seed", "18446744073709551615", "--quiet"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(call({"train", "--out", path("odd"), "--resume", "--quiet"}).exit_code, 0);
}

TEST_F(CommandLine, TheAutomaticLengthOfACropIsPrintedAndKept) {
  const Result result = call({"train", path("music"), "--out", path("automatic"), "--model", "cnn", "--epochs", "1"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const std::string config = read_file(path("automatic") + "/config.toml");
  const size_t key = config.find("crop_frames = ");
  ASSERT_NE(key, std::string::npos) << config;
  const int frames = std::stoi(config.substr(key + std::strlen("crop_frames = ")));
  EXPECT_GE(frames, 32);
  expect_contains(result.err, "crops of " + std::to_string(frames) + " frames");
  EXPECT_EQ(call({"train", "--out", path("automatic"), "--resume", "--epochs", "2", "--quiet"}).exit_code, 0);
  write_text(path("short.toml"), "data = '" + path("music") + "'\nmodel = 'cnn'\nepochs = 3\n");
  const Result resumed = call({"train", "--config", path("short.toml"), "--out", path("automatic"), "--resume"});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  expect_contains(read_file(path("automatic") + "/config.toml"), "crop_frames = " + std::to_string(frames) + "\n");
  expect_refused({"train", path("music"), "--out", path("none"), "--crop-frames", "7"}, "7 is not 0 or", 2);
}

// The config of a run of one epoch with these options, without the path of the data.
std::string config_with(const std::string& data, const std::string& run, const std::vector<std::string>& options) {
  std::vector<std::string> arguments{"train",    data, "--out",    run, "--crop-frames", "32",
                                     "--n-mels", "32", "--epochs", "1", "--quiet"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  const Result result = call(arguments);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  return read_file(run + "/config.toml");
}

TEST_F(CommandLine, ARecipeIsASetOfOptionsThatOthersOverride) {
  const std::string best = config_with(path("music"), path("defaults"), {});
  EXPECT_EQ(config_with(path("music"), path("best"), {"--recipe", "best"}), best);
  EXPECT_EQ(best.find("recipe"), std::string::npos) << best;

  const std::string plain =
      config_with(path("music"), path("plain"), {"--mixup", "0.25", "--recipe", "customer-cnn", "--model", "cnn_bn"});
  for (const char* line : {"model = 'cnn_bn'", "mixup = 0.25", "level = 0\n", "time_masks = 0", "epochs = 1\n"}) {
    expect_contains(plain, line);
  }
  write_text(path("recipe.toml"), "recipe = \"customer-cnn\"\nlevel = 3\n");
  const std::string from_file = config_with(path("music"), path("from_file"), {"--config", path("recipe.toml")});
  for (const char* line : {"model = 'cnn'", "level = 3\n", "mixup = 0\n"}) expect_contains(from_file, line);

  EXPECT_EQ(call({"train", "--out", path("plain"), "--resume", "--epochs", "2", "--quiet"}).exit_code, 0);
  expect_refused({"train", "--out", path("plain"), "--resume", "--recipe", "best"}, "leave out --recipe", 2);
  expect_refused({"train", path("music"), "--out", path("none"), "--recipe", "bst"}, "did you mean best?", 2);
}

TEST_F(CommandLine, StatisticsAreFittedUnlessTheyAreOff) {
  const auto tensors_of = [](const std::string& run) {
    std::vector<std::string> names;
    for (const SafeTensor& tensor : read_safetensors(run + "/last.safetensors").tensors) names.push_back(tensor.name);
    return names;
  };
  config_with(path("music"), path("with"), {"--model", "cnn", "--statistics", "on"});
  expect_contains(config_with(path("music"), path("short"), {"--model", "cnn"}), "statistics = 'auto'");
  EXPECT_EQ(std::ranges::count(tensors_of(path("short")), "statistics.weight"), 0) << "crops of 32 frames";
  const std::string config = config_with(path("music"), path("without"), {"--model", "cnn", "--statistics", "off"});
  expect_contains(config, "statistics = 'off'");
  EXPECT_EQ(std::ranges::count(tensors_of(path("with")), "statistics.weight"), 1);
  EXPECT_EQ(std::ranges::count(tensors_of(path("without")), "statistics.weight"), 0);
  for (const char* run : {"with", "without"}) {
    EXPECT_EQ(call({"train", "--out", path(run), "--resume", "--epochs", "2", "--quiet"}).exit_code, 0) << run;
    EXPECT_EQ(call({"evaluate", path(run), path("music"), "--split", "all", "--quiet"}).exit_code, 0) << run;
  }
  expect_refused({"train", "--out", path("with"), "--resume", "--statistics", "off"}, "cannot change --statistics");

  config_with(path("music"), path("long"), {"--model", "cnn", "--crop-frames", "128"});
  EXPECT_EQ(std::ranges::count(tensors_of(path("long")), "statistics.weight"), 1);
  EXPECT_EQ(call({"train", "--out", path("long"), "--resume", "--epochs", "2", "--quiet"}).exit_code, 0);
}

TEST_F(CommandLine, AnUnknownConfigKeyIsNamedWithItsLine) {
  write_text(path("bad.toml"), "epochs = 1\nlearnig_rate = 0.1\n");
  const Result result = call({"train", path("music"), "--config", path("bad.toml"), "--out", path("unused")});
  EXPECT_EQ(result.exit_code, 2);
  expect_contains(result.err, "bad.toml:2: learnig_rate");
  write_text(path("bad.toml"), "epochs = = 1\n");
  EXPECT_EQ(call({"train", path("music"), "--config", path("bad.toml"), "--out", path("unused")}).exit_code, 2);
}

TEST_F(CommandLine, AConfigMayContainNonAsciiLettersOnlyInStringsAndComments) {
  const auto expect_config_refused = [&](const std::string& config, const std::string& message) {
    write_text(path("bad.toml"), config);
    expect_refused({"train", path("music"), "--config", path("bad.toml")}, message, 2);
  };
  expect_config_refused("# \xC3\xB6\nout = \"\xC3\xB6\"\n\xC3\xB6 = 1\n",
                        "bad.toml:3: letters beyond ASCII must be in quotes");
  expect_config_refused("# \xC3\xB6\nout = \"\"\"\\\n\xC3\xB6\"\"\"\n",
                        "bad.toml:2: a file with letters beyond ASCII must not have multi-line strings");
  expect_config_refused("# \xC3\xB6\nepochs = [0P\"\xC3\xB6\"]\n",
                        "bad.toml:2: ");  // a quote that does not begin a string

  const std::string run = path("b\xC3\xB6se \xE2\x80\xA8");
  write_text(path("good.toml"), "model = 'cnn' # \xC2\xA7\nepochs = 1\nout = \"" + run + "\"\n");
  const Result result = call({"train", path("music"), "--config", path("good.toml"), "--quiet"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(call({"train", "--out", run, "--resume", "--quiet"}).exit_code, 0);
}

TEST_F(CommandLine, EvaluateUsesTheHeldOutTracksAndWritesTables) {
  const Result result = call({"evaluate", path("run"), path("music"), "--cache", path("cache"), "--json", "--quiet"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json report = json::parse(result.out);
  EXPECT_EQ(report.at("split"), "test");
  EXPECT_EQ(report.at("tracks"), 6);
  EXPECT_GT(report.at("track_accuracy"), 0.5);
  EXPECT_GT(report.at("segment_accuracy"), 0.5);
  EXPECT_LE(report.at("track_accuracy_interval")[0], report.at("track_accuracy"));
  EXPECT_EQ(json::parse(read_file(path("run") + "/evaluation/report.json")), report);
  for (const char* file : {"confusion.png", "confusion.csv", "classes.csv", "predictions.csv"}) {
    EXPECT_TRUE(fs::exists(path("run") + "/evaluation/" + file)) << file;
  }
  const Result text = call(
      {"evaluate", path("run"), path("music"), "--split", "train", "--cache", path("cache"), "--out", path("tables")});
  EXPECT_EQ(text.exit_code, 0) << text.err;
  expect_contains(text.out, "train side");
}

TEST_F(CommandLine, EvaluateOfACheckpointUsesTheSplitOfItsRunAndOtherMusicNeedsSplitAll) {
  const Result file = call({"evaluate", path("run") + "/best.safetensors", path("music"), "--json", "--quiet"});
  ASSERT_EQ(file.exit_code, 0) << file.err;
  EXPECT_EQ(json::parse(file.out).at("split"), "test");
  write_sine(path("other") + "/low/another.wav", 210, 1.0);
  const Result other = call({"evaluate", path("run"), path("other"), "--quiet"});
  EXPECT_EQ(other.exit_code, 1);
  expect_contains(other.err, "--split all");
  const Result whole = call({"evaluate", path("run"), path("other"), "--split", "all", "--json", "--quiet"});
  EXPECT_EQ(whole.exit_code, 0) << whole.err;
  EXPECT_EQ(json::parse(whole.out).at("tracks"), 1);
}

TEST_F(CommandLine, AnUnreadableFileIsNamedLeftOutAndReported) {
  write_music_set(path("flawed"), 4);
  write_text(path("flawed") + "/low/broken.wav", "this is not audio");
  const std::vector<std::string> arguments{"train",  path("flawed"),  "--out", path("flawed_run"), "--model",
                                           "cnn",    "--crop-frames", "32",    "--epochs",         "1",
                                           "--json", "--quiet"};
  const Result result = call(arguments);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  expect_contains(result.err, "broken.wav");
  EXPECT_EQ(json::parse(result.out).at("failed_files").size(), 1u);
  EXPECT_EQ(read_file(path("flawed_run") + "/split.csv").find("broken"), std::string::npos);
  std::vector<std::string> strict = arguments;
  strict[3] = path("strict_run");
  strict.emplace_back("--strict");
  EXPECT_EQ(call(strict).exit_code, 1);
}

TEST_F(CommandLine, PredictClassifiesReadableFilesAndItsExitCodeReportsTheOthers) {
  write_text(path("broken.wav"), "this is not audio");
  const std::string good = path("music") + "/high/high.00000.wav";
  const Result result = call({"predict", path("run"), good, path("broken.wav"), path("music") + "/low", "--json"});
  EXPECT_EQ(result.exit_code, 3);
  const json files = json::parse(result.out);
  ASSERT_EQ(files.size(), 8u);
  EXPECT_EQ(files[0].at("label"), "high");
  EXPECT_EQ(files[0].at("predictions").size(), 3u);
  EXPECT_TRUE(files[1].contains("error"));
  EXPECT_EQ(files[2].at("label"), "low");
  double total = 0;
  for (const json& p : files[0].at("predictions")) total += p.at("probability").get<double>();
  EXPECT_NEAR(total, 1, 1e-5);
  expect_contains(result.err, "broken.wav");
  EXPECT_EQ(call({"predict", path("run"), path("broken.wav")}).exit_code, 1);
  EXPECT_EQ(call({"predict", path("run"), good}).exit_code, 0);
}

TEST_F(CommandLine, ExactConvolutionChangesPredictionsOnlyByRounding) {
  const std::string file = path("music") + "/high/high.00000.wav";
  const auto probability = [&](std::vector<std::string> options) {
    options.insert(options.begin(), {"predict", path("run"), file, "--device", "cpu", "--json"});
    const Result result = call(options);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return json::parse(result.out)[0].at("predictions")[0].at("probability").get<double>();
  };
  EXPECT_NEAR(probability({"--exact-convolution"}), probability({}), 1e-5);
}

TEST_F(CommandLine, AnUnknownInstructionSetIsNamed) {
  Program predict({"predict", path("run"), path("music") + "/high/high.00000.wav", "--device", "cpu"}, path("output"),
                  "MELGRAD_CPU=avx3 exec \"$@\"");
  EXPECT_EQ(predict.wait(), 2);
  EXPECT_EQ(read_file(path("output")), "melgrad: MELGRAD_CPU is 'avx3'; it must be portable, avx2 or avx512\n");
}

TEST_F(CommandLine, MelWritesTheArrayAndThePicture) {
  const Result result = call(
      {"mel", path("music") + "/high/high.00000.wav", "--npy", path("mel.npy"), "--png", path("mel.png"), "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json mel = json::parse(result.out);
  EXPECT_EQ(mel.at("n_mels"), 128);
  EXPECT_EQ(mel.at("frames"), 1 + 22050 / 512);
  EXPECT_NEAR(mel.at("seconds").get<double>(), 1.0, 1e-9);
  EXPECT_EQ(read_file(path("mel.png")).substr(1, 3), "PNG");
  EXPECT_EQ(read_file(path("mel.npy")).substr(1, 5), "NUMPY");
}

TEST_F(CommandLine, SummaryCountsWhatTorchvisionCounts) {
  const Result result = call({"summary", "resnet18", "--crop-frames", "64", "--n-mels", "64", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json summary = json::parse(result.out);
  // torchvision's resnet18(num_classes=10) has 11,181,642 parameters; a one-channel stem saves 2 * 64 * 49 of them.
  EXPECT_EQ(summary.at("total_parameters"), 11'181'642 - 2 * 64 * 49);
  EXPECT_EQ(summary.at("trainable_parameters"), summary.at("total_parameters"));
  const json& stem = summary.at("layers")[0];
  EXPECT_EQ(stem.at("name"), "conv1");
  EXPECT_EQ(stem.at("output_shape"), (std::vector<int64_t>{1, 32, 32, 64}));
  EXPECT_EQ(stem.at("multiply_adds"), 32 * 32 * 64 * 49);
  EXPECT_EQ(summary.at("layers").back().at("name"), "fc");
  int64_t parameters = 0, multiply_adds = 0;
  for (const json& layer : summary.at("layers")) {
    EXPECT_EQ(layer.at("output_shape")[0], 1);
    parameters += layer.at("parameters").get<int64_t>();
    multiply_adds += layer.at("multiply_adds").get<int64_t>();
  }
  EXPECT_EQ(parameters, summary.at("total_parameters"));
  EXPECT_EQ(multiply_adds, summary.at("multiply_adds"));
  // Weights, gradients and two moments are the least a training step holds.
  EXPECT_GT(summary.at("training_step_bytes"), 4 * 4 * 11'000'000);
}

TEST_F(CommandLine, WrongArgumentsAreNamedAndExitWithTwo) {
  const auto expect_usage = [](const std::vector<std::string>& arguments, const std::string& part) {
    const Result result = call(arguments);
    EXPECT_EQ(result.exit_code, 2) << part;
    expect_contains(result.err, part);
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(lines_of_program(result.err), 1) << result.err;
  };
  expect_usage({}, "no command was given; see --help");
  expect_usage({"trian"}, "there is no command 'trian'");
  expect_usage({"train", path("music"), "--out", path("x"), "--epochs", "0"}, "--epochs");
  expect_usage({"train", path("music"), "--out", path("x"), "--model", "vgg"}, "vgg");
  expect_usage({"train", path("music"), "--out", path("x"), "--epoch", "3"}, "--epoch");
  expect_usage({"train", "--out", path("x")}, "no data set was given");
  expect_usage({"check", path("music"), "--label-column", "genre"}, "name columns of --labels; give --labels too");
  expect_usage({"mel", path("a.wav"), "--npy", "x", "--png", "x"}, "--npy and --png both name x; give two names");
  expect_usage({"train", path("music"), "--out", path("x"), "--folds", "3"}, "--fold");
  expect_usage(
      {"train", path("music"), "--out", path("x"), "--fold", "0", "--folds", "3", "--split-files", path("lists")},
      "leave out --split-files");
  expect_usage({"train", path("music"), "--out", path("x"), "--epochs", "1", "--quiet", "--profile-steps", "100:109"},
               "--profile-steps begins at step 100, the training ends with step ");
  expect_usage({"train", path("music"), "--out", path("x"), "--model", "cnn", "--n-mels", "8"}, "cannot take batches");
  expect_usage({"train", path("music"), "--out", path("x"), "--fold", "-5"}, "--fold");
  expect_usage({"train", path("music"), "--out", path("x"), "--folds", "-5"}, "--folds");
  expect_usage({"train", path("music"), "--out", path("x"), "--n-mels", "0"}, "--n-mels");
  expect_usage({"check", path("music"), "--lines", "-1"}, "--lines");
  expect_usage({"--version", "--jsno"}, "did you mean --json?");
  expect_usage({"--quiet", "train", path("music"), "--out", path("x")}, "'--quiet' is before the command");
  expect_usage({"summary", "vgg"}, "resnet18");
  expect_usage({"mel"}, "file");
}

TEST_F(CommandLine, WarnsAboutMisleadingFigures) {
  const Result brief = call({"train", path("music"), "--out", path("brief"), "--model", "cnn", "--crop-frames", "32",
                             "--epochs", "2", "--warmup-epochs", "3"});
  ASSERT_EQ(brief.exit_code, 0) << brief.err;
  expect_contains(brief.err, "the learning rate rises over 3 epochs and 2 are trained");

  fs::copy(path("run") + "/last.safetensors", path("alone.safetensors"));
  const Result alone = call({"evaluate", path("alone.safetensors"), path("music"), "--cache", path("cache")});
  EXPECT_EQ(alone.exit_code, 0) << alone.err;
  expect_contains(alone.err, "the accuracy is too high if the model was trained on some of them");
}

TEST_F(CommandLine, ARunBeforeItsFirstEpochHasNoModel) {
  write_text(path("early run/training.safetensors"), "");
  expect_refused({"predict", path("early run"), path("music")},
                 "resume with melgrad train --out '" + path("early run") + "' --resume");
}

TEST_F(CommandLine, TheHelpOfEachSubcommandHasAnExample) {
  for (const char* command : {"synth", "mel", "train", "evaluate", "predict", "report", "explain", "runs", "summary",
                              "check", "cross-validate", "export", "cache", "profile"}) {
    const Result result = call({command, "--help"});
    EXPECT_EQ(result.exit_code, 0);
    expect_contains(result.out, std::string("Examples:\n  melgrad ") + command);
  }
}

TEST_F(CommandLine, TheHelpSeparatesEachCommandFromItsDescription) {
  std::istringstream lines(call({"--help"}).out);
  std::string line;
  while (std::getline(lines, line) && line != "Commands:") continue;
  int commands = 0;
  while (std::getline(lines, line) && line.starts_with("  ")) {
    EXPECT_LE(line.size(), 80U) << line;
    if (line[2] == ' ') continue;  // continues a description
    ++commands;
    const size_t end = line.find(' ', 2);
    ASSERT_NE(end, std::string::npos) << line;
    EXPECT_EQ(line.substr(end, 2), "  ") << line;
  }
  EXPECT_GE(commands, 14);
}

TEST_F(CommandLine, TrainHelpListsTheCommonOptionsFirstAndFitsEightyColumns) {
  const std::string help = call({"train", "--help"}).out;
  size_t at = 0;
  for (const char* part : {"\nCommon:\n  --out FOLDER", "\nData:\n", "\nModel:\n", "\nOptimization:\n",
                           "\nAugmentation:\n", "\nFeatures:\n", "\nRun:\n", "  -h, --help "}) {
    const size_t found = help.find(part, at);
    ASSERT_NE(found, std::string::npos) << part << help;
    at = found;
  }
  EXPECT_NE(help.find("(1 to 65536; default 32)"), std::string::npos) << help;
  std::istringstream lines(help);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80U) << line;
}

TEST_F(CommandLine, NoCommandOverwritesAFileThatItReads) {
  const std::string song = path("music") + "/high/high.00000.wav", run = path("run"), model = run + "/best.safetensors";
  fs::copy(path("music"), path("listed"), fs::copy_options::recursive);
  const std::string list = write_text(path("listed/classes.csv"), "path,label\nhigh/high.00000.wav,high\n").string();
  const std::vector<std::vector<std::string>> commands{
      {"mel", song, "--npy", song},
      {"mel", song, "--png", path("music") + "/low/../high/high.00000.wav"},
      {"explain", run, song, "--png", song},
      {"explain", model, song, "--png", model},
      {"check", path("music"), "--no-cache", "--quiet", "--png", song},
      {"predict", run, song, "--csv", song},
      {"predict", run, song, "--ndjson", run + "/last.safetensors"},
      {"report", run, "--out", run + "/config.toml"},
      {"report", run, "--no-cache", "--no-check", "--quiet", "--out", song},
      {"evaluate", run, list, "--split", "all", "--out", path("listed")},
      {"profile", "mel", song, "--trace", song},
      {"profile", "predict", run, song, "--roofline", song}};
  const std::string bytes = read_file(song), weights = read_file(model);
  for (const std::vector<std::string>& command : commands) {
    const Result result = call(command);
    EXPECT_EQ(result.exit_code, 2) << command[0] << result.out;
    expect_contains(result.err, "which the command reads; give another path");
  }
  EXPECT_TRUE(read_file(song) == bytes);
  EXPECT_TRUE(read_file(model) == weights);
  write_text(run + "/page.html", "a page that an earlier call wrote");
  const Result page =
      call({"report", run, "--no-cache", "--no-check", "--hardest", "0", "--quiet", "--out", run + "/page.html"});
  EXPECT_EQ(page.exit_code, 0) << page.err;
  fs::create_directories(path("moved"));
  fs::copy(model, path("moved/last.safetensors"));
  expect_refused({"train", path("music"), "--out", path("moved"), "--init", path("moved"), "--model", "cnn_bn",
                  "--quiet", "--crop-frames", "32"},
                 "which the command reads", 2);
}

TEST_F(CommandLine, FailuresAreOneLine) {
  expect_refused({"mel", path("absent.wav")}, "absent.wav");
  expect_refused({"predict", path("music"), path("absent.wav")}, "last.safetensors does not exist");
  expect_refused({"evaluate", path("run") + "/config.toml", path("music")}, "config.toml");
  expect_refused({"train", path("absent"), "--out", path("x")}, "absent");
}

}  // namespace
}  // namespace melgrad::test
