// A library for LD_PRELOAD whose wall clock goes back by a second at every call. Other clocks are the system's.
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <ctime>

namespace {

time_t earlier() {
  static time_t now = 1'700'000'000;
  return now--;
}

}  // namespace

// The C library declares these functions with reserved parameter names.
// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name)
extern "C" {

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  if (clock != CLOCK_REALTIME) return static_cast<int>(syscall(SYS_clock_gettime, clock, time));
  *time = {.tv_sec = earlier(), .tv_nsec = 0};
  return 0;
}

int gettimeofday(timeval* time, void*) noexcept {
  *time = {.tv_sec = earlier(), .tv_usec = 0};
  return 0;
}

time_t time(time_t* result) noexcept {
  const time_t now = earlier();
  if (result != nullptr) *result = now;
  return now;
}
}
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
