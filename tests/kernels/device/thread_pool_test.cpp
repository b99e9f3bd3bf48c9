#include "kernels/device/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "kernels/device/parallel.h"
#include "tests/support/repeat.h"

namespace melgrad {
namespace {

using namespace test;
using kernel::for_each_task;

TEST(ThreadPool, RunsEveryTaskOnce) {
  with_threads({1, 2, 3, 8}, [] {
    for (const int64_t tasks : {0, 1, 2, 3, 7, 64, 1000}) {
      std::vector<std::atomic<int>> runs(static_cast<size_t>(tasks));
      for_each_task(tasks, [&](int64_t task) { ++runs[static_cast<size_t>(task)]; });
      for (int64_t task = 0; task < tasks; ++task) EXPECT_EQ(runs[static_cast<size_t>(task)], 1) << task;
    }
  });
}

// The effects of the tasks are visible to the caller, and no task of a loop runs after its end.
TEST(ThreadPool, ALoopEndsAfterItsLastTask) {
  with_threads({2, 4}, [] {
    std::vector<int64_t> values(100);
    for (int64_t loop = 1; loop <= 20000; ++loop) {
      const int64_t tasks = 2 + loop % 7;
      for_each_task(tasks, [&](int64_t task) { values[static_cast<size_t>(task)] = loop * 100 + task; });
      for (int64_t task = 0; task < tasks; ++task) ASSERT_EQ(values[static_cast<size_t>(task)], loop * 100 + task);
    }
  });
}

TEST(ThreadPool, NoTwoTasksShareAThreadNumber) {
  with_threads({2, 4}, [] {
    std::vector<std::atomic<bool>> busy(static_cast<size_t>(thread_count()));
    for_each_task(2000, [&](int64_t, int thread) {
      ASSERT_GE(thread, 0);
      ASSERT_LT(thread, thread_count());
      EXPECT_FALSE(busy[static_cast<size_t>(thread)].exchange(true));
      busy[static_cast<size_t>(thread)] = false;
    });
  });
}

// Each task waits for the other one, so the loop would not end if one thread ran both.
TEST(ThreadPool, UsesTheThreadsOfThePool) {
  with_threads({2}, [] {
    for (int loop = 0; loop < 100; ++loop) {
      std::atomic<int> arrived = 0;
      std::set<std::thread::id> threads;
      std::mutex mutex;
      for_each_task(2, [&](int64_t) {
        ++arrived;
        while (arrived < 2) std::this_thread::yield();
        const std::lock_guard lock(mutex);
        threads.insert(std::this_thread::get_id());
      });
      EXPECT_EQ(threads.size(), 2u);
    }
  });
}

TEST(ThreadPool, AnExceptionReachesTheCallerAndTheNextLoopRuns) {
  with_threads({1, 2, 4}, [] {
    for (int loop = 0; loop < 50; ++loop) {
      std::atomic<int> runs = 0;
      const auto fails = [&](int64_t task) {
        ++runs;
        if (task == 3) throw std::out_of_range("task 3");
      };
      EXPECT_THROW(for_each_task(1000, fails), std::out_of_range);
      EXPECT_LE(runs, 1000);
      runs = 0;
      for_each_task(10, [&](int64_t) { ++runs; });
      EXPECT_EQ(runs, 10);
    }
  });
}

TEST(ThreadPool, ALoopInATaskRunsOnTheThreadOfTheTask) {
  with_threads({4}, [] {
    std::atomic<int> runs = 0;
    for_each_task(16, [&](int64_t) {
      const std::thread::id own = std::this_thread::get_id();
      for_each_task(16, [&](int64_t, int thread) {
        EXPECT_EQ(std::this_thread::get_id(), own);
        EXPECT_EQ(thread, 0);
        ++runs;
      });
    });
    EXPECT_EQ(runs, 256);
  });
}

TEST(ThreadPool, SeveralThreadsMayRunLoops) {
  with_threads({3}, [] {
    std::atomic<int64_t> sum = 0;
    std::vector<std::thread> callers;
    for (int caller = 0; caller < 4; ++caller) {
      callers.emplace_back([&] {
        for (int loop = 0; loop < 200; ++loop) for_each_task(50, [&](int64_t task) { sum += task; });
      });
    }
    for (std::thread& caller : callers) caller.join();
    EXPECT_EQ(sum, 4 * 200 * 1225);
  });
}

TEST(ThreadPool, RowsAndChunksCoverTheirRange) {
  with_threads({1, 3}, [] {
    std::vector<int> rows(1000), elements(100003);
    kernel::for_each_row(1000, 100, [&](int64_t row) { ++rows[static_cast<size_t>(row)]; });
    kernel::for_each_chunk(100003, kernel::elements_per_chunk, [&](int64_t, int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) ++elements[static_cast<size_t>(i)];
    });
    EXPECT_EQ(rows, std::vector<int>(1000, 1));
    EXPECT_EQ(elements, std::vector<int>(100003, 1));
  });
}

}  // namespace
}  // namespace melgrad
