#include "framework/training/run_folder.h"

#include <system_error>

#include "framework/io/atomic_file.h"
#include "framework/training/checkpoint.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;

void require_run(const fs::path& folder) {
  if (!holds_run(folder)) {
    fail("{} holds no {} to resume from; leave out --resume", folder.string(), training_state_file);
  }
}

}  // namespace

bool holds_run(const fs::path& folder) { return fs::exists(folder / training_state_file); }

std::unique_ptr<RunLock> open_run_folder(const fs::path& folder, bool resume) {
  if (resume) require_run(folder);  // before the folder is made
  make_folders(folder);
  auto lock = std::make_unique<RunLock>(folder);
  if (resume) {
    require_run(folder);  // another process may have removed it before the lock was held
  } else if (holds_run(folder)) {
    fail("{} already holds a run; add --resume to continue it, or choose another --out", folder.string());
  }
  for (const auto& entry : fs::directory_iterator(folder)) {
    std::error_code ignored;
    if (entry.path().extension() == ".tmp") fs::remove(entry.path(), ignored);
  }
  return lock;
}

}  // namespace melgrad
