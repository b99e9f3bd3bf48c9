#include "framework/training/checkpoint_writer.h"

#include <system_error>
#include <utility>

namespace melgrad {

CheckpointWriter::CheckpointWriter(std::filesystem::path run_folder, double seconds,
                                   std::function<void()> before_writing)
    : run_folder_(std::move(run_folder)),
      interval_(std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds))),
      before_writing_(std::move(before_writing)) {
  try {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  } catch (const std::system_error& error) {
    fail("cannot start the thread that writes checkpoints: {}; raise the limits (ulimit -u, -v)", error.what());
  }
}

CheckpointWriter::~CheckpointWriter() = default;

void CheckpointWriter::write_when_due(Snapshot snapshot) {
  queue(std::move(snapshot), interval_ == Clock::duration(0));
}

void CheckpointWriter::write_soon(Snapshot snapshot) { queue(std::move(snapshot), true); }

void CheckpointWriter::queue(Snapshot snapshot, bool urgent) {
  const std::lock_guard lock(mutex_);
  rethrow_failure();
  std::erase_if(queue_, [&](const Snapshot& older) { return older.files <= snapshot.files; });
  queue_.push_back(std::move(snapshot));
  urgent_ = urgent_ || urgent;
  changed_.notify_all();
}

void CheckpointWriter::flush() {
  std::unique_lock lock(mutex_);
  urgent_ = true;
  changed_.notify_all();
  changed_.wait(lock, [this] { return failure_ || (queue_.empty() && !writing_); });
  urgent_ = false;
  rethrow_failure();
}

bool CheckpointWriter::due() const {
  const std::lock_guard lock(mutex_);
  const bool idle = queue_.empty() && !writing_ && Clock::now() - written_ >= interval_;
  return failure_ || (interval_ > Clock::duration(0) && idle);
}

// The failed snapshots are lost, but an exception is thrown once only: the caller that reports it may still flush().
void CheckpointWriter::rethrow_failure() {
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void CheckpointWriter::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, stop, [this] { return !queue_.empty(); });
    if (stop.stop_requested()) return;
    changed_.wait_until(lock, stop, written_ + interval_, [this] { return urgent_; });
    if (stop.stop_requested()) return;
    Snapshot oldest = std::move(queue_.front());
    queue_.erase(queue_.begin());
    if (queue_.empty()) urgent_ = false;
    writing_ = true;
    lock.unlock();
    std::exception_ptr failure;
    try {
      write_snapshot(run_folder_, std::move(oldest), before_writing_);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    writing_ = false;
    written_ = Clock::now();
    if (failure) {
      failure_ = failure;
      queue_.clear();
    }
    changed_.notify_all();
  }
}

}  // namespace melgrad
