#include "framework/terminal/interrupt.h"

#include <csignal>

#include <atomic>

namespace melgrad {
namespace {

std::atomic<int> first_signal = 0;
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may touch lock-free atomics only");

extern "C" void handle_interrupt(int number) {
  int first = 0;
  if (first_signal.compare_exchange_strong(first, number)) return;
  if (first != SIGHUP && number != SIGHUP) {
    signal(number, SIG_DFL);
    raise(number);  // delivered when the handler returns, so that the exit status names the signal
  }
}

}  // namespace

void install_interrupt_handler() {
  struct sigaction action {};
  action.sa_handler = handle_interrupt;
  action.sa_flags = SA_RESTART;  // an interrupted read or write continues
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  struct sigaction present {};
  sigaction(SIGHUP, nullptr, &present);
  if (present.sa_handler != SIG_IGN) sigaction(SIGHUP, &action, nullptr);
}

bool interrupted() { return interrupting_signal() != 0; }

int interrupting_signal() { return first_signal.load(std::memory_order_relaxed); }

}  // namespace melgrad
