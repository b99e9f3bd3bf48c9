#include "framework/io/file_content.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <string>
#include <system_error>
#include <utility>

#include "framework/io/atomic_file.h"
#include "framework/io/descriptor.h"

namespace melgrad {
namespace {

// Null if the file cannot be mapped: it is no regular file, it is empty, or the system refuses.
SharedBytes mapped(const std::filesystem::path& path) {
  std::error_code ignored;
  if (path == "-" || !std::filesystem::is_regular_file(path, ignored)) return {};  // opening a pipe would disturb it
  const Descriptor file(open_for_reading(path));
  struct stat status {};
  if (file.get() < 0 || fstat(file.get(), &status) != 0 || status.st_size == 0) return {};
  const auto size = static_cast<size_t>(status.st_size);
  void* const memory = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (memory == MAP_FAILED) return {};
  std::shared_ptr<const void> owner(memory, [size](const void* begin) { munmap(const_cast<void*>(begin), size); });
  return {{static_cast<const std::byte*>(memory), size}, std::move(owner)};
}

}  // namespace

SharedBytes::SharedBytes(std::vector<std::byte> own) {
  auto kept = std::make_shared<const std::vector<std::byte>>(std::move(own));
  view_ = *kept;
  owner_ = std::move(kept);
}

bool operator==(const SharedBytes& a, const SharedBytes& b) { return std::ranges::equal(a.view_, b.view_); }

SharedBytes read_shared(const std::filesystem::path& path) {
  SharedBytes bytes = mapped(path);
  if (!bytes.empty()) return bytes;
  const auto text = std::make_shared<const std::string>(read_file(path));
  return {std::as_bytes(std::span(*text)), text};
}

}  // namespace melgrad
