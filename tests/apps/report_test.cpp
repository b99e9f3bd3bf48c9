#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "framework/io/atomic_file.h"
#include "framework/io/csv.h"
#include "tests/support/audio_files.h"
#include "tests/support/call.h"
#include "tests/support/html_check.h"
#include "tests/support/png_size.h"

namespace melgrad::test {
namespace {

using nlohmann::json;

constexpr const char* hostile_label = "<script>alert('label')</script>";
constexpr const char* hostile_file = "\"><img src=x onerror=alert(1)> {{title}} & 'ö'.wav";

// Two classes of sines; one has a label and a file name that would be code if they were not escaped.
void write_hostile_set(const fs::path& folder) {
  std::string manifest = "path,label,group\n";
  for (int i = 0; i < 12; ++i) {
    const bool low = i % 2 == 0;
    const std::string name = i == 0 ? hostile_file : fmt::format("{}.wav", i);
    write_sine(folder / name, low ? 200 + 5 * i : 3000 + 50 * i, 1.0);
    const std::string quoted = i == 0 ? "\"\"" + name.substr(1) : name;  // a quote in a CSV field is doubled
    manifest += fmt::format("\"{}\",{},group {}\n", quoted, low ? hostile_label : "high", i);
  }
  write_text(folder / "manifest.csv", manifest);
}

std::vector<std::string> train_command(const std::string& data, const std::string& run, const std::string& model) {
  return {"train",    data, "--out",         run,       "--model",         model, "--crop-frames",   "32",
          "--epochs", "3",  "--no-cache",    "--quiet", "--test-fraction", "0.5", "--learning-rate", "0.005",
          "--mixup",  "0",  "--pitch-shift", "0",       "--equalizer",     "0",   "--level",         "0"};
}

// All tests of the suite use two runs on one data set.
class Report : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder;
    write_hostile_set(*folder_ / "music");
    for (const char* model : {"cnn_bn", "resnet_small"}) {
      const Result result = call(train_command(path("music"), path(std::string("runs/") + model), model));
      ASSERT_EQ(result.exit_code, 0) << result.err;
    }
  }
  static void TearDownTestSuite() { delete folder_; }
  static std::string path(const std::string& name) { return (*folder_ / name).string(); }
  static inline TemporaryFolder* folder_ = nullptr;
};

TEST_F(Report, IsOneWellFormedPageWithEscapedNames) {
  const Result result = call({"report", path("runs/cnn_bn"), "--out", path("one.html"), "--no-cache", "--quiet",
                              "--split", "all", "--hardest", "12"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const std::string page = read_file(path("one.html"));
  expect_well_formed(page);
  expect_contains(page, "&lt;script&gt;alert(&apos;label&apos;)&lt;/script&gt;");
  expect_contains(page, "&quot;&gt;&lt;img src=x onerror=alert(1)&gt; {{title}} &amp; &apos;ö&apos;.wav");
  EXPECT_EQ(page.find("<script>alert"), std::string::npos);
  expect_contains(page, "a track without a group is drawn alone.");
  EXPECT_EQ(page.find("logistic regression"), std::string::npos);  // all tracks have no baseline
  EXPECT_EQ(page.find("<img"), std::string::npos);
  // Nothing is loaded from elsewhere: references are fragments, data and local audio files.
  for (const std::string attribute : {"src=\"", "href=\""}) {
    for (size_t at = page.find(attribute); at != std::string::npos; at = page.find(attribute, at + 1)) {
      const std::string target = page.substr(at + attribute.size(), 40);
      EXPECT_TRUE(target.starts_with("#") || target.starts_with("data:") || target.starts_with("./music/")) << target;
    }
  }
  expect_contains(page,
                  "src=\"./music/"
                  "%22%3E%3Cimg%20src%3Dx%20onerror%3Dalert%281%29%3E%20%7B%7Btitle%7D%7D%20%26%20%27%C3%B6%27.wav\"");
}

TEST_F(Report, NumbersEqualThoseOfEvaluate) {
  ASSERT_EQ(call({"evaluate", path("runs/cnn_bn"), path("music"), "--no-cache", "--quiet"}).exit_code, 0);
  const Result result = call(
      {"report", path("runs/cnn_bn"), "--out", path("test.html"), "--no-cache", "--quiet", "--json", "--no-check"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json run = json::parse(result.out).at("runs").at(0);
  const json evaluation = json::parse(read_file(path("runs/cnn_bn/evaluation/report.json")));
  EXPECT_EQ(run.at("split"), "test");
  for (const char* key : {"tracks", "track_accuracy", "track_accuracy_interval"})
    EXPECT_EQ(run.at(key), evaluation.at(key));

  // The expected calibration error and the majority baseline, from the table of predictions.
  const std::string table = read_file(path("runs/cnn_bn/evaluation/predictions.csv"));
  std::map<int, std::pair<double, int>> bins;  // sum of correct - probability, count
  int tracks = 0;
  for (const CsvRow& row : parse_csv(table, "predictions")) {
    if (row.fields[0] == "path") continue;
    const double probability = std::max(std::stod(row.fields[3]), std::stod(row.fields[4]));
    auto& [sum, count] = bins[static_cast<int>(std::ceil(probability * 15))];
    sum += (row.fields[1] == row.fields[2] ? 1 : 0) - probability;
    ++count;
    ++tracks;
  }
  double error = 0;
  for (const auto& [bin, content] : bins) error += std::abs(content.first) / tracks;
  EXPECT_NEAR(run.at("expected_calibration_error"), error, 1e-5);
  EXPECT_EQ(run.at("baselines").at(1).at("track_accuracy"), 0.5);  // the classes are equally large
  EXPECT_EQ(run.at("baselines").at(0).at("track_accuracy"), 1.0);  // the spectra are far apart
}

TEST_F(Report, ComparesRunsOnTheSameTracks) {
  const Result result = call({"report", path("runs/cnn_bn"), path("runs/resnet_small"), "--out", path("two.html"),
                              "--no-cache", "--quiet", "--no-check", "--hardest", "1"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const std::string page = read_file(path("two.html"));
  expect_well_formed(page);
  expect_contains(page, "Runs side by side");
  expect_contains(page, "The linear baseline is logistic regression");
  expect_contains(page, "cnn_bn, resnet_small on music, 2 classes");
}

TEST_F(Report, SaysWhatIsMissing) {
  expect_refused({"report", path("absent"), "--out", path("x.html"), "--quiet"}, "absent does not exist");
  fs::create_directories(path("moved"));
  for (const char* file : {"last.safetensors", "split.csv"}) {
    fs::copy_file(path("runs/cnn_bn/") + file, path("moved/") + file, fs::copy_options::overwrite_existing);
  }
  expect_refused({"report", path("moved"), "--out", path("x.html"), "--quiet"}, "give the data set with --data");
  const Result given = call({"report", path("moved"), "--data", path("music"), "--out", path("x.html"), "--no-cache",
                             "--quiet", "--no-check"});
  EXPECT_EQ(given.exit_code, 0) << given.err;
  expect_contains(read_file(path("x.html")), "The folder of the run has no log.");
}

TEST_F(Report, ExplainNamesTheMomentsAndDrawsThem) {
  // A high tone in the middle of silence.
  std::vector<float> samples(22050 * 4);
  for (size_t i = 22050 * 2; i < 22050 * 3; ++i) samples[i] = 0.5f * std::sin(0.9f * static_cast<float>(i));
  write_sound(path("tone.wav"), {samples});
  const Result result =
      call({"explain", path("runs/cnn_bn"), path("tone.wav"), "--png", path("tone.png"), "--json", "--quiet"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json explanation = json::parse(result.out);
  EXPECT_EQ(explanation.at("label"), explanation.at("predicted"));
  ASSERT_FALSE(explanation.at("moments").empty());
  double share = 0;
  for (const json& moment : explanation.at("moments")) {
    EXPECT_LT(moment.at("start_s"), moment.at("end_s"));
    EXPECT_LE(moment.at("end_s"), 4.1);
    EXPECT_LT(moment.at("low_hz"), moment.at("high_hz"));
    share += moment.at("share").get<double>();
  }
  EXPECT_LE(share, 1 + 1e-9);
  EXPECT_GT(png_size(path("tone.png")).width, 1200);
  expect_refused({"explain", path("runs/cnn_bn"), path("tone.wav"), "--label", "hihg", "--quiet"},
                 "did you mean high?");
  const Result text = call({"explain", path("runs/cnn_bn"), path("tone.wav"), "--label", "high"});
  EXPECT_EQ(text.exit_code, 0) << text.err;
  expect_contains(text.out, "tone.wav: high 0.");
}

TEST_F(Report, SummaryDrawsTheArchitecture) {
  const Result result = call({"summary", "resnet_small", "--svg", path("model.svg")});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const std::string svg = read_file(path("model.svg"));
  expect_contains(svg, "<svg xmlns=\"http://www.w3.org/2000/svg\"");
  expect_contains(svg, "layer4.0");
}

}  // namespace
}  // namespace melgrad::test
