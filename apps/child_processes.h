// Runs other commands of melgrad as child processes.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace melgrad {

struct EndedChild {
  pid_t id;
  int exit_code;  // of a child that a signal ended: -1 times the number of the signal
};

// Starts children and waits for them. A child gets SIGTERM when this process dies, even from kill -9.
class ChildProcesses {
 public:
  ChildProcesses() = default;
  // Ends children that still run with SIGTERM and waits for them.
  ~ChildProcesses();
  ChildProcesses(const ChildProcesses&) = delete;
  ChildProcesses& operator=(const ChildProcesses&) = delete;

  // Starts `melgrad ARGUMENTS...`, the program of this process. Its stdout and stderr are appended to `output`. Throws
  // Error if the system cannot start it, WriteError if `output` cannot be written.
  pid_t start(const std::vector<std::string>& arguments, const std::filesystem::path& output);

  // Waits until a child ends or interrupted() (framework/terminal/interrupt.h) becomes true; then returns nothing. At
  // least one child must run.
  std::optional<EndedChild> wait();
  // Sends SIGTERM to all children and waits until they have ended. Those of melgrad train write a checkpoint first.
  void stop();

 private:
  std::vector<pid_t> running_;
};

}  // namespace melgrad
