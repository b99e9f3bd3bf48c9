#include "framework/io/append_file.h"

#include <cerrno>
#include <fstream>

#include "framework/io/atomic_file.h"

namespace melgrad {

void append_to_file(const std::filesystem::path& path, std::string_view bytes) {
  errno = 0;
  std::ofstream out(path, std::ios::app | std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!out.flush()) fail_to_write(path, errno);
}

}  // namespace melgrad
