#include "framework/io/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "kernels/error.h"

namespace melgrad {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(const std::filesystem::path& path, int flags) : Descriptor(open(path.c_str(), flags | O_CLOEXEC)) {
    if (value_ < 0) fail("{}: {}", path.string(), std::strerror(errno));
  }
  ~Descriptor() { close(value_); }
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
    if (written < 0) fail("{}", std::strerror(errno));
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace

void write_file_atomically(const std::filesystem::path& path, std::string_view bytes) {
  // Unique among the threads and processes that may write the same target at once, and never one that a killed process
  // left behind.
  static std::atomic<unsigned> counter = 0;
  std::filesystem::path temporary;
  int opened = -1;
  do {
    temporary = fmt::format("{}.{}.{}.tmp", path.string(), getpid(), counter++);
    opened = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (opened < 0 && errno == EEXIST);
  if (opened < 0) fail("cannot write {}: {}", path.string(), std::strerror(errno));
  try {
    {
      const Descriptor file(opened);
      write_all(file.get(), bytes);
      if (fsync(file.get()) != 0) fail("{}", std::strerror(errno));
    }
    std::filesystem::rename(temporary, path);
  } catch (const std::exception& error) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    fail("cannot write {}: {}", path.string(), error.what());
  }
  // The rename itself must survive a power cut too.
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  fsync(Descriptor(folder, O_RDONLY | O_DIRECTORY).get());
}

std::string read_file(const std::filesystem::path& path) {
  const Descriptor file(path, O_RDONLY);
  struct stat status {};
  if (fstat(file.get(), &status) != 0) fail("{}: {}", path.string(), std::strerror(errno));
  if (S_ISDIR(status.st_mode)) fail("{} is a folder, a file is expected", path.string());
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
