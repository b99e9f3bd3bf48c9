// Communication between the processes ("ranks") that train one model together.
//
// A launcher such as mpirun or srun starts the processes. MPI connects them; a plug-in (libmelgrad_mpi.so), which is
// loaded only then, calls it. Sums are added in rank order, so that the same number of ranks gives the same bits;
// MPI_Allreduce promises no order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace melgrad {

// Every function is collective: all ranks call it with the same sizes. Arrays are in host memory.
class Communicator {
 public:
  virtual ~Communicator() = default;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  virtual int rank() const = 0;  // in [0, size())
  virtual int size() const = 0;

  // values[i] becomes ((x0 + x1) + x2) + ... with xr the values[i] of rank r. Each rank sends and receives
  // 2 (size - 1) / size of the bytes, as in a ring.
  virtual void all_reduce(float* values, size_t count) = 0;
  // Copies the bytes of rank `root` to all others.
  virtual void broadcast(void* bytes, size_t count, int root) = 0;
  // Copies `count` bytes of each rank r to all + r * count.
  virtual void all_gather(const void* mine, size_t count, void* all) = 0;
  // Returns when all ranks have called it.
  virtual void barrier() = 0;
  // Bytes that this rank has sent by the functions above.
  virtual uint64_t bytes_sent() const = 0;

 protected:
  Communicator() = default;
};

// The communicator of a process that works alone: rank 0 of 1.
Communicator& single_process();

// The environment variables by which a launcher numbers the processes that it started together.
struct Launch {
  std::string launcher;  // for messages: "mpirun (Open MPI)"
  int rank = 0;
  int size = 0;  // 0: the launcher does not tell
};

// Reads the launcher's environment variables. Nothing if there is no launcher or if it started one process.
std::optional<Launch> launch_of_process();

// Connects the processes of a launch. Throws Error that says what to install or to change if the plug-in is missing or
// MPI cannot start, and if MPI sees another number of processes than the launcher.
std::unique_ptr<Communicator> connect(const Launch& launch);

}  // namespace melgrad
