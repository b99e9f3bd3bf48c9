// The advice to the user if a batch does not fit into the device's memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace melgrad {

// `capacity` is OutOfMemory::capacity, in bytes. `peak_bytes` runs a training step with a batch of the given size and
// returns the peak of the memory in use. The memory of a step grows linearly with its batch, so two small steps predict
// the largest batch that fits.
std::string batch_size_advice(size_t capacity, int64_t batch_size, const std::function<size_t(int64_t)>& peak_bytes);

}  // namespace melgrad
