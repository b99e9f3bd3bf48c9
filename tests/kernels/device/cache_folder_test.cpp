#include "kernels/device/cache_folder.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace melgrad::test {
namespace {

TEST(CacheFolder, FollowsTheEnvironment) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto check = [] {
    setenv("HOME", "/home/nina", 1);
    unsetenv("MELGRAD_CACHE");
    unsetenv("XDG_CACHE_HOME");
    if (default_cache_folder() != "/home/nina/.cache/melgrad") std::_Exit(1);
    setenv("XDG_CACHE_HOME", "relative", 1);
    if (default_cache_folder() != "/home/nina/.cache/melgrad") std::_Exit(2);
    setenv("XDG_CACHE_HOME", "/var/caches", 1);
    if (default_cache_folder() != "/var/caches/melgrad") std::_Exit(3);
    setenv("MELGRAD_CACHE", "/mnt/mel", 1);
    if (default_cache_folder() != "/mnt/mel") std::_Exit(4);
    std::_Exit(0);
  };
  EXPECT_EXIT(check(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace melgrad::test
