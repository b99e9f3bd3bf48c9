// Checks that the ranks of a data-parallel training were started alike.
#pragma once

#include <map>
#include <string>

#include "kernels/device/communicator.h"

namespace melgrad {

// Properties that must be the same on all ranks, by name, such as {"version", "0.1.0"}. Throws Error on every rank if
// they are not; the message names the first rank that differs from rank 0, the property and both values.
void require_agreement(Communicator& ranks, const std::map<std::string, std::string>& properties);

}  // namespace melgrad
