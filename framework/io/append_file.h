// Appends to files that grow line by line or record by record.
#pragma once

#include <filesystem>
#include <string_view>

namespace melgrad {

// A crash may leave a part of the bytes. Throws WriteError (framework/io/atomic_file.h).
void append_to_file(const std::filesystem::path& path, std::string_view bytes);

}  // namespace melgrad
