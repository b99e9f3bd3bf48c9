#include "apps/crash_line.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <string_view>

namespace melgrad {
namespace {

// Prepared in advance, because a signal handler must not allocate.
char crash_line[256];
size_t line_length = 0;
std::atomic_flag told;

void tell(int number) {
  if (!told.test_and_set()) {
    [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, crash_line, line_length);
  }
  raise(number);  // SA_RESETHAND removed the handler: this ends the process when the handler returns
}

}  // namespace

void report_crashes() {
  const auto prepare = [](std::string_view text) { line_length = text.copy(crash_line, sizeof crash_line); };
  rlimit memory{};
  if (getrlimit(RLIMIT_AS, &memory) == 0 && memory.rlim_cur != RLIM_INFINITY) {
    prepare(
        fmt::format("melgrad: crashed, probably because memory ran out: ulimit -v allows {} MiB; raise it, or use a "
                    "smaller --batch-size or fewer --threads\n",
                    memory.rlim_cur >> 20));
    std::set_terminate(std::abort);  // suppresses the message of the C++ runtime
  } else {
    prepare("melgrad: crashed because of a bug; please report the command and its input\n");
  }
  // The handler has its own stack, because a stack overflow may be the cause of the signal.
  static char stack[64 << 10];
  const stack_t signal_stack{.ss_sp = stack, .ss_flags = 0, .ss_size = sizeof stack};
  sigaltstack(&signal_stack, nullptr);
  struct sigaction action {};
  action.sa_handler = tell;
  action.sa_flags = static_cast<int>(SA_ONSTACK | SA_RESETHAND);
  for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
    struct sigaction present {};
    if (sigaction(number, nullptr, &present) == 0 && present.sa_handler == SIG_DFL) {
      sigaction(number, &action, nullptr);
    }
  }
}

}  // namespace melgrad
