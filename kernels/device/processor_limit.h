// The share of the processors that a container may use.
#pragma once

#include <filesystem>
#include <optional>

namespace melgrad {

// The processors that the control groups of this process grant by a quota of time (docker run --cpus=1.5, CPUQuota= of
// systemd), such as 1.5: the lowest of all levels, of cgroup v2 (cpu.max) and v1 (cpu.cfs_quota_us, cpu.cfs_period_us).
// Empty if there is no quota. `root` is the folder that holds proc/ and sys/.
std::optional<double> processor_limit(const std::filesystem::path& root = "/");

}  // namespace melgrad
