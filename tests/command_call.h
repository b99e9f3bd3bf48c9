// A command of the program, run in the test's own process.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "apps/command_line.h"

namespace melgrad::test {

struct Result {
  int exit_code;
  std::string out, err;
};

inline Result call(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "melgrad");
  std::vector<const char*> argv;
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const int exit_code = run_command_line(static_cast<int>(argv.size()), argv.data());
  return {exit_code, testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
}

}  // namespace melgrad::test
