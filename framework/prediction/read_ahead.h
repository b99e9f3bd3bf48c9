// Computes the features of the next recordings while the caller classifies the current one.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "framework/audio/log_mel.h"

namespace melgrad {

class ReadAhead {
 public:
  // load(i) is called once for each i in [0, count) that is needed, by `threads` threads at once, or by the thread that
  // calls next() if threads is 0. At most 2 * threads results are loaded and not yet taken.
  ReadAhead(size_t count, int threads, std::function<LogMel(size_t)> load);
  // Waits for the loads that have begun.
  ~ReadAhead();
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  // The result of the next index, beginning with 0. Throws what load() threw for it. Must be called at most `count`
  // times.
  LogMel next();

 private:
  struct Loaded {
    LogMel features;
    std::exception_ptr error;
  };

  void run(const std::stop_token& stop);

  size_t count_, ahead_;
  std::function<LogMel(size_t)> load_;
  std::mutex mutex_;  // of all below
  std::condition_variable_any changed_;
  size_t begun_ = 0, taken_ = 0;
  std::map<size_t, Loaded> loaded_;
  std::vector<std::jthread> threads_;  // last, so that they end before the rest is destroyed
};

// The number of threads that read ahead beside the `threads` threads that compute.
int reading_threads(int threads);

}  // namespace melgrad
