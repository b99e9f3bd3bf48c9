// The order in which blocks, the warps of a block, and the lanes of a warp between two synchronisations run. CUDA
// promises no order, so a kernel must be right in every order. Tests run it in several.
#pragma once

#include <cstdint>
#include <vector>

namespace emulated_cuda {

enum class Order { ascending, descending, shuffled };
inline constexpr Order all_orders[] = {Order::ascending, Order::descending, Order::shuffled};

// The order of all following launches. Initially the value of the environment variable MELGRAD_EMULATED_ORDER
// (ascending, descending or shuffled), by default ascending.
Order current_order();
void set_order(Order);

// The numbers 0, ..., n - 1 in the current order. Different salts give different shuffles.
std::vector<uint32_t> ordered(uint32_t n, uint32_t salt);

}  // namespace emulated_cuda
