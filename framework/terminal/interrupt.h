// Ctrl-C, SIGTERM and SIGHUP as a flag that long work asks for between two pieces of itself, so that it can save and
// say how to go on.
#pragma once

#include "kernels/device/error.h"

namespace melgrad {

// Thrown by long work that stopped because interrupted() became true; the message says what was kept.
class Interrupted : public Exception {
 public:
  using Exception::Exception;
};

// The first SIGINT, SIGTERM or SIGHUP sets the flag; a second SIGINT or SIGTERM ends the process at once, as if no
// handler were there. A terminal that closes often sends SIGHUP twice, and more after it, so none of that is taken for
// impatience. Where SIGHUP is ignored (nohup) it stays so.
void install_interrupt_handler();

bool interrupted();

// The signal that set the flag; 0: none has.
int interrupting_signal();

}  // namespace melgrad
