// melgrad cache, and the options that choose the size of the cache and where features are.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/fault_test.h"

namespace melgrad::test {
namespace {

class CacheCommand : public FaultTest {
 protected:
  nlohmann::json show(const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments{"cache", "--json", "--cache", (folder_ / "cache").string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    EXPECT_EQ(run(arguments), 0) << output();
    return nlohmann::json::parse(output());
  }
  void check_music() { EXPECT_EQ(run({"check", music(), "--cache", (folder_ / "cache").string(), "--quiet"}), 0); }
};

TEST_F(CacheCommand, ShowsAndEmptiesTheCache) {
  EXPECT_EQ(show().at("features"), 0);
  check_music();
  const fs::path old = write_text(folder_ / "cache/features/0a-1b.mel", "an entry of an older version");
  const nlohmann::json full = show();
  EXPECT_GT(full.at("features"), 0);
  EXPECT_GT(full.at("bytes"), 0);
  EXPECT_EQ(full.at("old_entries"), 1);
  EXPECT_LT(full.at("seconds_since_newest_use"), 3600);
  EXPECT_EQ(run({"cache", "--cache", (folder_ / "cache").string()}), 0);
  expect_contains(output(), "features of " + std::to_string(full.at("features").get<int>()) + " recordings");
  const nlohmann::json empty = show({"--empty"});
  EXPECT_EQ(empty.at("features"), 0);
  EXPECT_EQ(empty.at("bytes"), 0);
  EXPECT_GE(empty.at("freed_bytes"), full.at("bytes"));
  EXPECT_FALSE(fs::exists(old));
}

TEST_F(CacheCommand, KeepsToALimit) {
  check_music();
  EXPECT_GT(show({"--cache-limit", "1GB"}).at("features"), 0);
  EXPECT_EQ(show({"--cache-limit", "0.001MB"}).at("features"), 0);
  EXPECT_EQ(run({"cache", "--cache-limit", "much"}), 2);
  expect_one_line("--cache-limit is 'much'; it must be a size such as 500MB, 20GB or 1.5TB");
}

TEST_F(CacheCommand, ReportsAWrongLimitOfTheOptionOrTheVariable) {
  for (const char* limit : {"20", "-1GB", "1KB", "GB", "nan", "infTB", "1e9TB"}) {
    EXPECT_EQ(run({"cache", "--cache-limit", limit}), 2) << limit;
    expect_one_line(std::string("--cache-limit is '") + limit + "'; it must be a size");
  }
  EXPECT_EQ(run({"check", music(), "--no-cache", "--cache-limit", "20"}), 2);
  const auto limit_by_variable = [this](const std::string& value) {
    Program program({"cache", "--json", "--cache", (folder_ / "cache").string()}, folder_ / "output",
                    "MELGRAD_CACHE_LIMIT=" + value + " exec \"$@\"");
    EXPECT_EQ(program.wait(), 0) << output();
    return nlohmann::json::parse(output()).at("limit_bytes");
  };
  EXPECT_EQ(limit_by_variable(""), 100'000'000'000);
  EXPECT_EQ(limit_by_variable("1.5GB"), 1'500'000'000);
  EXPECT_EQ(limit_by_variable("0.0000001MB"), 1);
  EXPECT_TRUE(limit_by_variable("0").is_null());
}

TEST_F(CacheCommand, TrainsTheSameWeightsInEveryResidency) {
  std::string expected;
  for (const char* residency : {"auto", "host", "disk"}) {
    const fs::path out = folder_ / residency;
    EXPECT_EQ(run(training(out, 2, {"--residency", residency})), 0) << output();
    expect_contains(output(), "--residency");
    const std::string weights = read_file(out / "last.safetensors");
    if (expected.empty()) expected = weights;
    EXPECT_TRUE(weights == expected) << residency;
  }
}

}  // namespace
}  // namespace melgrad::test
