// Commands run in the process of the test.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include "apps/command_line.h"
#include "tests/support/errors.h"

namespace melgrad::test {

// Returns the exit code of `melgrad ARGUMENTS...`.
inline int run_program(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "melgrad");
  std::vector<const char*> argv;
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  return run_command_line(static_cast<int>(argv.size()), argv.data());
}

struct Result {
  int exit_code;
  std::string out, err;
};

inline Result call(const std::vector<std::string>& arguments) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const int exit_code = run_program(arguments);
  return {exit_code, testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
}

// The number of lines, without the note that there is no GPU.
inline int64_t lines_of_program(const std::string& err) {
  std::istringstream lines(err);
  int64_t count = 0;
  for (std::string line; std::getline(lines, line);) count += !line.starts_with("working on the CPU: ");
  return count;
}

// Expects this exit code, and one line on stderr that contains `words`.
inline void expect_refused(const std::vector<std::string>& arguments, const std::string& words, int exit_code = 1) {
  const Result result = call(arguments);
  EXPECT_EQ(result.exit_code, exit_code) << words;
  expect_contains(result.err, words);
  EXPECT_EQ(lines_of_program(result.err), 1) << result.err;
}

}  // namespace melgrad::test
