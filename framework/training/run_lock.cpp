#include "framework/training/run_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "framework/io/atomic_file.h"

namespace melgrad {
namespace {

std::string this_process() {
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  return fmt::format("process {} on {}\n", getpid(), host.data());
}

// The first line of a lock file, escaped for an error message.
std::string holder_of(int descriptor) {
  std::array<char, 300> text{};
  const ssize_t length = pread(descriptor, text.data(), text.size(), 0);
  const std::string holder(text.data(), length > 0 ? static_cast<size_t>(length) : 0);
  return holder.empty() ? "another process" : holder.substr(0, holder.find('\n'));
}

}  // namespace

RunLock::RunLock(const std::filesystem::path& run_folder)
    : file_(run_folder / "training.lock"),
      holder_(this_process()),
      descriptor_(open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
  if (descriptor_ < 0) fail_to_write(file_, errno);
  // A file system without locks reports another error; then the content of the file is the only protection.
  if (flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    const std::string holder = holder_of(descriptor_);
    close(descriptor_);
    fail("{} is training in {}; wait for it, stop it, or choose another --out", holder, run_folder.string());
  }
  if (ftruncate(descriptor_, 0) != 0 || pwrite(descriptor_, holder_.data(), holder_.size(), 0) < 0) {
    const int error = errno;
    close(descriptor_);
    fail_to_write(file_, error);
  }
}

RunLock::~RunLock() { close(descriptor_); }

void RunLock::require_held() const {
  std::string found;
  try {
    found = read_file(file_);
  } catch (const Error&) {  // an unreadable file counts as deleted
  }
  if (found == holder_) return;
  const std::string folder = file_.parent_path().string();
  if (found.empty()) fail("{} was deleted while training wrote to it; train again", folder);
  fail(
      "{} was deleted while training wrote to it, and {} is training in a new folder of that name; choose another "
      "--out",
      folder, found.substr(0, found.find('\n')));
}

bool is_locked(const std::filesystem::path& run_folder) {
  const int descriptor = open((run_folder / "training.lock").c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return false;
  // A shared lock, so that two programs that look do not see each other. close() releases it.
  const bool locked = flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  close(descriptor);
  return locked;
}

}  // namespace melgrad
