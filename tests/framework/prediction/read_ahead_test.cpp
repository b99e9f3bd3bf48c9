#include "framework/prediction/read_ahead.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>

#include "kernels/device/error.h"

namespace melgrad::test {
namespace {

LogMel with_frames(int64_t frames) {
  LogMel result;
  result.frames = frames;
  return result;
}

TEST(ReadAhead, KeepsTheOrderAndTheErrorsWithAnyNumberOfThreads) {
  for (const int threads : {0, 1, 3}) {
    ReadAhead features(20, threads, [](size_t i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(i % 3));
      if (i == 7) fail("the seventh");
      return with_frames(static_cast<int64_t>(i));
    });
    for (int64_t i = 0; i < 20; ++i) {
      if (i == 7) {
        EXPECT_THROW(features.next(), Error);
      } else {
        EXPECT_EQ(features.next().frames, i);
      }
    }
  }
}

TEST(ReadAhead, HoldsAtMostTwoResultsPerThread) {
  std::atomic<int> loaded = 0;
  std::atomic<int> most = 0;
  int taken = 0;
  std::atomic<int> taken_now = 0;
  ReadAhead features(50, 2, [&](size_t) {
    const int waiting = ++loaded - taken_now;
    for (int seen = most; waiting > seen && !most.compare_exchange_weak(seen, waiting);) {
    }
    return with_frames(1);
  });
  for (; taken < 50; taken_now = ++taken) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    features.next();
  }
  EXPECT_LE(most, 2 * 2 + 1);  // one may be taken and not yet counted here
  EXPECT_EQ(loaded, 50);
}

TEST(ReadAhead, EndsBeforeAllIsTaken) {
  ReadAhead features(1000, 2, [](size_t) { return with_frames(1); });
  features.next();
}

}  // namespace
}  // namespace melgrad::test
