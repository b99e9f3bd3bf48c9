// Parallel loops and sums whose results are bit-identical for any number of threads: the size of a chunk does not
// depend on the threads, each chunk is summed by one thread, and the partial sums are added in the order of the chunks.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <vector>

#include "kernels/device/thread_pool.h"

namespace melgrad::kernel {

// Elements of a task of an elementwise loop: enough to outweigh the cost of claiming a task (64 KiB of float32).
constexpr int64_t elements_per_chunk = 16384;

// Calls body(task) or body(task, thread) for every task in [0, tasks), in parallel (run_tasks).
template <class Body>
void for_each_task(int64_t tasks, const Body& body) {
  const auto run = [](const void* context, int64_t task, int thread) {
    const auto& call = *static_cast<const Body*>(context);
    if constexpr (std::invocable<const Body&, int64_t, int>) {
      call(task, thread);
    } else {
      call(task);
    }
  };
  run_tasks(tasks, run, &body);
}

// Calls body(chunk, begin, end) for every chunk of [0, n), in parallel.
template <class Body>
void for_each_chunk(int64_t n, int64_t chunk_size, const Body& body) {
  for_each_task((n + chunk_size - 1) / chunk_size,
                [&](int64_t chunk) { body(chunk, chunk * chunk_size, std::min(n, (chunk + 1) * chunk_size)); });
}

// Calls body(row) for every row in [0, rows), in parallel. A row costs about as much as `elements` of an elementwise
// loop.
template <class Body>
void for_each_row(int64_t rows, int64_t elements, const Body& body) {
  const int64_t chunk_rows = std::max<int64_t>(1, elements_per_chunk / std::max<int64_t>(1, elements));
  for_each_chunk(rows, chunk_rows, [&](int64_t, int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) body(row);
  });
}

// The sum of body(begin, end) over all chunks.
template <class Body>
double chunked_sum(int64_t n, int64_t chunk_size, const Body& body) {
  std::vector<double> partial(static_cast<size_t>((n + chunk_size - 1) / chunk_size));
  for_each_chunk(n, chunk_size, [&](int64_t chunk, int64_t begin, int64_t end) {
    partial[static_cast<size_t>(chunk)] = body(begin, end);
  });
  double sum = 0;
  for (const double value : partial) sum += value;
  return sum;
}

}  // namespace melgrad::kernel
