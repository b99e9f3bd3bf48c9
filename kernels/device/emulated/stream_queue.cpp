#include "kernels/device/emulated/stream_queue.h"

#include <algorithm>
#include <deque>
#include <exception>
#include <limits>
#include <mutex>
#include <utility>
#include <vector>

#include "kernels/device/emulated/dry_run.h"
#include "kernels/device/error.h"

struct EmulatedStream {
  std::deque<emulated_cuda::Work> queue;
  uint64_t submitted = 0, done = 0;
  bool recording = false;
  std::vector<emulated_cuda::Work> recorded;
};

namespace emulated_cuda {
namespace {

constexpr uint64_t all = std::numeric_limits<uint64_t>::max();

struct Streams {
  std::mutex mutex;                // protects the queues
  std::recursive_mutex execution;  // held by the host thread that runs work
  std::vector<cudaStream_t> streams;
};

// Never destroyed, because tensors in static storage submit work at exit.
Streams& all_streams() {
  static auto& value = *new Streams;
  return value;
}

// Returns an empty function if the first `count` works have been taken.
Work take(cudaStream_t stream, uint64_t count) {
  const std::lock_guard lock(all_streams().mutex);
  if (stream->queue.empty() || stream->done >= count) return {};
  ++stream->done;
  Work work = std::move(stream->queue.front());
  stream->queue.pop_front();
  return work;
}

}  // namespace

void enqueue(cudaStream_t stream, Work work) {
  if (!stream) melgrad::fail("work was submitted to the default stream, which the program's streams do not wait for");
  if (is_dry_run()) return;
  const std::lock_guard lock(all_streams().mutex);
  if (stream->recording) {
    stream->recorded.push_back(std::move(work));
    return;
  }
  stream->queue.push_back(std::move(work));
  ++stream->submitted;
}

void begin_recording(cudaStream_t stream) {
  const std::lock_guard lock(all_streams().mutex);
  stream->recording = true;
}

std::vector<Work> end_recording(cudaStream_t stream) {
  const std::lock_guard lock(all_streams().mutex);
  stream->recording = false;
  return std::exchange(stream->recorded, {});
}

bool is_recording(cudaStream_t stream) {
  const std::lock_guard lock(all_streams().mutex);
  return stream->recording;
}

cudaStream_t allocator_stream() {
  const std::lock_guard lock(all_streams().mutex);
  return all_streams().streams.empty() ? nullptr : all_streams().streams.front();
}

cudaStream_t make_stream() {
  const std::lock_guard lock(all_streams().mutex);
  return all_streams().streams.emplace_back(new EmulatedStream);
}

void destroy_stream(cudaStream_t stream) {
  run_queued(stream);
  const std::lock_guard lock(all_streams().mutex);
  std::erase(all_streams().streams, stream);
  delete stream;
}

uint64_t submitted(cudaStream_t stream) {
  const std::lock_guard lock(all_streams().mutex);
  return stream->submitted;
}

void run_queued(cudaStream_t stream) { run_queued(stream, all); }

void run_queued(cudaStream_t stream, uint64_t count) {
  const std::lock_guard lock(all_streams().execution);
  std::exception_ptr first_error;
  while (const Work work = take(stream, count)) {
    try {
      work();
    } catch (...) {
      if (!first_error) first_error = std::current_exception();
    }
  }
  if (first_error) std::rethrow_exception(first_error);
}

void run_all_queued() {
  std::vector<cudaStream_t> streams;
  {
    const std::lock_guard lock(all_streams().mutex);
    streams = all_streams().streams;
  }
  for (const cudaStream_t stream : streams) run_queued(stream);
}

}  // namespace emulated_cuda
