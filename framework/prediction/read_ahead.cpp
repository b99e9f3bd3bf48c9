#include "framework/prediction/read_ahead.h"

#include <algorithm>
#include <system_error>
#include <utility>

namespace melgrad {

ReadAhead::ReadAhead(size_t count, int threads, std::function<LogMel(size_t)> load)
    : count_(count), ahead_(2 * static_cast<size_t>(threads)), load_(std::move(load)) {
  try {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this](const std::stop_token& stop) { run(stop); });
  } catch (const std::system_error&) {  // fewer threads are enough, also none
  }
}

ReadAhead::~ReadAhead() = default;

void ReadAhead::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return begun_ == count_ || begun_ < taken_ + ahead_; })) {
    if (begun_ == count_ || stop.stop_requested()) return;
    const size_t index = begun_++;
    lock.unlock();
    Loaded loaded;
    try {
      loaded.features = load_(index);
    } catch (...) {
      loaded.error = std::current_exception();
    }
    lock.lock();
    loaded_.emplace(index, std::move(loaded));
    changed_.notify_all();
  }
}

LogMel ReadAhead::next() {
  if (threads_.empty()) return load_(taken_++);
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return loaded_.contains(taken_); });
  Loaded loaded = std::move(loaded_.extract(taken_).mapped());
  ++taken_;
  changed_.notify_all();
  if (loaded.error) std::rethrow_exception(loaded.error);
  return std::move(loaded.features);
}

int reading_threads(int threads) {
  constexpr int most = 8;  // more would only hold more recordings in memory
  return std::min(threads / 2, most);
}

}  // namespace melgrad
