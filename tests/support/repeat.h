// Repeated runs that must give the same bits: with any number of threads, in every order of the emulated device.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <span>

#include "kernels/device/thread_pool.h"
#include "tests/support/compare.h"

#if MELGRAD_EMULATED
#include "kernels/device/emulated/order.h"
#endif

namespace melgrad::test {

// Calls body() with each of these numbers of threads.
template <class Body>
void with_threads(std::initializer_list<int> numbers, Body body) {
  const int before = thread_count();
  for (const int threads : numbers) {
    SCOPED_TRACE(testing::Message() << threads << " threads");
    set_thread_count(threads);
    body();
  }
  set_thread_count(before);
}

// Expects the same bits of run() with 1, 2, 4 and 8 threads. `run` returns an array or Results.
template <class Run>
void expect_same_bits_at_any_thread_count(Run run) {
  decltype(run()) expected;
  with_threads({1}, [&] { expected = run(); });
  with_threads({2, 4, 8}, [&] { expect_same_bits(run(), expected); });
}

// The result of run() on the CUDA device; expects the same bits in every order of the emulated device, or twice on a
// GPU. `run` returns an array or Results.
template <class Run>
auto in_every_order(Run run) {
#if MELGRAD_EMULATED
  const emulated_cuda::Order before = emulated_cuda::current_order();
  emulated_cuda::set_order(emulated_cuda::all_orders[0]);
  const auto first = run();
  for (const emulated_cuda::Order order : std::span(emulated_cuda::all_orders).subspan(1)) {
    emulated_cuda::set_order(order);
    expect_same_bits(run(), first);
  }
  emulated_cuda::set_order(before);
  return first;
#else
  const auto first = run();
  expect_same_bits(run(), first);
  return first;
#endif
}

}  // namespace melgrad::test
