#include "tests/fuzz/fuzz_file.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace melgrad::fuzz {
namespace {

void require(bool done, const char* what) {
  if (done) return;
  std::perror(what);
  std::abort();
}

}  // namespace

FuzzFile::FuzzFile(const char* name) : descriptor_(memfd_create(name, MFD_CLOEXEC)) {
  require(descriptor_ >= 0, "memfd_create");
  std::string pattern = (std::filesystem::temp_directory_path() / "melgrad_fuzz_XXXXXX").string();
  require(mkdtemp(pattern.data()) != nullptr, "mkdtemp");
  folder_ = pattern;
  path_ = folder_ / name;
  std::filesystem::create_symlink("/proc/self/fd/" + std::to_string(descriptor_), path_);
}

FuzzFile::~FuzzFile() {
  close(descriptor_);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

const std::filesystem::path& FuzzFile::hold(const uint8_t* bytes, size_t size) const {
  require(ftruncate(descriptor_, 0) == 0, "ftruncate");
  require(pwrite(descriptor_, bytes, size, 0) == static_cast<ssize_t>(size), "pwrite");
  return path_;
}

}  // namespace melgrad::fuzz
