#include "kernels/device/cache_folder.h"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>

namespace fs = std::filesystem;

namespace melgrad {
namespace {

fs::path folder_from(const char* variable) {
  const char* value = std::getenv(variable);
  return value == nullptr ? "" : value;
}

}  // namespace

fs::path default_cache_folder() {
  if (const fs::path chosen = folder_from("MELGRAD_CACHE"); !chosen.empty()) return chosen;
  // The XDG specification says to ignore relative paths.
  if (const fs::path caches = folder_from("XDG_CACHE_HOME"); caches.is_absolute()) return caches / "melgrad";
  fs::path home = folder_from("HOME");
  if (const passwd* user = home.empty() ? getpwuid(getuid()) : nullptr) home = user->pw_dir;
  return home.empty() ? home : home / ".cache" / "melgrad";
}

}  // namespace melgrad
