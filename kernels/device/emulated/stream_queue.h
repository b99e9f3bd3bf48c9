// The queues of streams. As on a GPU, work that is submitted to a stream runs later: here when the host waits for the
// stream or for an event recorded behind the work. So host code that reads a result too early, or that changes or frees
// pinned memory before a copy has read it, computes wrong values or is reported by AddressSanitizer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

struct EmulatedStream;
using cudaStream_t = EmulatedStream*;

namespace emulated_cuda {

using Work = std::function<void()>;

// Throws melgrad::Error for the default stream (null), which the project does not use.
void enqueue(cudaStream_t, Work);
// The stream that orders the work of the caching allocator: the first one that the program made. Null before.
cudaStream_t allocator_stream();

cudaStream_t make_stream();
void destroy_stream(cudaStream_t);
// The number of works submitted to the stream so far.
uint64_t submitted(cudaStream_t);

// Between the two calls the stream keeps what is submitted, and the second returns it.
void begin_recording(cudaStream_t);
std::vector<Work> end_recording(cudaStream_t);
bool is_recording(cudaStream_t);

// Run the queued work of a stream, its first `count` works, or all work. If works throw, the others run nevertheless,
// and the first exception is thrown at the end.
void run_queued(cudaStream_t);
void run_queued(cudaStream_t, uint64_t count);
void run_all_queued();

}  // namespace emulated_cuda
