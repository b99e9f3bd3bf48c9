// Files that appear whole or not at all: written beside the target, flushed to the disk, then renamed over it. A
// reader, a second process or a power cut sees the old content or the new, never a part.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace melgrad {

// Throws Error naming the path and the system's reason (full disk, no permission, no such folder).
void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

// The whole file. Throws Error naming the path and the reason.
std::string read_file(const std::filesystem::path& path);

}  // namespace melgrad
