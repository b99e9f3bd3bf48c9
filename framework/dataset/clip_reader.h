// A thread that reads the clips of the next batches while the current one is computed.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <span>
#include <thread>

namespace melgrad {

class ClipReader {
 public:
  // `read_clip` runs on the thread. It must not throw.
  explicit ClipReader(std::function<void(int64_t clip)> read_clip);
  ~ClipReader();  // forgets the clips that were not read yet
  ClipReader(const ClipReader&) = delete;
  ClipReader& operator=(const ClipReader&) = delete;

  // Appends to the clips to read.
  void read(std::span<const int64_t> clips);
  // Forgets the clips that were not read yet, and waits for the one that is being read.
  void wait();

 private:
  void run();

  std::function<void(int64_t)> read_clip_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<int64_t> waiting_;
  bool reading_ = false, ended_ = false;
  std::thread thread_;
};

}  // namespace melgrad
