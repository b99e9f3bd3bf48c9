// The folder of a run: opened by one training at a time.
#pragma once

#include <filesystem>
#include <memory>

#include "framework/training/run_lock.h"

namespace melgrad {

// True if the folder holds a run that can be resumed.
bool holds_run(const std::filesystem::path& folder);

// Creates the folder if needed, locks it, and removes the unfinished files of a killed process. Throws Error when a new
// run would overwrite an existing one, when there is no run to resume, or when another process holds the lock;
// WriteError when the folder cannot be written to.
std::unique_ptr<RunLock> open_run_folder(const std::filesystem::path& folder, bool resume);

}  // namespace melgrad
