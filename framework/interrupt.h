// Ctrl-C and SIGTERM as a flag that long work asks for between two pieces of itself, so that it can save and say how to
// go on.
#pragma once

#include "kernels/error.h"

namespace melgrad {

// Thrown by long work that stopped because interrupted() became true; the message says what was kept.
class Interrupted : public Error {
 public:
  using Error::Error;
};

// The first SIGINT or SIGTERM sets the flag; the second ends the process at once, as if no handler were there.
void install_interrupt_handler();

bool interrupted();

}  // namespace melgrad
