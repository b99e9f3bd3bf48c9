#include "apps/child_processes.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>

#include "framework/io/atomic_file.h"
#include "framework/terminal/interrupt.h"

namespace melgrad {
namespace {

int exit_code_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status); }

// Runs in the child after fork: only functions that are safe there (signal-safety(7)) may be called.
[[noreturn]] void become(char* const* argv, int output, pid_t parent) {
  // In a group of its own, so that Ctrl-C reaches the parent alone. Its SIGTERM is then the first signal of the child,
  // which saves its state; a second one would end it at once.
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(128 + SIGTERM);  // the parent died before prctl
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  // A handler of the parent does not survive execv, but the child must not inherit that it ignores a signal.
  signal(SIGPIPE, SIG_DFL);
  execv("/proc/self/exe", argv);
  _exit(127);
}

}  // namespace

ChildProcesses::~ChildProcesses() { stop(); }

pid_t ChildProcesses::start(const std::vector<std::string>& arguments, const std::filesystem::path& output) {
  std::vector<std::string> words{"melgrad"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const int file = open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file < 0) fail_to_write(output, errno);
  const pid_t parent = getpid(), child = fork();
  if (child == 0) become(argv.data(), file, parent);
  const int error = errno;
  close(file);
  if (child < 0) fail("cannot start another process: {}; run fewer at a time", std::strerror(error));
  running_.push_back(child);
  return child;
}

std::optional<EndedChild> ChildProcesses::wait() {
  constexpr std::chrono::milliseconds pause(50);
  while (!interrupted()) {
    for (const pid_t id : running_) {
      int status = 0;
      if (waitpid(id, &status, WNOHANG) != id) continue;
      std::erase(running_, id);
      return EndedChild{.id = id, .exit_code = exit_code_of(status)};
    }
    std::this_thread::sleep_for(pause);
  }
  return std::nullopt;
}

void ChildProcesses::stop() {
  for (const pid_t id : running_) kill(id, SIGTERM);
  for (const pid_t id : running_) {
    while (waitpid(id, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  running_.clear();
}

}  // namespace melgrad
