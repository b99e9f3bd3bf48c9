#include "framework/audio/audio_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <system_error>

#include "framework/io/descriptor.h"
#include "kernels/device/error.h"

namespace melgrad {

namespace {

std::string temporary_folder() {
  const char* const folder = std::getenv("TMPDIR");
  return folder && *folder ? folder : "/tmp";
}

[[noreturn]] void fail_to_spool(const std::string& name, int error_number) {
  fail(
      "cannot copy {} to a temporary file in {}: {}; free some space there, set TMPDIR to another folder, or give a "
      "file",
      name, temporary_folder(), std::strerror(error_number));
}

// The name is removed at once, so that the file disappears with its descriptor.
int open_unnamed_file(const std::string& name) {
  std::string pattern = temporary_folder() + "/melgrad_XXXXXX";
  const int descriptor = mkostemp(pattern.data(), O_CLOEXEC);
  if (descriptor < 0) fail_to_spool(name, errno);
  unlink(pattern.c_str());
  return descriptor;
}

void copy_pipe(int from, int to, const std::string& name) {
  std::array<unsigned char, 1 << 16> buffer;
  for (ssize_t got; (got = read(from, buffer.data(), buffer.size())) != 0;) {
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("cannot read {}: {}", name, std::strerror(errno));
    try {
      write_all(to, std::as_bytes(std::span(buffer).first(static_cast<size_t>(got))));
    } catch (const std::system_error& error) {
      fail_to_spool(name, error.code().value());
    }
  }
}

struct stat status_of(int descriptor, const std::string& name) {
  struct stat status {};
  if (fstat(descriptor, &status) != 0) fail("cannot read {}: {}", name, std::strerror(errno));
  return status;
}

// Reading a pipe or a terminal without end would block; reading a device might never end.
void require_file_or_pipe(const struct stat& status, int descriptor, const std::string& name) {
  if (S_ISDIR(status.st_mode)) fail("{} is a folder; an audio file is expected", name);
  if (isatty(descriptor)) fail("{} is a terminal; an audio file is expected, e.g. melgrad ... < song.wav", name);
  if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode) && !S_ISSOCK(status.st_mode)) {
    fail("{} is a device; an audio file is expected", name);
  }
}

}  // namespace

AudioFile::AudioFile(const std::filesystem::path& path) : path_(path) {
  const int opened = open_for_reading(path);
  if (opened < 0) fail("cannot read {}: {}", name(), std::strerror(errno));
  descriptor_ = std::make_shared<const Descriptor>(opened);
  struct stat status = status_of(opened, name());
  require_file_or_pipe(status, opened, name());
  if (!S_ISREG(status.st_mode)) {
    auto copy = std::make_shared<const Descriptor>(open_unnamed_file(name()));
    copy_pipe(opened, copy->get(), name());
    descriptor_ = std::move(copy);
    status = status_of(descriptor_->get(), name());
  }
  // A shell's `< file` may have been read in part by a command before.
  const int64_t begin =
      path == "-" && descriptor_->get() == opened ? std::max<int64_t>(0, lseek(opened, 0, SEEK_CUR)) : 0;
  size_ = std::max<int64_t>(0, status.st_size - begin);
  if (size_ == 0) fail("{} is empty (0 bytes); fetch it again, or remove it", name());
  extents_ = {{.offset = 0, .range = {begin, size_}}};
}

AudioFile::AudioFile(const AudioFile& whole, std::vector<Extent> extents, int64_t size)
    : path_(whole.path_), descriptor_(whole.descriptor_), extents_(std::move(extents)), size_(size) {}

AudioFile AudioFile::part(const std::vector<ByteRange>& ranges) const {
  std::vector<Extent> extents;
  int64_t size = 0;
  for (ByteRange range : ranges) {
    for (const Extent& extent : extents_) {
      const int64_t begin = std::max(range.begin, extent.offset);
      const int64_t end = std::min(range.begin + range.size, extent.offset + extent.range.size);
      if (begin >= end) continue;
      extents.push_back({.offset = size, .range = {extent.range.begin + begin - extent.offset, end - begin}});
      size += end - begin;
    }
  }
  return {*this, std::move(extents), size};
}

std::string AudioFile::name() const { return path_ == "-" ? "standard input" : path_.string(); }

size_t AudioFile::read_raw(int64_t offset, std::span<unsigned char> buffer) const {
  size_t total = 0;
  while (total < buffer.size()) {
    const ssize_t got =
        pread(descriptor_->get(), buffer.data() + total, buffer.size() - total, offset + static_cast<int64_t>(total));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("cannot read {}: {}", name(), std::strerror(errno));
    if (got == 0) break;  // the file has become shorter
    total += static_cast<size_t>(got);
  }
  return total;
}

size_t AudioFile::read_at(int64_t offset, std::span<unsigned char> buffer) const {
  size_t total = 0;
  if (offset < 0) return 0;
  auto extent = std::ranges::upper_bound(extents_, offset, {}, &Extent::offset);
  if (extent != extents_.begin()) --extent;
  for (; extent != extents_.end() && total < buffer.size(); ++extent) {
    const int64_t inside = offset + static_cast<int64_t>(total) - extent->offset;
    if (inside >= extent->range.size) break;
    const auto there = std::min(buffer.size() - total, static_cast<size_t>(extent->range.size - inside));
    const size_t got = read_raw(extent->range.begin + inside, buffer.subspan(total, there));
    total += got;
    if (got < there) break;
  }
  return total;
}

std::string AudioFile::text_at(int64_t offset, size_t count) const {
  std::string bytes(count, '\0');
  bytes.resize(read_at(offset, {reinterpret_cast<unsigned char*>(bytes.data()), bytes.size()}));
  return bytes;
}

bool AudioFile::has(int64_t offset, std::string_view bytes) const { return text_at(offset, bytes.size()) == bytes; }

int64_t AudioFile::skip_zeros(int64_t offset) const {
  std::array<unsigned char, 1 << 12> buffer;
  while (const size_t got = read_at(offset, buffer)) {
    const auto bytes = std::span(buffer).first(got);
    const auto found = std::ranges::find_if(bytes, [](unsigned char byte) { return byte != 0; });
    offset += std::distance(bytes.begin(), found);
    if (found != bytes.end()) break;
  }
  return std::min(offset, size_);
}

}  // namespace melgrad
