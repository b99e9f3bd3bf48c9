// CUDA promises no order among blocks, among the warps of a block, or among the lanes of a warp between two
// synchronisations. A kernel that is right only in one order is wrong: the emulator runs it in several.
#pragma once

#include <cstdint>
#include <vector>

namespace emulated_cuda {

enum class Order { ascending, descending, shuffled };
inline constexpr Order all_orders[] = {Order::ascending, Order::descending, Order::shuffled};

// The order of all following launches. Initially that of the environment variable MELGRAD_EMULATED_ORDER (ascending,
// descending or shuffled), or ascending.
Order current_order();
void set_order(Order);

// The numbers below n, in the current order. Different salts give different shuffles.
std::vector<uint32_t> ordered(uint32_t n, uint32_t salt);

}  // namespace emulated_cuda
