// Records where the time of a program goes: each call of a kernel, with its arithmetic and its memory traffic, and the
// ranges around it (phases of the work, modules, backward passes of ops). While no recording runs, a range costs one
// test of a flag.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace melgrad {

enum class Device : uint8_t;
class Stream;

// The least work of one call of a kernel (kernels/costs.cpp has the rules of counting).
struct KernelCost {
  double flops = 0;  // operations on floating-point numbers
  double bytes = 0;  // read from and written to memory
  // An algorithm that needs fewer operations than `flops`, which then counts those of the definition; otherwise "".
  const char* algorithm = "";
};

// Parameters of a kernel that are no pointers, as pairs of name and value.
using KernelArguments = std::vector<std::pair<std::string, std::string>>;

struct KernelCall {
  KernelCost cost;
  KernelArguments arguments;
};

enum class RangeKind : uint8_t { phase, module, op, kernel };

// An interval of time in seconds since the recording began.
struct Interval {
  double begin = 0, end = 0;
  double seconds() const { return end - begin; }
};

struct ProfiledRange {
  RangeKind kind;
  std::string name;
  int parent;             // index of the range around it on the same thread, -1: none
  int thread;             // from 0, in the order of the first ranges
  Device device;          // of the stream
  Interval host;          // on a GPU the host only submits a kernel
  Interval time;          // on the device, for phases and kernels; otherwise equal to `host`
  KernelCall call;        // of a kernel
  size_t peak_bytes = 0;  // the most memory of the device that was in use during the range
};

struct Profile {
  double seconds = 0;                  // from the beginning of the recording to its end
  std::vector<ProfiledRange> ranges;   // in the order in which they began
  std::array<size_t, 2> peak_bytes{};  // of each Device
};

namespace profiler {

inline std::atomic<bool> recording = false;

// One recording at a time. stop() waits for the devices. Ranges that are open then end there.
void start();
Profile stop();

// Begins a range on the calling thread and returns its number. `call` belongs to a kernel.
int64_t begin_range(Stream& stream, RangeKind kind, const char* name, KernelCall call = {});
// Numbers of an earlier recording are ignored.
void end_range(int64_t number) noexcept;

}  // namespace profiler
}  // namespace melgrad
