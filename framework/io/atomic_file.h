// Files that appear whole or not at all: written beside the target, flushed to the disk, then renamed over it. A
// reader, a second process or a power cut sees the old content or the new, never a part.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "kernels/device/error.h"

namespace melgrad {

// Something could not be written; the message names it, the system's reason and what helps.
class WriteError : public Exception {
 public:
  using Exception::Exception;
};

// For an errno of a failed write: "No space left on device; free some space there or choose another folder".
std::string reason_and_remedy(int error_number);

// Makes a folder and those above it that are missing. Throws WriteError.
void make_folders(const std::filesystem::path& folder);

// Throws WriteError naming the path and the system's reason (full disk, no permission, no such folder).
void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

// The whole file. Throws Error naming the path and the reason.
std::string read_file(const std::filesystem::path& path);

}  // namespace melgrad
