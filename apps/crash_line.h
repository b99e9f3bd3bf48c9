// The one line of a process that a crash ends: libraries answer a lack of memory with null pointers that they follow.
#pragma once

namespace melgrad {

// From now on a signal such as SIGSEGV or SIGABRT still ends the process, but leaves a line on stderr before. A handler
// that is there already, such as a sanitizer's, stays.
void report_crashes();

}  // namespace melgrad
