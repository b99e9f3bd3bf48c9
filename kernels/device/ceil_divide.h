#pragma once

namespace melgrad {

// value / divisor, rounded up. Both are positive or value is 0.
template <class T>
constexpr T ceil_divide(T value, T divisor) {
  return (value + divisor - 1) / divisor;
}

}  // namespace melgrad
