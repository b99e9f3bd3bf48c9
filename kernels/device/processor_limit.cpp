#include "kernels/device/processor_limit.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

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

// Calls read for the group and all groups above it. In a container the path may be that of the host, whose lowest
// folders do not exist; the mount point itself is then the group of the container.
template <class Read>
void read_levels(const fs::path& mount, fs::path group, std::optional<double>& limit, Read read) {
  while (true) {
    read(mount / group.relative_path(), limit);
    if (!group.has_relative_path()) return;
    group = group.parent_path();
  }
}

bool lists(const std::string& controllers, const std::string& wanted) {
  std::istringstream names(controllers);
  for (std::string name; std::getline(names, name, ',');) {
    if (name == wanted) return true;
  }
  return false;
}

}  // namespace

std::optional<double> processor_limit(const fs::path& root) {
  std::optional<double> limit;
  const fs::path mount = root / "sys/fs/cgroup";
  std::ifstream groups(root / "proc/self/cgroup");
  // Lines are hierarchy:controllers:path; version 2 has hierarchy 0 and no controllers.
  for (std::string hierarchy, controllers, path;
       std::getline(groups, hierarchy, ':') && std::getline(groups, controllers, ':') && std::getline(groups, path);) {
    if (controllers.empty()) read_levels(mount, path, limit, read_version_2);
    if (lists(controllers, "cpu")) {
      read_levels(mount / controllers, path, limit, read_version_1);
      read_levels(mount / "cpu", path, limit, read_version_1);
    }
  }
  return limit;
}

}  // namespace melgrad
