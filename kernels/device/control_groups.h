// The control groups of this process (cgroups(7)), which limit its processors and its memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace melgrad {

enum class ControlGroups : uint8_t { version_1, version_2 };

// Calls visit for the folder of each group that the process belongs to and whose files may have limits of `controller`
// ("cpu", "memory"), and for those of all groups above it. A folder need not exist: in a container the path may be that
// of the host, and the mount point itself is then the group of the container. `root` is the root of the file system.
void for_each_control_group(const std::filesystem::path& root, const std::string& controller,
                            const std::function<void(const std::filesystem::path& group, ControlGroups)>& visit);

}  // namespace melgrad
