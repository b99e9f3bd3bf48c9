#include "framework/profile/summary.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>

#include "framework/profile/intervals.h"

namespace melgrad {
namespace {

constexpr const char* no_phase = "other";

// A phase while the ranges are being read.
struct PhaseTimes {
  std::string name;
  Intervals own, inner, kernels;  // inner: phases inside it
  size_t peak_bytes = 0;
  std::map<std::tuple<Device, std::string, std::string>, KernelSummary> summaries;  // by device, name, algorithm
};

class Reader {
 public:
  explicit Reader(const Profile& profile) : profile_(profile) {
    for (const ProfiledRange& range : profile.ranges) {
      if (range.kind == RangeKind::phase) add_phase(range);
      if (range.kind == RangeKind::kernel && !inside(range, RangeKind::kernel)) add_kernel(range);
    }
  }

  ProfileSummary summary() {
    ProfileSummary result{.seconds = profile_.seconds, .peak_bytes = profile_.peak_bytes, .phases = {}};
    Intervals accounted;
    for (PhaseTimes& phase : phases_) {
      const Intervals kernels = merged(phase.kernels);
      const bool real = !phase.own.empty();  // "other" has no range of its own
      const Intervals time = real ? without(merged(phase.own), merged(phase.inner)) : kernels;
      PhaseSummary summary{.name = phase.name,
                           .seconds = length(time),
                           .outside_kernels = length(without(time, kernels)),
                           .peak_bytes = phase.peak_bytes,
                           .kernels = {}};
      for (auto& [key, kernel] : phase.summaries) summary.kernels.push_back(std::move(kernel));
      std::ranges::stable_sort(summary.kernels, std::greater(), &KernelSummary::seconds);
      result.phases.push_back(std::move(summary));
      accounted.insert(accounted.end(), time.begin(), time.end());
      accounted.insert(accounted.end(), kernels.begin(), kernels.end());
    }
    result.unaccounted = length(without({{0, profile_.seconds}}, merged(accounted)));
    return result;
  }

 private:
  const ProfiledRange* inside(const ProfiledRange& range, RangeKind kind) const {
    for (int parent = range.parent; parent >= 0;) {
      const ProfiledRange& around = profile_.ranges[static_cast<size_t>(parent)];
      if (around.kind == kind) return &around;
      parent = around.parent;
    }
    return nullptr;
  }

  PhaseTimes& phase_named(const std::string& name) {
    const auto found = std::ranges::find(phases_, name, &PhaseTimes::name);
    if (found != phases_.end()) return *found;
    phases_.push_back({.name = name});
    return phases_.back();
  }

  void add_phase(const ProfiledRange& range) {
    const ProfiledRange* const around = inside(range, RangeKind::phase);
    if (around && around->name != range.name) phase_named(around->name).inner.push_back(range.time);
    PhaseTimes& phase = phase_named(range.name);
    phase.own.push_back(range.time);
    phase.peak_bytes = std::max(phase.peak_bytes, range.peak_bytes);
  }

  void add_kernel(const ProfiledRange& range) {
    const ProfiledRange* const around = inside(range, RangeKind::phase);
    PhaseTimes& phase = phase_named(around ? around->name : no_phase);
    phase.kernels.push_back(range.time);
    phase.peak_bytes = std::max(phase.peak_bytes, range.peak_bytes);
    const KernelCost& cost = range.call.cost;
    KernelSummary& kernel = phase.summaries[{range.device, range.name, cost.algorithm}];
    kernel.name = range.name;
    kernel.algorithm = cost.algorithm;
    kernel.device = range.device;
    ++kernel.calls;
    kernel.seconds += range.time.seconds();
    kernel.flops += cost.flops;
    kernel.bytes += cost.bytes;
    kernel.peak_bytes = std::max(kernel.peak_bytes, range.peak_bytes);
  }

  const Profile& profile_;
  std::vector<PhaseTimes> phases_;
};

// ---- The table.

// A line of the table, without spaces at its end.
template <class... Cells>
std::string row_text(const Cells&... cells) {
  std::string row = fmt::format("{:<11} {:<39} {:>7} {:>9} {:>6} {:>8} {:>7} {:>6} {:>6} {:>8}", cells...);
  return row.substr(0, row.find_last_not_of(' ') + 1) + "\n";
}

std::string mebibytes_text(size_t bytes) {
  return bytes == 0 ? "" : fmt::format("{:.1f}", static_cast<double>(bytes) / (1 << 20));
}
// Numbers that round to 0 are not shown as 0.
std::string rate_text(double value) {
  if (value <= 0) return "-";
  return value < 0.05 ? "<0.1" : fmt::format("{:.1f}", value);
}

class Table {
 public:
  Table(const ProfileSummary& summary, const Workload& workload, const DeviceCeilings& ceilings)
      : summary_(summary), units_(static_cast<double>(workload.count)), ceilings_(ceilings) {
    text_ = row_text("phase", "kernel", "calls", "ms", "share", "GFLOP/s", "GB/s", "% FMA", "% copy", "peak MiB");
    text_ += std::string(text_.size() - 1, '-') + "\n";
  }

  void add(const std::string& phase, const KernelSummary& kernel) {
    const auto ceiling = ceilings_.find(kernel.device);
    const bool known = ceiling != ceilings_.end();
    const std::string label = kernel.algorithm.empty() ? kernel.name : kernel.name + " (" + kernel.algorithm + "*)";
    const double flops = kernel.flops_per_second(), bytes = kernel.bytes_per_second();
    text_ += row_text(phase, label, count_text(kernel.calls), milliseconds(kernel.seconds), share(kernel.seconds),
                      rate_text(flops / 1e9), rate_text(bytes / 1e9),
                      known ? rate_text(100 * flops / ceiling->second.flops_per_second) : "",
                      known ? rate_text(100 * bytes / ceiling->second.bytes_per_second) : "",
                      mebibytes_text(kernel.peak_bytes));
  }
  void add(const std::string& phase, const std::string& label, double seconds, size_t peak_bytes = 0) {
    text_ +=
        row_text(phase, label, "", milliseconds(seconds), share(seconds), "", "", "", "", mebibytes_text(peak_bytes));
  }
  std::string text() const { return text_; }

 private:
  std::string count_text(int64_t calls) const { return fmt::format("{:.6g}", static_cast<double>(calls) / units_); }
  std::string milliseconds(double seconds) const { return fmt::format("{:.3f}", 1e3 * seconds / units_); }
  std::string share(double seconds) const {
    return fmt::format("{:.1f}%", summary_.seconds > 0 ? 100 * seconds / summary_.seconds : 0);
  }

  const ProfileSummary& summary_;
  double units_;
  const DeviceCeilings& ceilings_;
  std::string text_;
};

std::string plural(const std::string& unit, int64_t count) {
  return fmt::format("{} {}{}", count, unit, count == 1 ? "" : "s");
}

bool has_equivalent_flops(const ProfileSummary& summary) {
  return std::ranges::any_of(summary.phases, [](const PhaseSummary& phase) {
    return std::ranges::any_of(phase.kernels, [](const KernelSummary& kernel) { return !kernel.algorithm.empty(); });
  });
}

const char* arithmetic_of(Device device) { return device == Device::cpu ? "multiply-adds" : "matrix product"; }

}  // namespace

KernelSummary ProfileSummary::total(Device device) const {
  KernelSummary total{.name = fmt::format("all kernels on {}", name_of(device))};
  total.device = device;
  for (const PhaseSummary& phase : phases) {
    for (const KernelSummary& kernel : phase.kernels) {
      if (kernel.device != device) continue;
      total.calls += kernel.calls;
      total.seconds += kernel.seconds;
      total.flops += kernel.flops;
      total.bytes += kernel.bytes;
      total.peak_bytes = std::max(total.peak_bytes, kernel.peak_bytes);
    }
  }
  return total;
}

ProfileSummary summarize(const Profile& profile) { return Reader(profile).summary(); }

std::string table_text(const ProfileSummary& summary, const Workload& workload, const DeviceCeilings& ceilings) {
  std::string text = fmt::format(
      "{}: {} in {:.3f} s, {:.3f} ms a {}, on {}\n", workload.command, plural(workload.unit, workload.count),
      summary.seconds, 1e3 * summary.seconds / static_cast<double>(workload.count), workload.unit, workload.device);
  for (const auto& [device, ceiling] : ceilings) {
    text += fmt::format("measured ceilings of {}: {} {:.1f} GFLOP/s, copy {:.1f} GB/s\n", name_of(device),
                        arithmetic_of(device), ceiling.flops_per_second / 1e9, ceiling.bytes_per_second / 1e9);
  }
  Table table(summary, workload, ceilings);
  for (const PhaseSummary& phase : summary.phases) {
    for (const KernelSummary& kernel : phase.kernels) table.add(phase.name, kernel);
    if (phase.outside_kernels > 0) table.add(phase.name, "outside kernels", phase.outside_kernels, phase.peak_bytes);
  }
  for (const Device device : {Device::cpu, Device::cuda}) {
    if (const KernelSummary total = summary.total(device); total.calls > 0) table.add("", total);
  }
  table.add("", "Unaccounted", summary.unaccounted);
  table.add("", "wall time", summary.seconds, *std::ranges::max_element(summary.peak_bytes));
  text += "\n" + table.text() + "\n";
  text +=
      fmt::format("calls and ms: of one {}; share: of the wall time; GB/s: each array counted once\n", workload.unit);
  if (has_equivalent_flops(summary)) {
    text += "* GFLOP/s as of a direct sum; Winograd's algorithm computes the same with fewer operations\n";
  }
  return text;
}

nlohmann::ordered_json to_json(const ProfileSummary& summary, const Workload& workload,
                               const DeviceCeilings& ceilings) {
  nlohmann::ordered_json result{{"command", workload.command}, {"unit", workload.unit},
                                {"count", workload.count},     {"device", workload.device},
                                {"seconds", summary.seconds},  {"unaccounted_seconds", summary.unaccounted}};
  for (const auto& [device, ceiling] : ceilings) {
    result["ceilings"][name_of(device)] = {{"flops_per_second", ceiling.flops_per_second},
                                           {"bytes_per_second", ceiling.bytes_per_second}};
  }
  for (const Device device : {Device::cpu, Device::cuda}) {
    result["peak_bytes"][name_of(device)] = summary.peak_bytes[static_cast<size_t>(device)];
  }
  result["phases"] = nlohmann::ordered_json::array();
  for (const PhaseSummary& phase : summary.phases) {
    nlohmann::ordered_json kernels = nlohmann::ordered_json::array();
    for (const KernelSummary& kernel : phase.kernels) {
      nlohmann::ordered_json row{{"kernel", kernel.name},
                                 {"algorithm", kernel.algorithm},
                                 {"flops_are_those_of_a_direct_sum", !kernel.algorithm.empty()},
                                 {"device", name_of(kernel.device)},
                                 {"calls", kernel.calls},
                                 {"seconds", kernel.seconds},
                                 {"share", kernel.seconds / summary.seconds},
                                 {"flops", kernel.flops},
                                 {"bytes", kernel.bytes},
                                 {"flops_per_second", kernel.flops_per_second()},
                                 {"bytes_per_second", kernel.bytes_per_second()}};
      if (const auto ceiling = ceilings.find(kernel.device); ceiling != ceilings.end()) {
        row["share_of_flops_ceiling"] = kernel.flops_per_second() / ceiling->second.flops_per_second;
        row["share_of_copy_ceiling"] = kernel.bytes_per_second() / ceiling->second.bytes_per_second;
      }
      row["peak_bytes"] = kernel.peak_bytes;
      kernels.push_back(std::move(row));
    }
    result["phases"].push_back({{"phase", phase.name},
                                {"seconds", phase.seconds},
                                {"seconds_outside_kernels", phase.outside_kernels},
                                {"peak_bytes", phase.peak_bytes},
                                {"kernels", std::move(kernels)}});
  }
  return result;
}

}  // namespace melgrad
