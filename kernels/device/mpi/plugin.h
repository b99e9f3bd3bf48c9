// The interface between the program and its MPI plug-in.
#pragma once

#include <string>

#include "kernels/device/communicator.h"

namespace melgrad {

inline constexpr const char* mpi_plugin_file = "libmelgrad_mpi.so";
// The name changes with the interface, so that a plug-in of another version is recognised.
inline constexpr const char* mpi_plugin_function = "melgrad_make_mpi_communicator_1";

// Starts MPI. Returns null and sets `error` if that fails.
using MakeMpiCommunicator = Communicator* (*)(std::string* error);

}  // namespace melgrad
