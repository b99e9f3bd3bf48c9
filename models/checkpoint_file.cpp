#include "models/checkpoint_file.h"

#include <system_error>

#include "framework/terminal/text.h"
#include "kernels/device/error.h"

namespace melgrad {

namespace fs = std::filesystem;

fs::path checkpoint_file(const fs::path& path) {
  std::error_code unseen;  // the reader reports files without access rights
  fs::path file = fs::is_directory(path, unseen) ? path / "last.safetensors" : path;
  if (fs::exists(file, unseen) || unseen) return file;
  if (fs::exists(path / "training.safetensors", unseen)) {
    fail("{} has no trained model yet: its first epoch is not finished; resume with melgrad train --out {} --resume",
         path.string(), shell_quoted(path.string()));
  }
  fail("{} does not exist; give the --out folder of melgrad train, or a .safetensors file", file.string());
}

}  // namespace melgrad
