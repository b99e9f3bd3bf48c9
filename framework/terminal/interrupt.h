// Ctrl-C, SIGTERM and SIGHUP set a flag. Long work reads it between two steps, so that it can save its results and say
// how to continue.
#pragma once

#include "kernels/device/error.h"

namespace melgrad {

// Thrown by long work that stopped because interrupted() became true. The message says which results were saved.
class Interrupted : public Exception {
 public:
  using Exception::Exception;
};

// The first SIGINT, SIGTERM or SIGHUP sets the flag. A second SIGINT or SIGTERM ends the process at once, as without a
// handler. A SIGHUP never ends it, and after a first SIGHUP no other signal ends it, because a closing terminal often
// sends several signals. If SIGHUP is ignored (nohup), it stays ignored.
void install_interrupt_handler();

bool interrupted();

// The signal that set the flag; 0: none.
int interrupting_signal();

}  // namespace melgrad
