// Writes files atomically: into a temporary file beside the target, flushed to the disk, then renamed to the target.
// After a crash or a power cut, and for other processes at any time, the target has its old or its new content, never a
// part. Pipes and devices, such as /dev/null, are written directly.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "kernels/device/error.h"

namespace melgrad {

// A file or folder cannot be written. The message gives its path, the system's reason and a remedy.
class WriteError : public Exception {
 public:
  using Exception::Exception;
};

// Describes the errno of a failed write: "No space left on device; free some space there or choose another folder".
std::string reason_and_remedy(int error_number);

// Throws WriteError "cannot write PATH: " with reason_and_remedy(error_number).
[[noreturn]] void fail_to_write(const std::filesystem::path& path, int error_number);

// Creates a folder and all missing folders above it. Throws WriteError.
void make_folders(const std::filesystem::path& folder);

// Follows links: the file to which `path` leads is replaced, or created, and the link stays. A file that is replaced
// keeps its mode and, where the system allows it, its owner; other hard links keep the old content. Pipes, devices and
// paths such as /dev/stdout are written directly. Throws WriteError.
void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

// Reads the whole file; "-" is the standard input. Throws Error naming the path and the reason.
std::string read_file(const std::filesystem::path& path);

}  // namespace melgrad
