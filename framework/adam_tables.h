// The tables in device memory from which the kernels of Adam take the addresses of parameters and gradients. The
// addresses repeat from step to step, one set for each batch size, so tables that were uploaded are used again.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "framework/device_array.h"
#include "kernels/adam.h"
#include "kernels/gradient_norm.h"

namespace melgrad {

class AdamTables {
 public:
  struct Table {
    DeviceArray<kernel::GradientSlot> gradients;
    DeviceArray<kernel::AdamSlot> updates;
  };

  AdamTables(size_t parameters, Device device) : parameters_(parameters), device_(device) {}

  // Makes tables that may be overwritten, outside the memory of graphs: there, graphs would overwrite them.
  void make_spares();
  // A table with this content. Uploads it to the spare that was not used for the longest time if there is none.
  const Table& find_or_upload(const std::vector<kernel::GradientSlot>& gradients,
                              const std::vector<kernel::AdamSlot>& updates);
  // Never overwrites the table that was found last: a graph reads it at every launch.
  void keep_last() { uploaded_[last_]->kept = true; }

 private:
  struct Uploaded {
    Table table;
    std::vector<kernel::GradientSlot> gradients;
    std::vector<kernel::AdamSlot> updates;
    uint64_t last_use = 0;
    bool kept = false;
  };
  size_t longest_unused_spare() const;

  size_t parameters_;
  Device device_;
  std::vector<std::unique_ptr<Uploaded>> uploaded_;
  size_t last_ = 0;
  uint64_t uses_ = 0;
};

}  // namespace melgrad
