#include "framework/dataset/clip_reader.h"

#include <utility>

namespace melgrad {

ClipReader::ClipReader(std::function<void(int64_t clip)> read_clip)
    : read_clip_(std::move(read_clip)), thread_([this] { run(); }) {}

ClipReader::~ClipReader() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void ClipReader::read(std::span<const int64_t> clips) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.insert(waiting_.end(), clips.begin(), clips.end());
  }
  changed_.notify_all();
}

void ClipReader::wait() {
  std::unique_lock lock(mutex_);
  waiting_.clear();
  changed_.wait(lock, [this] { return !reading_; });
}

void ClipReader::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ended_ || !waiting_.empty(); });
    if (ended_) return;
    const int64_t clip = waiting_.front();
    waiting_.pop_front();
    reading_ = true;
    lock.unlock();
    read_clip_(clip);
    lock.lock();
    reading_ = false;
    changed_.notify_all();
  }
}

}  // namespace melgrad
