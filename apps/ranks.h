// Runs a command as one of the processes ("ranks") that a launcher such as mpirun or srun started.
#pragma once

#include <functional>

#include "kernels/device/communicator.h"

namespace melgrad {

// Connects the processes if there is a launcher, and calls body(). An exception of body() leaves the process without
// waiting for the other ranks; the launcher then ends them. Errors name the rank and its machine. An error that all
// ranks meet is printed by rank 0 only.
int run_on_ranks(const std::function<int(Communicator& ranks)>& body);

// True if this process prints what all ranks would print: it is rank 0, or it works alone.
bool speaks_for_all_ranks();

}  // namespace melgrad
