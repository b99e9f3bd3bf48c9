// Sums that come out the same to the bit at every number of threads: the work is cut into chunks whose size does not
// depend on the threads, each chunk is summed by itself, and the partial results are added in chunk order.
#pragma once

#include <algorithm>
#include <cstdint>
#include <exception>
#include <mutex>
#include <vector>

namespace melgrad::kernel {

// Elementwise work on fewer elements is done sooner by one thread than a team is woken.
constexpr int64_t worth_a_team = 16384;

// Carries an exception out of a parallel region, which none may leave by itself: the first one thrown is kept.
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
  // Whether there is one; what is left of the work may then be left out.
  bool caught() const {
    const std::lock_guard lock(mutex_);
    return first_ != nullptr;
  }
  // To be called after the region.
  void rethrow() const {
    if (first_) std::rethrow_exception(first_);
  }

 private:
  mutable std::mutex mutex_;
  std::exception_ptr first_;
};

// Calls body(chunk, begin, end), which must not throw, for every chunk of [0, n), in parallel.
template <class Body>
void for_each_chunk(int64_t n, int64_t chunk_size, Body body) {
  const int64_t chunks = (n + chunk_size - 1) / chunk_size;
#pragma omp parallel for schedule(dynamic) if (chunks > 1)
  for (int64_t chunk = 0; chunk < chunks; ++chunk) {
    body(chunk, chunk * chunk_size, std::min(n, (chunk + 1) * chunk_size));
  }
}

// The sum over chunks of body(begin, end), which returns a number and must not throw.
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
