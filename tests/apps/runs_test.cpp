#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/call.h"
#include "tests/support/temporary_folder.h"

namespace melgrad::test {
namespace {

using nlohmann::json;

class Runs : public testing::Test {
 protected:
  // A run as training leaves it, without its checkpoints.
  void write_run(const std::string& name, const std::string& config, const std::string& log) const {
    write_text(folder_ / (name + "/config.toml"), config);
    write_text(folder_ / (name + "/log.jsonl"), log);
  }
  Result list(std::vector<std::string> options) const {
    options.insert(options.begin(), {"runs", folder_.path().string()});
    return call(options);
  }
  static std::string epoch(double accuracy, bool best, double seconds) {
    return json{{"validation_track_accuracy", accuracy}, {"best", best}, {"seconds", seconds}}.dump() + "\n";
  }

  TemporaryFolder folder_;
};

TEST_F(Runs, AreListedWithAccuracyTimeAndStatus) {
  write_run("b", "data = '/music/set one'\nmodel = 'cnn'\nepochs = 2\npatience = 0\n",
            epoch(0.25, true, 60) + epoch(0.5, false, 30.5));
  write_run("deep/a", "data = 'x'\nmodel = 'resnet18'\nepochs = 9\npatience = 0\n", epoch(0.75, true, 3700) + "{\"cut");
  write_run("c", "data = 'x'\nmodel = 'cnn'\nepochs = 9\npatience = 1\n", epoch(0.5, true, 1) + epoch(0.1, false, 1));
  write_text(folder_ / "b/evaluation/report.json", R"({"split": "test", "track_accuracy": 0.625})");
  const Result result = list({"--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json rows = json::parse(result.out);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0], json::parse(R"({"run": "b", "model": "cnn", "data": "set one", "epochs": 2, "planned_epochs": 2,
      "validation_track_accuracy": 0.5, "best_validation_track_accuracy": 0.25, "test_track_accuracy": 0.625,
      "seconds": 90.5, "status": "finished"})"));
  EXPECT_EQ(rows[1].at("status"), "stopped early");
  EXPECT_EQ(rows[2].at("run"), "deep/a");
  EXPECT_EQ(rows[2].at("status"), "interrupted");
  EXPECT_TRUE(rows[2].at("test_track_accuracy").is_null());
  const Result text = list({});
  expect_contains(text.out, "  1:31  finished");
  expect_contains(text.out, "1:01:40");
  EXPECT_EQ(text.out.find('\x1B'), std::string::npos);  // no colours in a pipe
}

TEST_F(Runs, AreSortedByAColumn) {
  write_run("a", "model = 'cnn'\nepochs = 1\n", epoch(0.25, true, 5));
  write_run("b", "model = 'cnn'\nepochs = 1\n", epoch(0.5, true, 1));
  write_run("c", "model = 'cnn'\nepochs = 1\n", "");
  const auto order = [&](const std::string& key) {
    std::string names;
    for (const json& row : json::parse(list({"--json", "--sort", key}).out)) names += row.at("run").get<std::string>();
    return names;
  };
  EXPECT_EQ(order("run"), "abc");
  EXPECT_EQ(order("validation"), "bac");
  EXPECT_EQ(order("time"), "abc");
  EXPECT_EQ(list({"--sort", "tset"}).exit_code, 2);
}

TEST_F(Runs, ADamagedRunIsNamedAndTheOthersAreListed) {
  write_run("good", "model = 'cnn'\nepochs = 1\n", epoch(0.25, true, 5));
  write_run("bad", "model = = 'cnn'\n", "");
  const Result result = list({"--json"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(json::parse(result.out).size(), 1u);
  expect_contains(result.err, "bad/config.toml");
  const TemporaryFolder empty;
  expect_refused({"runs", empty.path().string()}, "holds no runs");
  expect_refused({"runs", (empty / "absent").string()}, "is no folder");
}

}  // namespace
}  // namespace melgrad::test
