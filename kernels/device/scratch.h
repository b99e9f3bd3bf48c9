// A block in a stream's memory, released at the end of its scope. Work submitted in the scope may still use it then.
#pragma once

#include <cstddef>

#include "kernels/device/stream.h"

namespace melgrad {

class Scratch {
 public:
  Scratch(Stream& stream, size_t bytes) : stream_(stream), memory_(stream.allocate(bytes)) {}
  ~Scratch() { stream_.release(memory_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  void* get() const { return memory_; }

 private:
  Stream& stream_;
  void* memory_;
};

}  // namespace melgrad
