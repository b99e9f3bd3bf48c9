// Prints a line when the process crashes. Some libraries dereference a null pointer when memory runs out.
#pragma once

namespace melgrad {

// After this call, a signal such as SIGSEGV or SIGABRT prints a line on stderr before it ends the process. Handlers
// that are already installed, such as those of sanitizers, stay.
void report_crashes();

}  // namespace melgrad
