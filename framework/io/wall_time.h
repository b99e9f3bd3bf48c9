// The time of day.
#pragma once

#include <chrono>

namespace melgrad {

// Seconds since 1 January 1970, UTC.
inline double wall_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace melgrad
