#include "framework/io/library_versions.h"

#include <cairo/cairo.h>
#include <fmt/format.h>
#include <sndfile.h>
#include <soxr.h>
#include <xxhash.h>

namespace melgrad {
namespace {

// "libsndfile-1.2.0" -> "1.2.0"
std::string after_dash(const std::string& name_and_version) {
  return name_and_version.substr(name_and_version.find('-') + 1);
}

}  // namespace

std::vector<LibraryVersion> library_versions() {
  std::vector<LibraryVersion> versions = kernel_library_versions();
  const unsigned xxhash = XXH_versionNumber();
  versions.push_back({"libsndfile", after_dash(sf_version_string())});
  // libmpg123 before 1.32 and TagLib have no function for this, so the version at build time is given.
  versions.push_back({"libmpg123", MPG123_VERSION});
  versions.push_back({"libsoxr", after_dash(soxr_version())});
  versions.push_back({"cairo", cairo_version_string()});
  versions.push_back({"TagLib", TAGLIB_VERSION});
  versions.push_back({"xxHash", fmt::format("{}.{}.{}", xxhash / 10000, xxhash / 100 % 100, xxhash % 100)});
  return versions;
}

}  // namespace melgrad
