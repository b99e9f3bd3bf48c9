#include "framework/dataset/listed_path.h"

#include <algorithm>
#include <cctype>
#include <optional>

#include "framework/io/file_text.h"
#include "kernels/device/error.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(path, ignored));
}

// The entry of `folder` whose name has the same composed form.
std::optional<fs::path> find_composed(const fs::path& folder, const std::string& name) {
  const std::string wanted = to_nfc(name);
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (to_nfc(entry->path().filename().string()) == wanted) return entry->path();
  }
  return std::nullopt;
}

fs::path find_in_any_form(const fs::path& path) {
  fs::path found;
  for (const fs::path& part : path) {
    const fs::path next = found / part;
    const bool is_ascii = std::ranges::all_of(part.string(), [](char byte) { return (byte & 0x80) == 0; });
    found =
        is_ascii || is_there(next) ? next : find_composed(found.empty() ? "." : found, part.string()).value_or(next);
  }
  return found;
}

}  // namespace

fs::path find_listed(const fs::path& root, const std::string& text, const std::string& at) {
  if (text.find('\0') != std::string::npos) fail("{}: the path contains a NUL byte; remove it", at);
  const fs::path literal = root / fs::path(text).lexically_normal();
  if (is_there(literal)) return literal;
  if (text.size() > 2 && std::isalpha(static_cast<unsigned char>(text[0])) != 0 && text[1] == ':' &&
      (text[2] == '\\' || text[2] == '/')) {
    fail("{}: the path '{}' has a drive letter; write it relative to the folder of the list", at, text);
  }
  std::string slashes = text;
  std::ranges::replace(slashes, '\\', '/');
  return find_in_any_form(root / fs::path(slashes).lexically_normal());
}

}  // namespace melgrad
