#include "framework/profile/trace.h"

#include <nlohmann/json.hpp>
#include <set>

#include "kernels/device/stream.h"

namespace melgrad {
namespace {

using Json = nlohmann::ordered_json;

constexpr int process = 1;
constexpr int first_device_row = 1000;  // behind the threads

int row_of_thread(int thread) { return thread + 1; }
int row_of_device(Device device) { return first_device_row + static_cast<int>(device); }

const char* category(RangeKind kind) {
  switch (kind) {
    case RangeKind::phase:
      return "phase";
    case RangeKind::module:
      return "module";
    case RangeKind::op:
      return "op";
    case RangeKind::kernel:
      return "kernel";
  }
  return "?";
}

Json arguments_of(const ProfiledRange& range) {
  Json arguments = Json::object();
  for (const auto& [name, value] : range.call.arguments) arguments[name] = value;
  if (range.kind == RangeKind::kernel) {
    const KernelCost& cost = range.call.cost;
    arguments["flops"] = cost.flops;
    arguments["bytes"] = cost.bytes;
    if (*cost.algorithm) arguments["algorithm"] = cost.algorithm;
  }
  arguments["peak_memory_bytes"] = range.peak_bytes;
  return arguments;
}

Json slice(const ProfiledRange& range, const Interval& interval, int row) {
  const bool is_root = range.kind == RangeKind::module && range.name.empty();
  return {{"name", is_root ? "model" : range.name},
          {"cat", category(range.kind)},
          {"ph", "X"},
          {"ts", 1e6 * interval.begin},
          {"dur", 1e6 * interval.seconds()},
          {"pid", process},
          {"tid", row},
          {"args", arguments_of(range)}};
}

Json name_of_row(int row, const std::string& name) {
  return {{"name", "thread_name"}, {"ph", "M"}, {"pid", process}, {"tid", row}, {"args", {{"name", name}}}};
}

}  // namespace

nlohmann::ordered_json trace_events(const Profile& profile) {
  Json events = Json::array();
  events.push_back({{"name", "process_name"}, {"ph", "M"}, {"pid", process}, {"args", {{"name", "melgrad"}}}});
  std::set<int> threads;
  std::set<Device> devices;
  for (const ProfiledRange& range : profile.ranges) {
    if (threads.insert(range.thread).second) {
      events.push_back(name_of_row(row_of_thread(range.thread), fmt::format("thread {}", range.thread)));
    }
    events.push_back(slice(range, range.host, row_of_thread(range.thread)));
    const bool timed_by_device = range.kind == RangeKind::phase || range.kind == RangeKind::kernel;
    if (range.device == Device::cpu || !timed_by_device) continue;
    if (devices.insert(range.device).second) {
      events.push_back(name_of_row(row_of_device(range.device), fmt::format("stream of {}", name_of(range.device))));
    }
    events.push_back(slice(range, range.time, row_of_device(range.device)));
  }
  return {{"displayTimeUnit", "ms"}, {"traceEvents", std::move(events)}};
}

}  // namespace melgrad
