#include "framework/io/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdio>
#include <cstring>
#include <optional>
#include <span>
#include <system_error>

#include "framework/io/descriptor.h"

namespace melgrad {
namespace {

const char* remedy(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      return "free some space there or choose another folder";
    case EFBIG:
      return "raise the limit on the size of files (ulimit -f)";
    case ENOENT:
      return "create its folder first";
    case ENAMETOOLONG:
      return "choose a shorter name";
    case ELOOP:
      return "remove the link that leads to itself";
    case EISDIR:
      return "give the name of a file";
    case EPIPE:
      return "its reader ended too early";
    default:
      return "choose a folder that you may write to";
  }
}

// The number of an open descriptor that a path such as /dev/stdout or /dev/fd/5 names. Opening the path again would not
// continue where the other output of the program ends.
std::optional<int> descriptor_of(const std::filesystem::path& path) {
  const std::string text = path.string();
  if (text == "/dev/stdout") return STDOUT_FILENO;
  if (text == "/dev/stderr") return STDERR_FILENO;
  for (const std::string_view folder : {"/dev/fd/", "/proc/self/fd/"}) {
    if (!text.starts_with(folder)) continue;
    int number = -1;
    const char* const last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data() + folder.size(), last, number);
    if (error == std::errc() && end == last) return number;
  }
  return std::nullopt;
}

// The file to which a link leads, through any number of links, or the path of an open descriptor. It need not exist.
std::filesystem::path follow_links(const std::filesystem::path& path) {
  constexpr int most_links = 40;  // of the system
  std::filesystem::path target = path;
  for (int i = 0; i < most_links; ++i) {
    if (descriptor_of(target)) return target;
    std::error_code error;
    const std::filesystem::path next = std::filesystem::read_symlink(target, error);
    if (error) return target;
    target = next.is_absolute() ? next : target.parent_path() / next;
  }
  fail_to_write(path, ELOOP);
}

void require_short_name(const std::filesystem::path& path, const std::filesystem::path& target) {
  const size_t length = target.filename().string().size();
  if (length <= NAME_MAX) return;
  throw WriteError(fmt::format("cannot write {}: its name has {} bytes, at most {} are allowed; choose a shorter name",
                               path.string(), length, NAME_MAX));
}

// For pipes and devices, which cannot be replaced.
void write_directly(const std::filesystem::path& path, int opened, std::string_view bytes) {
  if (opened < 0) fail_to_write(path, errno);
  const Descriptor file(opened);
  try {
    write_all(file.get(), std::as_bytes(std::span(bytes)));
  } catch (const std::system_error& error) {
    fail_to_write(path, error.code().value());
  }
}

// A name beside the target that is unique among all threads and processes, and differs from the names that a killed
// process left behind.
std::filesystem::path temporary_name(const std::filesystem::path& target) {
  static std::atomic<unsigned> counter = 0;
  const std::string suffix = fmt::format(".{}.{}.tmp", getpid(), counter++);
  const std::string name = target.filename().string();
  return target.parent_path() / (name.substr(0, NAME_MAX - suffix.size()) + suffix);
}

int create_temporary(const std::filesystem::path& path, const std::filesystem::path& target, mode_t mode,
                     std::filesystem::path& temporary) {
  int opened = -1;
  do {
    temporary = temporary_name(target);
    opened = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  } while (opened < 0 && errno == EEXIST);
  if (opened < 0) fail_to_write(path, errno);
  return opened;
}

// Keeps the mode of the file that is replaced and, if the process may set it, the owner.
void keep_attributes(int descriptor, const struct stat& before) {
  constexpr auto same_owner = static_cast<uid_t>(-1);
  // Where the system allows neither, a file of another user keeps its mode only.
  [[maybe_unused]] const bool kept =
      fchown(descriptor, before.st_uid, before.st_gid) == 0 || fchown(descriptor, same_owner, before.st_gid) == 0;
  if (fchmod(descriptor, before.st_mode & 07777) != 0) throw std::system_error(errno, std::generic_category());
}

void replace_file(const std::filesystem::path& path, const std::filesystem::path& target, const struct stat* before,
                  std::string_view bytes) {
  std::filesystem::path temporary;
  const int opened = create_temporary(path, target, before ? 0600 : 0666, temporary);
  try {
    {
      const Descriptor file(opened);
      write_all(file.get(), std::as_bytes(std::span(bytes)));
      if (before) keep_attributes(file.get(), *before);
      if (fsync(file.get()) != 0) throw std::system_error(errno, std::generic_category());
    }
    std::filesystem::rename(temporary, target);
  } catch (const std::system_error& error) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    fail_to_write(path, error.code().value());
  }
  // Flush the folder too, so that the rename survives a power cut.
  const auto folder = target.has_parent_path() ? target.parent_path() : std::filesystem::path(".");
  const Descriptor opened_folder(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened_folder.get() < 0) fail_to_write(path, errno);
  fsync(opened_folder.get());
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
  const std::filesystem::path target = follow_links(path);
  if (const auto open_already = descriptor_of(target)) {
    return write_directly(path, fcntl(*open_already, F_DUPFD_CLOEXEC, 0), bytes);
  }
  require_short_name(path, target);
  struct stat before {};
  const bool exists = stat(target.c_str(), &before) == 0;
  if (exists && S_ISDIR(before.st_mode)) fail_to_write(path, EISDIR);
  if (exists && !S_ISREG(before.st_mode)) {
    return write_directly(path, open(target.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY), bytes);
  }
  replace_file(path, target, exists ? &before : nullptr, bytes);
}

std::string read_file(const std::filesystem::path& path) {
  const Descriptor file(open_for_reading(path));
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
