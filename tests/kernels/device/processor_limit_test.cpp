#include "kernels/device/processor_limit.h"

#include <gtest/gtest.h>

#include "tests/support/temporary_folder.h"

namespace melgrad {
namespace {

using namespace test;
TEST(ProcessorLimit, WithoutControlGroupsThereIsNone) {
  const TemporaryFolder root;
  EXPECT_FALSE(processor_limit(root.path()));
}

TEST(ProcessorLimit, AQuotaOfMaxIsNone) {
  const TemporaryFolder root;
  write_text(root / "proc/self/cgroup", "0::/\n");
  write_text(root / "sys/fs/cgroup/cpu.max", "max 100000\n");
  EXPECT_FALSE(processor_limit(root.path()));
}

TEST(ProcessorLimit, VersionTwoTakesTheLowestLevel) {
  const TemporaryFolder root;
  write_text(root / "proc/self/cgroup", "0::/user.slice/job.scope\n");
  write_text(root / "sys/fs/cgroup/user.slice/cpu.max", "150000 100000\n");
  write_text(root / "sys/fs/cgroup/user.slice/job.scope/cpu.max", "400000 100000\n");
  EXPECT_EQ(processor_limit(root.path()), 1.5);
}

// docker without its own cgroup namespace: the path is that of the host, the mount is the container's.
TEST(ProcessorLimit, TheMountPointCountsWhenThePathDoesNotExist) {
  const TemporaryFolder root;
  write_text(root / "proc/self/cgroup", "0::/system.slice/docker-0123.scope\n");
  write_text(root / "sys/fs/cgroup/cpu.max", "50000 100000\n");
  EXPECT_EQ(processor_limit(root.path()), 0.5);
}

TEST(ProcessorLimit, VersionOne) {
  const TemporaryFolder root;
  write_text(root / "proc/self/cgroup", "12:memory:/docker/77\n4:cpu,cpuacct:/docker/77\n1:name=systemd:/docker/77\n");
  write_text(root / "sys/fs/cgroup/cpu,cpuacct/docker/77/cpu.cfs_quota_us", "250000\n");
  write_text(root / "sys/fs/cgroup/cpu,cpuacct/docker/77/cpu.cfs_period_us", "100000\n");
  write_text(root / "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  write_text(root / "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(processor_limit(root.path()), 2.5);
}

TEST(ProcessorLimit, OtherControllersAndBrokenFilesAreIgnored) {
  const TemporaryFolder root;
  write_text(root / "proc/self/cgroup", "3:cpuset:/a\nnonsense\n0::/a\n");
  write_text(root / "sys/fs/cgroup/a/cpu.max", "0 0\n");
  write_text(root / "sys/fs/cgroup/cpu.max", "fast\n");
  write_text(root / "sys/fs/cgroup/cpuset/a/cpu.cfs_quota_us", "100000\n");
  EXPECT_FALSE(processor_limit(root.path()));
}

}  // namespace
}  // namespace melgrad
