// Parallel loops and sums whose results are bit-identical for any number of threads: the size of a chunk does not
// depend on the threads, each chunk is summed by one thread, and the partial sums are added in the order of the chunks.
#pragma once

#include <algorithm>
#include <cstdint>
#include <exception>
#include <mutex>
#include <vector>

namespace melgrad::kernel {

// Elementwise loops over fewer elements run on one thread: starting a team of threads would take longer.
constexpr int64_t worth_a_team = 16384;

// Carries the first exception out of an OpenMP parallel region, which exceptions must not leave.
class FirstException {
 public:
  template <class Body>
  void guard(Body body) noexcept {
    try {
      body();
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!first_) first_ = std::current_exception();
    }
  }
  // True after an exception: the remaining work may be skipped.
  bool caught() const {
    const std::lock_guard lock(mutex_);
    return first_ != nullptr;
  }
  // Call it after the region.
  void rethrow() const {
    if (first_) std::rethrow_exception(first_);
  }

 private:
  mutable std::mutex mutex_;
  std::exception_ptr first_;
};

// Calls body(chunk, begin, end) for every chunk of [0, n), in parallel. body must not throw.
template <class Body>
void for_each_chunk(int64_t n, int64_t chunk_size, Body body) {
  const int64_t chunks = (n + chunk_size - 1) / chunk_size;
#pragma omp parallel for schedule(dynamic) if (chunks > 1)
  for (int64_t chunk = 0; chunk < chunks; ++chunk) {
    body(chunk, chunk * chunk_size, std::min(n, (chunk + 1) * chunk_size));
  }
}

// The sum of body(begin, end) over all chunks. body must not throw.
template <class Body>
double chunked_sum(int64_t n, int64_t chunk_size, Body body) {
  std::vector<double> partial(static_cast<size_t>((n + chunk_size - 1) / chunk_size));
  for_each_chunk(n, chunk_size, [&](int64_t chunk, int64_t begin, int64_t end) {
    partial[static_cast<size_t>(chunk)] = body(begin, end);
  });
  double sum = 0;
  for (const double value : partial) sum += value;
  return sum;
}

}  // namespace melgrad::kernel
