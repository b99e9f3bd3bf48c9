// The ranges of a recording (kernels/device/profiler.h) as a table: one row for each kernel in each phase.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "framework/profile/ceilings.h"
#include "kernels/device/profiler.h"
#include "kernels/device/stream.h"

namespace melgrad {

// All calls of a kernel in a phase that used the same algorithm.
struct KernelSummary {
  std::string name, algorithm;  // see KernelCost
  Device device = Device::cpu;
  int64_t calls = 0;
  double seconds = 0, flops = 0, bytes = 0;
  size_t peak_bytes = 0;  // the most memory in use during a call

  double flops_per_second() const { return seconds > 0 ? flops / seconds : 0; }
  double bytes_per_second() const { return seconds > 0 ? bytes / seconds : 0; }
};

struct PhaseSummary {
  std::string name;
  double seconds = 0;          // without the phases inside it
  double outside_kernels = 0;  // seconds of it in which no kernel ran
  size_t peak_bytes = 0;
  std::vector<KernelSummary> kernels;  // the slowest first
};

struct ProfileSummary {
  double seconds = 0;                  // of the recording
  double unaccounted = 0;              // seconds in which neither a phase nor a kernel ran
  std::array<size_t, 2> peak_bytes{};  // of each Device
  std::vector<PhaseSummary> phases;    // in the order in which they began

  // The sum of all kernels of a device.
  KernelSummary total(Device device) const;
};

// A kernel belongs to the innermost phase around it, or to the phase "other". Times of kernels that overlap, on two
// threads or on two devices, add up to more than the time of their phase. Without overlap, the seconds of all kernels,
// all outside_kernels and `unaccounted` add up to `seconds`.
ProfileSummary summarize(const Profile&);

// Describes the measured work in the headings.
struct Workload {
  std::string command;  // "train"
  std::string unit;     // "step" or "run"
  int64_t count = 1;    // of units
  std::string device;   // "cpu, 2 threads, AVX2"
};

using DeviceCeilings = std::map<Device, Ceilings>;

// The table for people; times and calls are those of one unit.
std::string table_text(const ProfileSummary&, const Workload&, const DeviceCeilings&);
// Times, calls, operations and bytes of all units together, in seconds, bytes and shares of 1.
nlohmann::ordered_json to_json(const ProfileSummary&, const Workload&, const DeviceCeilings&);

}  // namespace melgrad
