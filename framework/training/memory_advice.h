// The advice to the user if a batch does not fit into the device's memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace melgrad {

// `capacity` is OutOfMemory::capacity, in bytes. The batches are computed in `parts` parts by `ranks` processes.
// `peak_bytes` runs a training step with one part of the given size and returns the peak of the memory in use. The
// memory grows linearly with the part, so two small steps predict the largest part that fits.
std::string batch_size_advice(size_t capacity, int64_t batch_size, int64_t parts, int64_t ranks,
                              const std::function<size_t(int64_t)>& peak_bytes);

}  // namespace melgrad
