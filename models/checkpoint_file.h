// The file of a checkpoint that a user names.
#pragma once

#include <filesystem>

namespace melgrad {

// The last.safetensors of a run folder; any other path stays as it is. Throws Error that says what to do if the file
// does not exist, or if the run has no trained model yet.
std::filesystem::path checkpoint_file(const std::filesystem::path& path);

}  // namespace melgrad
