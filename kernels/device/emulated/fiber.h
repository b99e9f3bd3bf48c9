// A fiber has a stack of its own and runs until it pauses. Each CUDA thread is a fiber, which pauses when it waits for
// other threads. A switch takes tens of nanoseconds, so a block of 1024 threads is cheap.
#pragma once

#include <functional>

namespace emulated_cuda {

class Fiber {
 public:
  Fiber();
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Sets the function that the next resume() calls. The fiber must be new or have finished its last function.
  void assign(const std::function<void()>& work);

  // Runs the fiber until it pauses (returns false) or finishes (returns true). Must not be called on a fiber.
  bool resume();

  // Called on the fiber: returns to the caller of resume().
  static void pause();

 private:
  struct Switch;  // the context switch, by Boost.Context

  const std::function<void()>* work_ = nullptr;
  bool finished_ = true;
  void* stack_;
  void* context_;                    // where the fiber continues
  void* sanitizer_stack_ = nullptr;  // AddressSanitizer's state of this stack while it is paused
};

}  // namespace emulated_cuda
