// A run folder belongs to one training at a time: two that wrote checkpoints into it would each ruin the other's.
#pragma once

#include <filesystem>
#include <string>

namespace melgrad {

// Holds RUN/training.lock (flock) for the life of the object. The file, which stays, says who holds it; the system lets
// go of the lock when its process ends, however it ends, so a killed training blocks nobody.
class RunLock {
 public:
  // `run_folder` exists. Throws Error that names the process and the machine which hold the lock, WriteError where the
  // folder cannot be written to.
  explicit RunLock(const std::filesystem::path& run_folder);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

  // Throws Error when the folder was deleted, or deleted and made again by another training, since.
  void require_held() const;

 private:
  std::filesystem::path file_;
  std::string holder_;
  int descriptor_;
};

}  // namespace melgrad
