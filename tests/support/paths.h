// Where the tests find what they read: in the build's folders, or where an environment variable says, as in a bundle
// that was carried to another machine.
#pragma once

#include <cstdlib>
#include <filesystem>

namespace melgrad::test {

inline std::filesystem::path path_from(const char* variable, const char* otherwise) {
  const char* value = std::getenv(variable);
  return value != nullptr ? value : otherwise;
}

// Committed reference values.
inline std::filesystem::path fixtures() { return path_from("MELGRAD_FIXTURES", FIXTURES); }
// The program itself.
inline std::filesystem::path program() { return path_from("MELGRAD_PROGRAM", PROGRAM); }
// Real recordings, which are no part of the project.
inline std::filesystem::path real_music() { return path_from("MELGRAD_DATA", SHARED_DATA); }

}  // namespace melgrad::test
