// The interface between a data set and the trainer: the source of training batches.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "framework/random.h"
#include "framework/tensor.h"

namespace melgrad {

struct Batch {
  Tensor x;        // [n, ...], the model's input
  Tensor targets;  // [n, ...] float32, what the loss compares the model's output with
};

// The examples of one epoch: each item is drawn `examples_per_item` times.
struct EpochSize {
  int64_t items = 0;
  int64_t examples_per_item = 1;
  // Plural nouns for the progress line, the log and the checkpoint, for example "images" and "crops".
  const char* items_name = "samples";
  const char* examples_name = "examples";

  int64_t examples() const { return items * examples_per_item; }
};

// The items of a batch, in [0, EpochSize::items), on the host and in the memory of the device.
struct BatchItems {
  std::span<const int64_t> on_host;
  const int64_t* on_device = nullptr;
};

class BatchSource {
 public:
  virtual ~BatchSource() = default;

  virtual EpochSize epoch_size() const = 0;
  // One example of each item. Everything random comes from `generator`, so that a resumed run draws the same batches.
  virtual Batch batch(const BatchItems& items, Generator& generator) const = 0;
  // Called before batch() with the same items, and never while a graph of the step is recorded or launched. A source
  // whose data is not in the memory of the device brings it there. `on_host` gives the random numbers that batch() will
  // draw, in the memory of the host.
  virtual void prepare(std::span<const int64_t> /*items*/, Generator& /*on_host*/) const {}
  // Names items that one of the next batches will have, each once for every batch, so that a source may read them from
  // a disk meanwhile.
  virtual void read_ahead(std::span<const int64_t> /*items*/) const {}
  // The name of an item in error messages, for example its file name.
  virtual std::string name(int64_t item) const = 0;
};

}  // namespace melgrad
