// Finds the file that a list names, although the list was written on another system.
#pragma once

#include <filesystem>
#include <string>

namespace melgrad {

// The path below `root` that `text` names, as the file system writes it. If no file has this name, backslashes are
// taken for slashes, and each folder or file is looked up in any Unicode form. Returns root / text, with slashes, if
// there is no such file. Throws Error, which begins with `at`, for a path with a drive letter or a NUL byte.
std::filesystem::path find_listed(const std::filesystem::path& root, const std::string& text, const std::string& at);

}  // namespace melgrad
