#include "framework/dataset/stray_files.h"

#include <algorithm>

namespace melgrad {

std::vector<std::string> find_stray_files(const std::filesystem::path& root) {
  namespace fs = std::filesystem;
  std::vector<std::string> found;
  std::error_code error;
  fs::recursive_directory_iterator entry(root, fs::directory_options::skip_permission_denied, error), end;
  for (; !error && entry != end; entry.increment(error)) {
    std::error_code gone;
    if (entry->path().filename().string().starts_with("._") && entry->is_regular_file(gone)) {
      found.push_back(entry->path().lexically_relative(root).generic_string());
    }
  }
  std::ranges::sort(found);
  return found;
}

}  // namespace melgrad
