#include "kernels/device/emulated/order.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <random>
#include <string_view>

#include "kernels/device/error.h"

namespace emulated_cuda {
namespace {

Order initial_order() {
  const char* variable = std::getenv("MELGRAD_EMULATED_ORDER");
  const std::string_view name = variable ? variable : "ascending";
  if (name == "ascending") return Order::ascending;
  if (name == "descending") return Order::descending;
  if (name == "shuffled") return Order::shuffled;
  melgrad::fail("MELGRAD_EMULATED_ORDER is '{}'; it must be ascending, descending or shuffled", name);
}

Order& order() {
  static Order value = initial_order();
  return value;
}

}  // namespace

Order current_order() { return order(); }
void set_order(Order value) { order() = value; }

std::vector<uint32_t> ordered(uint32_t n, uint32_t salt) {
  std::vector<uint32_t> numbers(n);
  std::iota(numbers.begin(), numbers.end(), 0u);
  if (order() == Order::descending) std::reverse(numbers.begin(), numbers.end());
  if (order() == Order::shuffled) std::shuffle(numbers.begin(), numbers.end(), std::minstd_rand(salt + 1));
  return numbers;
}

}  // namespace emulated_cuda
