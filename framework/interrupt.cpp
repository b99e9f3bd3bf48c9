#include "framework/interrupt.h"

#include <csignal>

#include <atomic>

namespace melgrad {
namespace {

std::atomic<bool> flag = false;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may touch lock-free atomics only");

extern "C" void handle_interrupt(int number) {
  if (flag.exchange(true)) {
    signal(number, SIG_DFL);
    raise(number);  // delivered when the handler returns: the exit status names the signal
  }
}

}  // namespace

void install_interrupt_handler() {
  struct sigaction action {};
  action.sa_handler = handle_interrupt;
  action.sa_flags = SA_RESTART;  // a read or write under way goes on as if nothing had happened
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() { return flag.load(std::memory_order_relaxed); }

}  // namespace melgrad
