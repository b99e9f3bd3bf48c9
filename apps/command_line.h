// The command line as a function: parses, runs one subcommand, prints results to stdout and progress to stderr.
#pragma once

namespace melgrad {

// The process's exit code: 0 success, 1 the work failed, 2 the arguments were wrong, 3 part of the work failed.
int run_command_line(int argc, const char* const* argv);

}  // namespace melgrad
