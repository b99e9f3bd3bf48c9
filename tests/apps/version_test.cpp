#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "kernels/device/stream.h"
#include "tests/support/call.h"

namespace melgrad::test {
namespace {

std::string output_of(const std::vector<std::string>& arguments) {
  const Result result = call(arguments);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  return result.out;
}

void expect_digits_and_dots(const std::string& text) {
  EXPECT_FALSE(text.empty());
  EXPECT_EQ(text.find_first_not_of("0123456789."), std::string::npos) << text;
}

void expect_commit(std::string text) {
  if (text == "unknown") return;
  if (text.ends_with("-dirty")) text.resize(text.size() - 6);
  EXPECT_GE(text.size(), 12U) << text;
  EXPECT_EQ(text.find_first_not_of("0123456789abcdef"), std::string::npos) << text;
}

TEST(Version, IsOneLine) {
  const std::string line = output_of({"--version"});
  ASSERT_TRUE(line.starts_with("melgrad ") && line.ends_with('\n')) << line;
  expect_digits_and_dots(line.substr(8, line.size() - 9));
}

TEST(Version, JsonNamesBuildLibrariesAndDevices) {
  const auto version = nlohmann::json::parse(output_of({"--version", "--json"}));
  EXPECT_EQ("melgrad " + version.at("version").get<std::string>() + "\n", output_of({"--version"}));
  expect_commit(version.at("build").at("commit"));
  for (const char* key : {"type", "compiler", "device"}) EXPECT_NE(version.at("build").at(key), "") << key;
  for (const char* name : {"oneDNN", "libsndfile", "libmpg123", "libsoxr", "cairo", "xxHash"}) {
    expect_digits_and_dots(version.at("libraries").at(name));
  }
  const auto& devices = version.at("devices");
  EXPECT_EQ(devices.at(0).at("device"), "cpu");
  EXPECT_NE(devices.at(0).at("name"), "");
  EXPECT_GE(devices.at(0).at("threads"), 1);
  EXPECT_EQ(devices.size() > 1, Stream::available(Device::cuda));
  EXPECT_EQ(version.at("no_gpu_because").is_null(), Stream::available(Device::cuda));
}

}  // namespace
}  // namespace melgrad::test
