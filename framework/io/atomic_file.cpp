#include "framework/io/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>

namespace melgrad {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }

 private:
  int value_;
};

void write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw std::system_error(errno, std::generic_category());
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

const char* remedy(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      return "free some space there or choose another folder";
    case EFBIG:
      return "raise the limit on the size of files (ulimit -f)";
    case ENOENT:
      return "create its folder first";
    default:
      return "choose a folder that you may write to";
  }
}

}  // namespace

std::string reason_and_remedy(int error_number) {
  return fmt::format("{}; {}", std::strerror(error_number), remedy(error_number));
}

void fail_to_write(const std::filesystem::path& path, int error_number) {
  throw WriteError(fmt::format("cannot write {}: {}", path.string(), reason_and_remedy(error_number)));
}

void make_folders(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    throw WriteError(fmt::format("cannot create the folder {}: {}", folder.string(), reason_and_remedy(error.value())));
  }
}

void write_file_atomically(const std::filesystem::path& path, std::string_view bytes) {
  // The name is unique among all threads and processes that write the same target, and differs from the names of files
  // that a killed process left behind.
  static std::atomic<unsigned> counter = 0;
  std::filesystem::path temporary;
  int opened = -1;
  do {
    temporary = fmt::format("{}.{}.{}.tmp", path.string(), getpid(), counter++);
    opened = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (opened < 0 && errno == EEXIST);
  if (opened < 0) fail_to_write(path, errno);
  try {
    {
      const Descriptor file(opened);
      write_all(file.get(), bytes);
      if (fsync(file.get()) != 0) throw std::system_error(errno, std::generic_category());
    }
    std::filesystem::rename(temporary, path);
  } catch (const std::system_error& error) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    fail_to_write(path, error.code().value());
  }
  // Flush the folder too, so that the rename survives a power cut.
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  const Descriptor opened_folder(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened_folder.get() < 0) fail_to_write(path, errno);
  fsync(opened_folder.get());
}

std::string read_file(const std::filesystem::path& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) fail("cannot read {}: {}", path.string(), std::strerror(errno));
  struct stat status {};
  if (fstat(file.get(), &status) != 0) fail("cannot read {}: {}", path.string(), std::strerror(errno));
  if (S_ISDIR(status.st_mode)) fail("{} is a folder; a file is expected", path.string());
  std::string bytes;
  bytes.reserve(static_cast<size_t>(status.st_size));
  char buffer[1 << 16];
  while (true) {
    const ssize_t got = read(file.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("cannot read {}: {}", path.string(), std::strerror(errno));
    if (got == 0) return bytes;
    bytes.append(buffer, static_cast<size_t>(got));
  }
}

}  // namespace melgrad
