#include "kernels/device/processor_limit.h"

#include <algorithm>
#include <fstream>

#include "kernels/device/control_groups.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;

void lower(std::optional<double>& limit, double quota, double period) {
  if (quota > 0 && period > 0) limit = std::min(limit.value_or(quota / period), quota / period);
}

// "max 100000" or "150000 100000"; "max" is no number, so the quota stays 0.
void read_version_2(const fs::path& group, std::optional<double>& limit) {
  double quota = 0, period = 0;
  std::ifstream(group / "cpu.max") >> quota >> period;
  lower(limit, quota, period);
}

// A quota of -1 means none.
void read_version_1(const fs::path& group, std::optional<double>& limit) {
  double quota = 0, period = 0;
  std::ifstream(group / "cpu.cfs_quota_us") >> quota;
  std::ifstream(group / "cpu.cfs_period_us") >> period;
  lower(limit, quota, period);
}

}  // namespace

std::optional<double> processor_limit(const fs::path& root) {
  std::optional<double> limit;
  for_each_control_group(root, "cpu", [&](const fs::path& group, ControlGroups version) {
    version == ControlGroups::version_2 ? read_version_2(group, limit) : read_version_1(group, limit);
  });
  return limit;
}

}  // namespace melgrad
