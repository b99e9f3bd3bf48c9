// Notices that another rank has died or hangs, and ends this process then.
//
// MPI itself waits forever for a lost rank, and launchers name the processes by their own numbers. Therefore every rank
// keeps a TCP connection to rank 0, over which both sides send a byte every second.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "kernels/device/communicator.h"

namespace melgrad {

class RankWatch {
 public:
  // Collective. `name` names this rank in messages. Throws Error if a rank cannot be reached.
  RankWatch(Communicator& ranks, const std::string& name);
  // Leaves: the other ranks do not take the end of this process for a failure.
  ~RankWatch();
  RankWatch(const RankWatch&) = delete;
  RankWatch& operator=(const RankWatch&) = delete;

  // Tells the others that this rank has reported an error and ends. They end without a message.
  void report_failure() noexcept;

 private:
  struct Peer {
    int socket = -1;
    std::string name;
    bool left = false;
    double heard = 0;  // time, in seconds
  };
  void run();
  void listen_to(Peer& peer);
  [[noreturn]] void end(const std::string& message) noexcept;
  void tell_all(char what) noexcept;

  int rank_;
  std::vector<Peer> peers_;  // of rank 0: all others; of others: rank 0
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace melgrad
