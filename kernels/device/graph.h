// Work of a stream that is recorded once and then launched as a whole: a CUDA graph. A launch costs the host as much as
// that of one kernel, so small batches no longer wait for the host.
//
// The recorded work keeps its addresses. So what it allocates comes from blocks that the allocator sets aside for all
// graphs of the stream, and everything that changes between two launches must be read from device memory.
#pragma once

#include <functional>
#include <memory>

#include "kernels/device/error.h"

namespace melgrad {

class Graph {
 public:
  virtual ~Graph() = default;
  virtual void launch() = 0;
};

// The work cannot be recorded; what() says why.
class NotRecordable : public Error {
  using Error::Error;
};

class GraphRecorder {
 public:
  virtual ~GraphRecorder() = default;

  // Records the work that `submit` submits, without running it. The memory of graphs must be in use. Throws
  // NotRecordable if `submit` copies from or to the host or waits for the device.
  virtual std::unique_ptr<Graph> record(const std::function<void()>& submit) = 0;
  // True while `submit` runs.
  virtual bool recording() const = 0;

  // Chooses whether allocations come from the memory of graphs. Graphs share it: one graph may overwrite what another
  // computed.
  virtual void use_graph_memory(bool use) = 0;
  // Gives the memory back to all other work. No graph of the stream may be launched afterwards.
  virtual void release_graph_memory() = 0;
  // When an allocation outside a recording finds no memory, the stream calls `make_room` once and tries again. One
  // function at a time; an empty one removes it.
  virtual void when_memory_is_short(std::function<void()> make_room) = 0;
};

}  // namespace melgrad
