// Paths of what the tests read: in the source and build folders, or from environment variables, which a bundle that was
// copied to another machine sets.
#pragma once

#include <cstdlib>
#include <filesystem>

namespace melgrad::test {

inline std::filesystem::path path_from(const char* variable, const char* default_path) {
  const char* value = std::getenv(variable);
  return value != nullptr ? value : default_path;
}

// Committed reference values.
inline std::filesystem::path fixtures() { return path_from("MELGRAD_FIXTURES", FIXTURES); }
// The built program.
inline std::filesystem::path program() { return path_from("MELGRAD_PROGRAM", PROGRAM); }
// A folder of real recordings, which are not part of the project. It may not exist.
inline std::filesystem::path real_music() { return path_from("MELGRAD_DATA", SHARED_DATA); }

}  // namespace melgrad::test
