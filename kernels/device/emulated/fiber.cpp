#include "kernels/device/emulated/fiber.h"

#include <sys/mman.h>

#include <boost/context/detail/fcontext.hpp>

#include "kernels/device/error.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace emulated_cuda {
namespace {

using boost::context::detail::transfer_t;

constexpr size_t stack_bytes = 64 << 10;
constexpr size_t guard_bytes = 4 << 10;  // an access here is a stack overflow and faults

// The stack of the caller of resume().
struct {
  void* context = nullptr;
  const void* bottom = nullptr;
  size_t bytes = 0;
  void* sanitizer_stack = nullptr;
} scheduler;

Fiber* running = nullptr;

// AddressSanitizer must be informed before and after every switch of stacks; Debian's Boost.Context does not do it.
void before_switch([[maybe_unused]] void** saved, [[maybe_unused]] const void* bottom, [[maybe_unused]] size_t bytes) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(saved, bottom, bytes);
#endif
}
void after_switch([[maybe_unused]] void* saved, [[maybe_unused]] const void** from_bottom,
                  [[maybe_unused]] size_t* from_bytes) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(saved, from_bottom, from_bytes);
#endif
}

}  // namespace

struct Fiber::Switch {
  // A fiber calls many functions one after another, because making a context for each would cost more than the
  // switches.
  [[noreturn]] static void main(transfer_t from) {
    scheduler.context = from.fctx;
    after_switch(nullptr, &scheduler.bottom, &scheduler.bytes);
    for (;;) {
      (*running->work_)();
      running->finished_ = true;
      pause();
    }
  }
};

Fiber::Fiber() {
  stack_ = mmap(nullptr, guard_bytes + stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                -1, 0);
  if (stack_ == MAP_FAILED) melgrad::fail("emulated CUDA: no memory for the stack of a thread; use smaller blocks");
  mprotect(stack_, guard_bytes, PROT_NONE);
  stack_ = static_cast<char*>(stack_) + guard_bytes;
  context_ = boost::context::detail::make_fcontext(static_cast<char*>(stack_) + stack_bytes, stack_bytes, Switch::main);
}

Fiber::~Fiber() {
#if defined(__SANITIZE_ADDRESS__)
  // The frames of an abandoned function are still poisoned, and the address will be reused.
  __asan_unpoison_memory_region(stack_, stack_bytes);
#endif
  munmap(static_cast<char*>(stack_) - guard_bytes, guard_bytes + stack_bytes);
}

void Fiber::assign(const std::function<void()>& work) {
  work_ = &work;
  finished_ = false;
}

bool Fiber::resume() {
  running = this;
  before_switch(&scheduler.sanitizer_stack, stack_, stack_bytes);
  context_ = boost::context::detail::jump_fcontext(context_, nullptr).fctx;
  after_switch(scheduler.sanitizer_stack, nullptr, nullptr);
  return finished_;
}

void Fiber::pause() {
  Fiber& self = *running;
  before_switch(&self.sanitizer_stack_, scheduler.bottom, scheduler.bytes);
  scheduler.context = boost::context::detail::jump_fcontext(scheduler.context, nullptr).fctx;
  after_switch(self.sanitizer_stack_, &scheduler.bottom, &scheduler.bytes);
}

}  // namespace emulated_cuda
