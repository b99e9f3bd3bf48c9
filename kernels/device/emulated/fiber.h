// A fiber is a stack of its own that runs until it chooses to pause: one CUDA thread, which pauses where it waits for
// others. Switching takes tens of nanoseconds, so a block of 1024 threads is cheap.
#pragma once

#include <functional>

namespace emulated_cuda {

class Fiber {
 public:
  Fiber();
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Gives the fiber work to do at the next resume. Only a new fiber or one that has finished takes any.
  void assign(const std::function<void()>& work);

  // Runs the fiber until it pauses (false) or has finished its work (true). Not to be called on a fiber.
  bool resume();

  // Called by the work itself, on the fiber: returns to whoever called resume.
  static void pause();

 private:
  struct Switch;  // the machinery, which needs Boost.Context

  const std::function<void()>* work_ = nullptr;
  bool finished_ = true;
  void* stack_;
  void* context_;                    // where to go on
  void* sanitizer_stack_ = nullptr;  // AddressSanitizer's state of this stack while it is paused
};

}  // namespace emulated_cuda
