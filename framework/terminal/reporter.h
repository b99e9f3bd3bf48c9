// The functions that receive the progress, notes and warnings of long work.
#pragma once

#include <functional>
#include <string>

#include "framework/terminal/progress.h"
#include "kernels/device/note.h"

namespace melgrad {

struct Reporter {
  ProgressMode progress = ProgressMode::quiet;
  std::function<void(const std::string& line)> note = note_on_stderr;  // for information
  std::function<void(const std::string& line)> warn = note_on_stderr;  // a file or setting needs attention
};

}  // namespace melgrad
