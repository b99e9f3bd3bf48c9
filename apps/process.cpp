#include "apps/process.h"

#include <execinfo.h>
#include <fcntl.h>
#include <unistd.h>

#include <csignal>

namespace melgrad {

void prepare_process() {
  for (int standard = STDIN_FILENO; standard <= STDERR_FILENO; ++standard) {
    // Read-only, so that results that are written to nowhere are missed. The lowest free number is the one closed.
    if (fcntl(standard, F_GETFD) < 0) open("/dev/null", O_RDONLY);
  }
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  // The C library loads its unwinder when an exception first passes through it, which may be for lack of memory: it
  // ends the process if there is none left to load it into. This loads it now.
  void* caller;
  backtrace(&caller, 1);
}

}  // namespace melgrad
