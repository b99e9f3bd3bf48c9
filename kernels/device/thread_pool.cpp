#include "kernels/device/thread_pool.h"

#include <omp.h>
#include <sched.h>
#include <strings.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

#include "kernels/device/error.h"
#include "kernels/device/processor_limit.h"

namespace melgrad {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

// True in a task: a loop in it runs on the thread of the task.
thread_local bool in_task = false;

// Spinning longer than most gaps between two loops keeps the threads awake on a quiet machine. A machine that is shared
// loses at most this per loop.
Clock::duration spinning_time() {
  const char* const policy = std::getenv("OMP_WAIT_POLICY");
  if (policy && strcasecmp(policy, "passive") == 0) return 0s;
  if (policy && strcasecmp(policy, "active") == 0) return 1s;
  return 100us;
}

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

int default_thread_count() {
  const int threads = std::clamp(omp_get_max_threads(), 1, std::max(1, omp_get_thread_limit()));
  if (std::getenv("OMP_NUM_THREADS")) return threads;
  const auto limit = processor_limit();
  return limit ? std::clamp(static_cast<int>(std::ceil(*limit)), 1, threads) : threads;
}

// The tasks [begin, end) of one thread that nobody has claimed yet. The thread itself claims from the front, others
// from the back.
class TaskRange {
 public:
  void assign(uint32_t begin, uint32_t end) { bounds_.store(pack(begin, end), std::memory_order_release); }

  std::optional<uint32_t> claim_first() {
    return claim([](uint32_t& begin, uint32_t&) { return begin++; });
  }
  std::optional<uint32_t> claim_last() {
    return claim([](uint32_t&, uint32_t& end) { return --end; });
  }

 private:
  static uint64_t pack(uint32_t begin, uint32_t end) { return uint64_t{begin} << 32 | end; }

  template <class Take>
  std::optional<uint32_t> claim(Take take) {
    uint64_t bounds = bounds_.load(std::memory_order_acquire);
    while (true) {
      auto begin = static_cast<uint32_t>(bounds >> 32), end = static_cast<uint32_t>(bounds);
      if (begin >= end) return std::nullopt;
      const uint32_t task = take(begin, end);
      if (bounds_.compare_exchange_weak(bounds, pack(begin, end), std::memory_order_acq_rel)) return task;
    }
  }

  alignas(64) std::atomic<uint64_t> bounds_ = 0;  // begin in the upper half
};

// Moves a thread of the pool to its place if the user binds threads (OMP_PROC_BIND, OMP_PLACES). OpenMP has bound the
// main thread to the first place, and new threads inherit that.
void bind_to_place(int thread) {
  const int places = omp_get_num_places();
  if (omp_get_proc_bind() == omp_proc_bind_false || places == 0) return;
  std::vector<int> processors(static_cast<size_t>(omp_get_place_num_procs(thread % places)));
  omp_get_place_proc_ids(thread % places, processors.data());
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int processor : processors) CPU_SET(static_cast<size_t>(processor), &set);
  sched_setaffinity(0, sizeof set, &set);  // of this thread; without success it stays where it is
}

class ThreadPool {
 public:
  ThreadPool() { start(default_thread_count()); }

  int threads() const { return threads_; }

  void resize(int threads) {
    const std::lock_guard lock(running_);
    const int wanted = threads == 0 ? default_thread_count() : threads;
    if (wanted == threads_) return;
    stop();
    start(wanted);
  }

  // Returns false, having done nothing, while another thread runs a loop.
  bool try_run(uint32_t tasks, void (*run)(const void*, int64_t, int), const void* body) {
    const std::unique_lock lock(running_, std::try_to_lock);
    if (!lock) return false;
    run_ = run;
    body_ = body;
    failure_ = nullptr;
    failed_.store(false, std::memory_order_relaxed);
    unfinished_.store(tasks, std::memory_order_relaxed);
    const auto count = static_cast<uint64_t>(ranges_.size());
    for (uint64_t i = 0; i < count; ++i) {
      ranges_[i].assign(static_cast<uint32_t>(i * tasks / count), static_cast<uint32_t>((i + 1) * tasks / count));
    }
    loops_.fetch_add(1);
    loops_.notify_all();
    in_task = true;
    run_claimed(0);
    in_task = false;
    wait_for_end();
    if (failure_) std::rethrow_exception(failure_);
    return true;
  }

 private:
  void start(int threads) {
    stopping_ = false;
    threads_ = 1;
    ranges_ = std::vector<TaskRange>(static_cast<size_t>(threads));
    try {
      for (; threads_ < threads; ++threads_) workers_.emplace_back(&ThreadPool::work, this, threads_.load());
    } catch (const std::system_error& error) {
      stop();
      fail("cannot start {} threads: {}; use fewer (--threads, OMP_NUM_THREADS) or raise the limits (ulimit -u, -v)",
           threads, error.what());
    }
  }

  void stop() {
    stopping_ = true;
    loops_.fetch_add(1);
    loops_.notify_all();
    for (std::thread& worker : workers_) worker.join();
    workers_.clear();
    threads_ = 1;
    ranges_ = std::vector<TaskRange>(1);
  }

  void work(int thread) {
    in_task = true;
    bind_to_place(thread);
    while (!stopping_) {
      const uint32_t loop = loops_.load();
      run_claimed(thread);
      if (!spin([&] { return loops_.load(std::memory_order_acquire) != loop; })) loops_.wait(loop);
    }
  }

  // The fields of a loop are written before the ranges and stay valid until its last task has finished. They are read
  // only after a task has been claimed, so a thread may arrive here late, even in another loop than it was woken for.
  void run_claimed(int thread) {
    const auto own = static_cast<size_t>(thread);
    while (const auto task = ranges_[own].claim_first()) finish(*task, thread);
    for (size_t i = 1; i < ranges_.size(); ++i) {
      TaskRange& other = ranges_[(own + i) % ranges_.size()];
      while (const auto task = other.claim_last()) finish(*task, thread);
    }
  }

  void finish(uint32_t task, int thread) noexcept {
    run_guarded(task, thread);
    if (unfinished_.fetch_sub(1, std::memory_order_acq_rel) == 1) unfinished_.notify_all();
  }

  void run_guarded(int64_t task, int thread) noexcept {
    if (failed_.load(std::memory_order_relaxed)) return;
    try {
      run_(body_, task, thread);
    } catch (...) {
      if (!failed_.exchange(true)) failure_ = std::current_exception();
    }
  }

  void wait_for_end() {
    uint32_t left = 0;
    const auto ended = [&] { return (left = unfinished_.load(std::memory_order_acquire)) == 0; };
    if (spin(ended)) return;
    while (!ended()) unfinished_.wait(left, std::memory_order_acquire);
  }

  // Waits for condition() and returns true, or false after the spinning time.
  template <class Condition>
  bool spin(Condition condition) const {
    constexpr int checks_per_reading = 64;  // of the clock
    if (condition()) return true;
    const Clock::time_point end = Clock::now() + spinning_time_;
    do {
      for (int i = 0; i < checks_per_reading; ++i) {
        if (condition()) return true;
        relax();
      }
    } while (Clock::now() < end);
    return false;
  }

  Clock::duration spinning_time_ = spinning_time();
  std::mutex running_;  // a loop, or a change of the threads
  std::vector<std::thread> workers_;
  std::atomic<int> threads_ = 1;
  std::atomic<bool> stopping_ = false;

  // The current loop.
  void (*run_)(const void*, int64_t, int) = nullptr;
  const void* body_ = nullptr;
  std::exception_ptr failure_;
  std::atomic<bool> failed_ = false;
  std::vector<TaskRange> ranges_;  // [threads]
  alignas(64) std::atomic<uint32_t> unfinished_ = 0;
  alignas(64) std::atomic<uint32_t> loops_ = 0;  // started so far
};

// Never destroyed, because its threads may outlive the objects of main().
ThreadPool& pool() {
  static auto& pool = *new ThreadPool;
  return pool;
}

void run_serially(int64_t tasks, void (*run)(const void*, int64_t, int), const void* body) {
  for (int64_t task = 0; task < tasks; ++task) run(body, task, 0);
}

}  // namespace

int thread_count() { return pool().threads(); }

void set_thread_count(int threads) { pool().resize(threads); }

namespace kernel {

void run_tasks(int64_t tasks, void (*run)(const void* body, int64_t task, int thread), const void* body) {
  MELGRAD_CHECK(tasks <= UINT32_MAX, "{} tasks in one loop; make them larger", tasks);
  if (tasks <= 1 || in_task || pool().threads() == 1) return run_serially(tasks, run, body);
  if (!pool().try_run(static_cast<uint32_t>(tasks), run, body)) run_serially(tasks, run, body);
}

}  // namespace kernel
}  // namespace melgrad
