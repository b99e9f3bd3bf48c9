// A residency is the place of a training's features while it runs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "kernels/device/stream.h"

namespace melgrad {

// device: in the memory of the compute device. host: in the memory of the machine, all read at the start. disk: in the
// files of the cache, read a few batches ahead. On the CPU, device is the same as host.
enum class Residency : uint8_t { automatic, device, host, disk };

// "auto", "device", "host" or "disk".
const char* name_of(Residency residency);
// Throws Error for any other name.
Residency residency_of(const std::string& name);

// Replaces automatic by device if `bytes` take at most 70 % of the memory of a GPU, otherwise by residency_on_host.
Residency choose_residency(Residency wanted, uint64_t bytes, Device device);
// host if `bytes` take at most half of available_memory(), otherwise disk.
Residency residency_on_host(uint64_t bytes);

// The memory in bytes that this process may still take, page cache included: what the system has (MemAvailable), but at
// most what the control groups of the process grant. `root` is the root of the file system.
uint64_t available_memory(const std::filesystem::path& root = "/");

// Describes the choice, such as "13.2 GB of features on the disk, read a few batches ahead (--residency disk)".
std::string residency_note(Residency residency, uint64_t bytes, const char* what, Device device);

}  // namespace melgrad
