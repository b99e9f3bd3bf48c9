// Locks a run folder, so that two trainings cannot overwrite each other's checkpoints.
#pragma once

#include <filesystem>
#include <string>

namespace melgrad {

// Holds the lock (flock) on RUN/training.lock while the object exists. The file names the process that holds the lock
// and is never removed. The system releases the lock when the process ends, even if it is killed.
class RunLock {
 public:
  // `run_folder` must exist. Throws Error naming the process and the machine that hold the lock, and WriteError when
  // the folder cannot be written to.
  explicit RunLock(const std::filesystem::path& run_folder);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

  // Throws Error if the folder has been deleted since then, or replaced by that of another training.
  void require_held() const;

 private:
  std::filesystem::path file_;
  std::string holder_;
  int descriptor_;
};

// True if a process holds the lock of the folder. It looks only: it creates no file.
bool is_locked(const std::filesystem::path& run_folder);

}  // namespace melgrad
