// The built program as a separate process, for exit codes, signals and kills.
#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/paths.h"

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX has no header that must declare it

namespace melgrad::test {

class Program {
 public:
  // Starts the program and writes its stdout and stderr to `output`. A `script` is run by sh instead, with the program
  // and its arguments as "$@"; it can set limits, redirections and pipes.
  Program(std::vector<std::string> arguments, const std::filesystem::path& output, const std::string& script = "") {
    arguments.insert(arguments.begin(), program().string());
    if (!script.empty()) arguments.insert(arguments.begin(), {"/bin/sh", "-c", script, "sh"});
    const std::string path = arguments[0];
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    // Restores the default signal handlers: a test that runs in the background has SIGINT ignored.
    sigset_t signals;
    sigemptyset(&signals);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) sigaddset(&signals, number);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    posix_spawn(&pid_, path.c_str(), &actions, &attributes, argv.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
  }
  ~Program() {
    if (running()) {
      send(SIGKILL);
      wait();
    }
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  pid_t pid() const { return pid_; }
  bool running() {
    if (!ended_ && waitpid(pid_, &status_, WNOHANG) == pid_) ended_ = true;
    return !ended_;
  }
  void send(int signal) {
    if (running()) kill(pid_, signal);
  }
  // Waits for the end. Returns the exit code, or the negative number of the signal that ended the program.
  int wait() {
    if (!ended_) waitpid(pid_, &status_, 0);
    ended_ = true;
    return WIFEXITED(status_) ? WEXITSTATUS(status_) : -WTERMSIG(status_);
  }
  // Waits until `condition` holds or the program ends. Returns false if it ended first.
  template <class Condition>
  bool run_until(Condition condition) {
    while (running()) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
  }

 private:
  pid_t pid_ = 0;
  int status_ = 0;
  bool ended_ = false;
};

}  // namespace melgrad::test
