#include "framework/io/descriptor.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace melgrad {

Descriptor::~Descriptor() {
  if (value_ >= 0) close(value_);
}

int open_for_reading(const std::filesystem::path& path) {
  constexpr int first_other = 3;  // after the standard streams
  if (path == "-") return fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, first_other);
  return open(path.c_str(), O_RDONLY | O_CLOEXEC);
}

void write_all(int descriptor, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw std::system_error(errno, std::generic_category());
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
}

}  // namespace melgrad
