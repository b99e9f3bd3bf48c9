// The program as a function: parses the arguments, runs one command, prints results to stdout and progress to stderr.
#pragma once

namespace melgrad {

// Returns the exit code of the process: 0 success, 1 the work failed, 2 wrong arguments, 3 part of the work failed.
int run_command_line(int argc, const char* const* argv);

}  // namespace melgrad
