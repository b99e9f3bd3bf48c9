// How the benchmark programs end.
#pragma once

#include <fmt/format.h>

#include <exception>

namespace melgrad::bench {

// Calls run(argc, argv) and returns what it returns; an exception becomes one line on stderr and 1.
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
