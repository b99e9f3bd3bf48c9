// Writes checkpoints in a thread of its own, so that training does not wait for the disk.
#pragma once

#include <chrono>
#include <condition_variable>
#include <exception>
#include <filesystem>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "framework/training/checkpoint.h"

namespace melgrad {

class CheckpointWriter {
 public:
  // Snapshots that are not urgent are written at most every `seconds`; 0: each at once. before_writing() is called in
  // the writer's thread before every file and may prevent the write by an exception.
  CheckpointWriter(std::filesystem::path run_folder, double seconds, std::function<void()> before_writing);
  // Drops the snapshots that are not written yet; call flush() first to keep them.
  ~CheckpointWriter();
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  // Queues a snapshot and returns. A queued snapshot is dropped if a newer one writes all of its files. Throws the
  // exception of an earlier write that failed.
  void write_when_due(Snapshot snapshot);
  void write_soon(Snapshot snapshot);
  // Writes what is queued and returns when it is on the disk. Throws the exception of a write that failed.
  void flush();

  // True if nothing was queued or written for `seconds` (never if `seconds` is 0), and if a write has failed: the next
  // call then throws its exception.
  bool due() const;

 private:
  using Clock = std::chrono::steady_clock;

  void queue(Snapshot snapshot, bool urgent);
  void rethrow_failure();
  void run(const std::stop_token& stop);

  std::filesystem::path run_folder_;
  Clock::duration interval_;
  std::function<void()> before_writing_;

  mutable std::mutex mutex_;  // of all below
  std::condition_variable_any changed_;
  std::vector<Snapshot> queue_;  // oldest first
  bool urgent_ = false, writing_ = false;
  Clock::time_point written_ = Clock::now();
  std::exception_ptr failure_;
  std::jthread thread_;  // last, so that it stops before the rest is destroyed
};

}  // namespace melgrad
