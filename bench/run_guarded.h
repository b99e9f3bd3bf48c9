// The error handling of the benchmark programs.
#pragma once

#include <fmt/format.h>

#include <exception>

namespace melgrad::bench {

// Returns run(argc, argv). If it throws, prints one line on stderr and returns 1.
template <class Run>
int run_guarded(const char* program, Run run, int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", program, error.what());
    return 1;
  }
}

}  // namespace melgrad::bench
