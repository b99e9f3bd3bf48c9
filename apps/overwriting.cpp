#include "apps/overwriting.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <map>
#include <optional>
#include <utility>

#include "kernels/device/error.h"

namespace melgrad {

namespace fs = std::filesystem;

namespace {

// Device and inode of a regular file; nothing for other paths. A file that cannot be read is reported when it is
// opened.
std::optional<std::pair<dev_t, ino_t>> identity_of(const fs::path& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return std::pair(status.st_dev, status.st_ino);
}

}  // namespace

void require_no_input(const std::string& option, const std::vector<fs::path>& outputs,
                      const std::vector<fs::path>& inputs) {
  std::map<std::pair<dev_t, ino_t>, fs::path> existing;
  for (const fs::path& output : outputs) {
    if (const auto identity = identity_of(output)) existing.emplace(*identity, output);
  }
  if (existing.empty()) return;
  for (const fs::path& input : inputs) {
    const auto identity = identity_of(input);
    const auto found = identity ? existing.find(*identity) : existing.end();
    if (found == existing.end()) continue;
    throw UsageError(fmt::format("{} would overwrite {}, which the command reads; give another path", option,
                                 found->second.string()));
  }
}

std::vector<fs::path> files_of_run(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const char* name : {"training.safetensors", "last.safetensors", "best.safetensors", "config.toml", "split.csv",
                           "log.jsonl", "validation.json"}) {
    files.push_back(folder / name);
  }
  return files;
}

std::vector<fs::path> files_of(const DatasetSource& source, const Dataset& dataset) {
  std::vector<fs::path> files{source.data, source.labels, dataset.source};
  for (const Track& track : dataset.tracks) files.push_back(track.path);
  return files;
}

}  // namespace melgrad
