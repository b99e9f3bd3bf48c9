#include "framework/dataset/residency.h"

#include <algorithm>
#include <fstream>
#include <limits>

#include "framework/terminal/text.h"
#include "kernels/device/control_groups.h"
#include "kernels/device/error.h"
#include "kernels/device/hardware.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t unlimited = std::numeric_limits<uint64_t>::max();
constexpr const char* residency_names[] = {"auto", "device", "host", "disk"};

// The number after `key` in a file with lines "KEY NUMBER ...".
uint64_t value_of(const fs::path& file, const std::string& key, uint64_t otherwise) {
  std::ifstream lines(file);
  for (std::string word; lines >> word;) {
    uint64_t value = 0;
    if (word == key && lines >> value) return value;
  }
  return otherwise;
}

// The limit of a group less what it uses, without the page cache, which the system gives up when memory is needed.
uint64_t available_in(const fs::path& group, ControlGroups version) {
  const bool second = version == ControlGroups::version_2;
  uint64_t limit = unlimited;  // stays if the file says "max" or does not exist
  if (uint64_t number = 0; std::ifstream(group / (second ? "memory.max" : "memory.limit_in_bytes")) >> number)
    limit = number;
  const uint64_t used = value_of(group / "memory.stat", second ? "anon" : "total_rss", 0);
  return limit == unlimited ? unlimited : limit - std::min(limit, used);
}

bool fits_gpu(uint64_t bytes) {
  constexpr double share = 0.7;  // the rest is for the model, its activations and the libraries
  const auto fits = [&](const GpuInfo& gpu) {
    return static_cast<double>(bytes) <= share * static_cast<double>(gpu.memory_bytes);
  };
  return std::ranges::all_of(gpus(), fits);
}

}  // namespace

const char* name_of(Residency residency) { return residency_names[static_cast<size_t>(residency)]; }

Residency residency_of(const std::string& name) {
  for (const Residency residency : {Residency::automatic, Residency::device, Residency::host, Residency::disk}) {
    if (name == name_of(residency)) return residency;
  }
  fail("there is no residency '{}'; choose auto, device, host or disk", name);
}

Residency choose_residency(Residency wanted, uint64_t bytes, Device device) {
  if (wanted == Residency::device && device == Device::cpu) return Residency::host;
  if (wanted != Residency::automatic) return wanted;
  return device == Device::cuda && fits_gpu(bytes) ? Residency::device : residency_on_host(bytes);
}

Residency residency_on_host(uint64_t bytes) {
  return bytes <= available_memory() / 2 ? Residency::host : Residency::disk;
}

uint64_t available_memory(const fs::path& root) {
  constexpr uint64_t kibibyte = 1024;
  uint64_t available = value_of(root / "proc/meminfo", "MemAvailable:", unlimited / kibibyte) * kibibyte;
  for_each_control_group(root, "memory", [&](const fs::path& group, ControlGroups version) {
    available = std::min(available, available_in(group, version));
  });
  return available;
}

std::string residency_note(Residency residency, uint64_t bytes, const char* what, Device device) {
  const char* const where = residency == Residency::disk ? "on the disk, read a few batches ahead"
                            : residency == Residency::device && device == Device::cuda ? "in the memory of the GPU"
                                                                                       : "in memory";
  return fmt::format("{} of {} {} (--residency {})", size_text(bytes), what, where, name_of(residency));
}

}  // namespace melgrad
