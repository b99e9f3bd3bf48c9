#include "apps/process.h"

#include <execinfo.h>
#include <fcntl.h>
#include <unistd.h>

#include <csignal>

namespace melgrad {

void prepare_process() {
  for (int standard = STDIN_FILENO; standard <= STDERR_FILENO; ++standard) {
    // It is opened read-only, so that writing results to a closed stream is an error. open() returns the lowest free
    // number, which is that of the closed stream.
    if (fcntl(standard, F_GETFD) < 0) open("/dev/null", O_RDONLY);
  }
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  // The C library loads its unwinder at the first exception and ends the process if there is no memory for it.
  void* caller;
  backtrace(&caller, 1);
}

}  // namespace melgrad
